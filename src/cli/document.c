#include "cli/document.h"

#include <inttypes.h>

#include "cli/message.h"

/* RFC 7951 section 6.1: 64-bit numbers are strings. */
static bool is_quoted(const struct row *row)
{
	return row->type != TYPE_BOOL && row->type != TYPE_U16 && row->type != TYPE_U32;
}

static void json_leaves(struct json *json, const struct client_entry *entry)
{
	const struct row_set *set = &row_sets[entry->object];
	bool statistics = false;

	for (unsigned int i = 0; i < set->count; i++) {
		const struct row *row = &set->rows[i];

		if (!entry->text[i])
			continue;
		if (row->part == PART_STATISTICS && !statistics) {
			json_open(json, ELEMENT_STATISTICS, '{');
			statistics = true;
		}
		json_value(json, row->leaf, entry->text[i], is_quoted(row));
	}
	if (statistics)
		json_close(json, '}');
}

static void list_entry(struct json *json, const struct client_entry *entry)
{
	char id[16];

	json_open(json, NULL, '{');
	if (entry->object == OBJECT_SESSION) {
		snprintf(id, sizeof(id), "%" PRIu32, entry->tunnel_id);
		json_value(json, row_sets[OBJECT_TUNNEL].key->leaf, id, false);
	}
	json_leaves(json, entry);
	json_close(json, '}');
}

static void xml_leaf(FILE *file, const struct row *row, const char *text, int indent)
{
	char escaped[6 * VALUE_TEXT_MAX];

	if (client_escape(text, escaped, sizeof(escaped)) < 0)
		return;
	fprintf(file, "%*s<%s>%s</%s>\n", indent, "", row->leaf, escaped, row->leaf);
}

static void xml_leaves(FILE *file, const struct client_entry *entry)
{
	const struct row_set *set = &row_sets[entry->object];
	int indent = entry->object == OBJECT_SESSION ? 6 : 4;
	bool statistics = false;

	for (unsigned int i = 0; i < set->count; i++) {
		const struct row *row = &set->rows[i];

		if (!entry->text[i])
			continue;
		if (row->part == PART_STATISTICS && !statistics) {
			fprintf(file, "%*s<" ELEMENT_STATISTICS ">\n", indent, "");
			statistics = true;
		}
		xml_leaf(file, row, entry->text[i], indent + (statistics ? 2 : 0));
	}
	if (statistics)
		fprintf(file, "%*s</" ELEMENT_STATISTICS ">\n", indent, "");
}

static void close_tunnel(struct document *document)
{
	if (!document->tunnel_open)
		return;
	if (document->form == DOCUMENT_XML)
		fputs("  </tunnel>\n", document->file);
	if (document->form == DOCUMENT_JSON && document->session_seen)
		json_close(&document->json, ']');
	if (document->form == DOCUMENT_JSON)
		json_close(&document->json, '}');
	document->tunnel_open = false;
	document->session_seen = false;
}

static void open_tunnel(struct document *document, const struct client_entry *entry)
{
	close_tunnel(document);
	document->tunnel_open = true;
	if (document->form == DOCUMENT_XML) {
		fputs("  <tunnel>\n", document->file);
		xml_leaves(document->file, entry);
		return;
	}
	json_open(&document->json, NULL, '{');
	json_leaves(&document->json, entry);
}

static void put_session(struct document *document, const struct client_entry *entry)
{
	if (document->form == DOCUMENT_XML) {
		fputs("    <session>\n", document->file);
		xml_leaves(document->file, entry);
		fputs("    </session>\n", document->file);
		return;
	}
	if (!document->session_seen)
		json_open(&document->json, row_sets[OBJECT_SESSION].name, '[');
	document->session_seen = true;
	json_open(&document->json, NULL, '{');
	json_leaves(&document->json, entry);
	json_close(&document->json, '}');
}

void document_begin(struct document *document, enum document_form form, FILE *file, bool pretty)
{
	*document = (struct document){
		.form = form, .file = file, .json = {.file = file, .pretty = pretty}};
}

static void begin(struct document *document)
{
	struct json *json = &document->json;

	if (document->begun)
		return;
	document->begun = true;
	switch (document->form) {
	case DOCUMENT_XML:
		fputs("<" ELEMENT_CONTAINER " xmlns=\"" NAMESPACE_MODULE "\">\n", document->file);
		break;
	case DOCUMENT_JSON:
		json_open(json, NULL, '{');
		/* RFC 7951 section 4: a top-level name is qualified. */
		json_open(json, MODULE_NAME ":" ELEMENT_CONTAINER, '{');
		json_open(json, row_sets[OBJECT_TUNNEL].name, '[');
		break;
	case DOCUMENT_LIST:
		json_open(json, NULL, '[');
		break;
	}
}

void document_entry(struct document *document, const struct client_entry *entry)
{
	begin(document);
	if (document->form == DOCUMENT_LIST)
		list_entry(&document->json, entry);
	else if (entry->object == OBJECT_TUNNEL)
		open_tunnel(document, entry);
	else
		put_session(document, entry);
}

void document_end(struct document *document)
{
	struct json *json = &document->json;

	begin(document);
	close_tunnel(document);
	if (document->form == DOCUMENT_XML) {
		fputs("</" ELEMENT_CONTAINER ">\n", document->file);
		return;
	}
	json_close(json, ']');
	if (document->form == DOCUMENT_JSON) {
		json_close(json, '}');
		json_close(json, '}');
	}
}
