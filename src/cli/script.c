#include "cli/script.h"

#include <inttypes.h>
#include <string.h>

/* What `ip link` says, on the session's interface. */
static const struct {
	enum session_row row;
	const char *word;
} link_words[] = {
	{SESSION_MTU, "mtu"},
	{SESSION_MAC_ADDRESS, "address"},
	{SESSION_BRIDGE, "master"},
};

static const char *first_word(const char *words, char ret[40])
{
	snprintf(ret, 40, "%.*s", (int)strcspn(words, "|"), words);
	return ret;
}

/* As `ip l2tp` spells it: "on" for true, and its own word where YANG has another. */
static const char *spell(const struct row *row, const char *text)
{
	const struct word *word = row->words ? word_by_name(row->words, text, strlen(text)) : NULL;

	if (row->type == TYPE_BOOL)
		return strcmp(text, "true") ? "off" : "on";
	return word && word->alias && !strchr(word->alias, '|') ? word->alias : text;
}

static bool is_link_word(const struct row *row)
{
	if (row->object != OBJECT_SESSION)
		return false;
	for (size_t i = 0; i < sizeof(link_words) / sizeof(link_words[0]); i++)
		if (row_number(row) == (unsigned int)link_words[i].row)
			return true;
	return row_number(row) == SESSION_LINK_ENABLED;
}

/* Ports have a default here, and none there. */
static bool is_needed(const struct row *row, const char *text)
{
	bool port = row->object == OBJECT_TUNNEL &&
		    (row_number(row) == TUNNEL_LOCAL_PORT || row_number(row) == TUNNEL_REMOTE_PORT);

	return port || !script_is_default(row, text);
}

static void put_link(FILE *file, const struct record *record)
{
	const struct row *rows = row_sets[OBJECT_SESSION].rows;
	char buffer[VALUE_TEXT_MAX], name[VALUE_TEXT_MAX];
	const char *text = record_text(record, &rows[SESSION_INTERFACE_NAME], name);

	if (!text || !*text)
		return;
	fprintf(file, "ip link set dev %s", text);
	for (size_t i = 0; i < sizeof(link_words) / sizeof(link_words[0]); i++) {
		text = record_text(record, &rows[link_words[i].row], buffer);
		if (text && *text)
			fprintf(file, " %s %s", link_words[i].word, text);
	}
	fprintf(file, " %s\n", record->config.session.link_enabled ? "up" : "down");
}

static void put_ip(FILE *file, const struct record *record)
{
	enum object object = record->entry->object;
	const struct row_set *set = &row_sets[object];
	char buffer[VALUE_TEXT_MAX], word[40];

	for (unsigned int i = 0; i < set->config_count;
	     i++) { /* first: they are about what follows */
		const struct row *row = &set->rows[i];
		const char *text = record_text(record, row, buffer);

		if (text && *text && row->ip != IP_ANYWHERE && !is_link_word(row) &&
		    !script_is_default(row, text))
			fprintf(file, "# ip l2tp has no words for %s %s %s\n",
				object == OBJECT_SESSION ? "this session's" : "this tunnel's",
				row->leaf, text);
	}
	fprintf(file, "ip l2tp add %s", set->name);
	if (object == OBJECT_SESSION)
		fprintf(file, " tunnel_id %" PRIu32, record->entry->tunnel_id);
	for (unsigned int i = 0; i < set->config_count; i++) {
		const struct row *row = &set->rows[i];
		const char *text = record_text(record, row, buffer);

		if (text && *text && row->cli && row->ip == IP_ANYWHERE && is_needed(row, text))
			fprintf(file, " %s %s", first_word(row->cli, word), spell(row, text));
	}
	putc('\n', file);
	if (object == OBJECT_SESSION)
		put_link(file, record);
}

/* ---- the whole */

void script_begin(struct script *script, enum cli_form form, const char *directory, FILE *file)
{
	*script = (struct script){.form = form, .directory = directory, .file = file};
}

void script_entry(struct script *script, const struct record *record)
{
	if (script->form == FORM_IP)
		put_ip(script->file, record);
	else if (script->form == FORM_NETWORKD)
		networkd_entry(script, record);
	else
		vyos_entry(script, record);
}

int script_end(struct script *script, struct error *err)
{
	if (script->form == FORM_NETWORKD)
		networkd_end(script);
	return script->rc ? error_set_errno(err, ERROR_STORAGE, -script->rc,
					    "cannot write the files%s%s",
					    script->directory ? " into " : "",
					    script->directory ? script->directory : "")
			  : 0;
}
