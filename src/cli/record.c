#include "cli/record.h"

void record_read(const struct client_entry *entry, bool complete, struct record *ret)
{
	const struct row_set *set = &row_sets[entry->object];

	memset(ret, 0, sizeof(*ret));
	ret->entry = entry;
	for (unsigned int i = 0; i < set->config_count; i++) {
		if (entry->text[i])
			codec_parse(&set->rows[i], &ret->config, entry->text[i],
				    strlen(entry->text[i]), NULL);
	}
	if (complete && !record_is_remnant(ret))
		codec_complete(entry->object, &ret->config);
}

const char *record_text(const struct record *record, const struct row *row,
			char buffer[VALUE_TEXT_MAX])
{
	if (row->part != PART_CONFIG)
		return record->entry->text[row_number(row)];
	if (!codec_present(row, &record->config))
		return NULL;
	codec_print(row, &record->config, buffer);
	return buffer;
}

bool record_is_remnant(const struct record *record)
{
	bool session = record->entry->object == OBJECT_SESSION;
	unsigned int peer = session ? (unsigned int)SESSION_PEER_SESSION_ID
				    : (unsigned int)TUNNEL_PEER_TUNNEL_ID;

	return !record->entry->text[peer];
}

bool record_matches(const struct record *record, const struct request *request)
{
	char buffer[VALUE_TEXT_MAX];

	for (unsigned int i = 0; i < request->term_count; i++) {
		const struct term *term = &request->terms[i];
		const char *text;

		if (term->row->object != record->entry->object)
			continue;
		text = record_text(record, term->row, buffer);
		if (!text || strcmp(text, term->text) != 0)
			return false;
	}
	return true;
}
