/* What another program has no words for. */
#include <inttypes.h>
#include <string.h>

#include "cli/script.h"

bool script_is_default(const struct row *row, const char *text)
{
	return row->fallback && !strcmp(row->fallback, text);
}

static void name_entry(FILE *file, const struct record *record)
{
	fprintf(file, "%s %" PRIu32, row_sets[record->entry->object].name,
		record->entry->tunnel_id);
	if (record->entry->session_id)
		fprintf(file, "/%" PRIu32, record->entry->session_id);
}

void script_unknown(const char *who, const struct record *record, uint64_t known)
{
	const struct row_set *set = &row_sets[record->entry->object];
	char buffer[VALUE_TEXT_MAX];

	for (unsigned int i = 0; i < set->config_count; i++) {
		const char *text = record_text(record, &set->rows[i], buffer);

		if ((known & BIT(i)) || !text || !*text || script_is_default(&set->rows[i], text))
			continue;
		fprintf(stderr, "l2tpv3ctl: note: %s has no words for ", who);
		name_entry(stderr, record);
		fprintf(stderr, ": %s\n", set->rows[i].leaf);
	}
}

void script_leave_out(const char *who, const struct record *record, const char *why)
{
	fputs("l2tpv3ctl: note: left out: ", stderr);
	name_entry(stderr, record);
	fprintf(stderr, ": %s %s\n", who, why);
}
