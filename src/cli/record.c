#include "cli/record.h"

bool record_untold(const struct row *row)
{
	return row->source == SOURCE_RECORD && row->genl && row->fallback;
}

const char *record_sent(const struct record *record, const char *leaf)
{
	const struct row *row = row_by_leaf(record->entry->object, leaf, strlen(leaf));
	const char *text = row ? record->entry->text[row_number(row)] : NULL;

	return text ? text : "";
}

static bool is_foreign(const struct record *record)
{
	return strcmp(record_sent(record, "origin"), "foreign") == 0;
}

static void complete_record(struct record *record)
{
	const struct client_entry *entry = record->entry;
	const struct row_set *set = &row_sets[entry->object];
	bool foreign = is_foreign(record);

	codec_complete(entry->object, &record->config);
	for (unsigned int i = 0; i < set->config_count && foreign; i++) {
		if (record_untold(&set->rows[i]) && !entry->text[i])
			codec_clear(&set->rows[i], &record->config);
	}
}

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
		complete_record(ret);
}

const char *record_text(const struct record *record, const struct row *row,
			char buffer[VALUE_TEXT_MAX])
{
	const char *sent = record->entry->text[row_number(row)];

	if (sent || row->part != PART_CONFIG)
		return sent;
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

const enum oper_status problem_states[] = {OPER_FAILED, OPER_DOWN, OPER_PEER_SILENT, OPER_WAITING,
					   0};

bool record_is_disabled(const struct record *record)
{
	return strcmp(record_sent(record, "status-reason"), "disabled") == 0;
}

bool is_problem_status(const char *status)
{
	const struct word *word = word_by_name(oper_status_words, status, strlen(status));
	const enum oper_status *state = problem_states;

	while (word && *state && *state != word->value)
		state++;
	return word && *state;
}

bool record_is_problem(const struct record *record, bool tunnel_disabled)
{
	return is_problem_status(record_sent(record, "oper-status")) && !is_foreign(record) &&
	       !record_is_disabled(record) &&
	       !(tunnel_disabled && !strcmp(record_sent(record, "status-reason"), "tunnel-not-up"));
}
