#include "cli/prometheus.h"

#include <inttypes.h>

#define ABSENT UINT64_MAX

/* The labels of `info`, and whatever identifies the object. */
static const char *const info_leaves[OBJECTS][7] = {
	[OBJECT_TUNNEL] = {"description", "encapsulation", "resolved-local-address",
			   "remote-address", "status-reason", "origin"},
	[OBJECT_SESSION] = {"description", "pseudowire-type", "status-reason", "origin"},
};

static const struct row *find_row(enum object object, const char *leaf)
{
	return row_by_leaf(object, leaf, strlen(leaf));
}

static bool is_family(const struct row *row)
{
	return row->type == TYPE_COUNTER || row->words == oper_status_words;
}

uint64_t prometheus_rows(enum object object)
{
	const struct row_set *set = &row_sets[object];
	uint64_t rows = object == OBJECT_SESSION ? BIT(SESSION_INTERFACE_NAME) : 0;

	for (unsigned int i = 0; i < set->count; i++) {
		if (is_family(&set->rows[i]))
			rows |= BIT(i);
	}
	for (const char *const *leaf = info_leaves[object]; *leaf; leaf++)
		rows |= BIT(row_number(find_row(object, *leaf)));
	return rows;
}

/* A leaf's name with "_". */
static void put_name(FILE *file, const char *leaf)
{
	for (; *leaf; leaf++)
		putc_unlocked(*leaf == '-' ? '_' : *leaf, file);
}

/* Escaped as a label's value must be. Absent and empty are the same in Prometheus. */
static void put_label(FILE *file, const char *before, const char *leaf, const char *text)
{
	if (!text || !*text)
		return;
	fputs_unlocked(before, file);
	put_name(file, leaf);
	fputs_unlocked("=\"", file);
	for (; *text; text++) {
		if (*text == '\\' || *text == '"')
			putc_unlocked('\\', file);
		if (*text == '\n')
			fputs_unlocked("\\n", file);
		else
			putc_unlocked(*text, file);
	}
	putc_unlocked('"', file);
}

/* What every series of the object has: its ids, and its interface. */
static void put_identity(FILE *file, const struct client_entry *entry)
{
	char id[16];

	snprintf(id, sizeof(id), "%" PRIu32, entry->tunnel_id);
	put_label(file, "{", row_sets[OBJECT_TUNNEL].key->leaf, id);
	if (entry->object == OBJECT_TUNNEL)
		return;
	snprintf(id, sizeof(id), "%" PRIu32, entry->session_id);
	put_label(file, ",", row_sets[OBJECT_SESSION].key->leaf, id);
	put_label(file, ",", row_sets[OBJECT_SESSION].rows[SESSION_INTERFACE_NAME].leaf,
		  entry->text[SESSION_INTERFACE_NAME]);
}

/* "l2tpv3_session_tx_packets_total" */
static void put_metric(const struct prometheus *prometheus, const char *leaf, const char *suffix)
{
	FILE *file = prometheus->file;

	fputs_unlocked("l2tpv3_", file);
	fputs_unlocked(row_sets[prometheus->object].name, file);
	putc_unlocked('_', file);
	put_name(file, leaf);
	fputs_unlocked(suffix, file);
}

static void put_header(const struct prometheus *prometheus, const struct row *row)
{
	const char *suffix = row->type == TYPE_COUNTER ? "_total" : "";
	FILE *file = prometheus->file;

	fputs("# HELP ", file);
	put_metric(prometheus, row->leaf, suffix);
	fprintf(file, " %s", row->doc);
	for (const struct word *word = row->words; word && word->name; word++)
		fprintf(file, "%s%u %s", word == row->words ? ": " : ", ", word->value, word->name);
	fputs("\n# TYPE ", file);
	put_metric(prometheus, row->leaf, suffix);
	fprintf(file, " %s\n", row->type == TYPE_COUNTER ? "counter" : "gauge");
}

static void begin(struct prometheus *prometheus)
{
	const char *name = row_sets[prometheus->object].name;

	if (prometheus->begun)
		return;
	prometheus->begun = true;
	fprintf(prometheus->file,
		"# HELP l2tpv3_%s_info A %s, and what it is.\n# TYPE l2tpv3_%s_info gauge\n", name,
		name, name);
}

bool prometheus_begin(struct prometheus *prometheus, enum object object, FILE *file)
{
	const struct row_set *set = &row_sets[object];

	*prometheus = (struct prometheus){.file = file, .object = object};
	for (unsigned int i = 0; i < set->count; i++) {
		if (is_family(&set->rows[i]))
			prometheus->families[prometheus->count++] = i;
	}
	prometheus->labels = open_memstream(&prometheus->label_text, &prometheus->label_size);
	prometheus->values =
		open_memstream((char **)(void *)&prometheus->numbers, &prometheus->number_size);
	return prometheus->labels && prometheus->values;
}

static uint64_t number(const struct row *row, const char *text)
{
	const struct word *word;

	if (!text)
		return ABSENT;
	if (!row->words)
		return strtoull(text, NULL, 10);
	word = word_by_name(row->words, text, strlen(text));
	return word ? word->value : ABSENT;
}

void prometheus_entry(struct prometheus *prometheus, const struct record *record)
{
	const struct client_entry *entry = record->entry;
	const struct row *rows = row_sets[entry->object].rows;
	uint64_t numbers[ROWS_MAX];
	char buffer[VALUE_TEXT_MAX];

	begin(prometheus);
	put_metric(prometheus, "info", "");
	put_identity(prometheus->file, entry);
	for (const char *const *leaf = info_leaves[entry->object]; *leaf; leaf++)
		put_label(prometheus->file, ",", *leaf,
			  record_text(record, find_row(entry->object, *leaf), buffer));
	fputs_unlocked("} 1\n", prometheus->file);

	put_identity(prometheus->labels, entry);
	putc_unlocked('\0', prometheus->labels);
	for (unsigned int i = 0; i < prometheus->count; i++) {
		unsigned int at = prometheus->families[i];

		numbers[i] = number(&rows[at], entry->text[at]);
	}
	fwrite_unlocked(numbers, sizeof(*numbers), prometheus->count, prometheus->values);
}

static void put_family(const struct prometheus *prometheus, unsigned int family)
{
	const struct row *row = &row_sets[prometheus->object].rows[prometheus->families[family]];
	const char *labels = prometheus->label_text, *end = labels + prometheus->label_size;
	const uint64_t *value = prometheus->numbers + family;
	char digits[24];

	put_header(prometheus, row);
	for (; labels < end; labels += strlen(labels) + 1, value += prometheus->count) {
		if (*value == ABSENT)
			continue;
		put_metric(prometheus, row->leaf, row->type == TYPE_COUNTER ? "_total" : "");
		fputs_unlocked(labels, prometheus->file);
		fputs_unlocked("} ", prometheus->file);
		fwrite_unlocked(digits, 1, codec_print_decimal(*value, 1, digits),
				prometheus->file);
		putc_unlocked('\n', prometheus->file);
	}
}

bool prometheus_end(struct prometheus *prometheus)
{
	if (fflush(prometheus->labels) || fflush(prometheus->values))
		return false;
	begin(prometheus);
	for (unsigned int i = 0; i < prometheus->count; i++)
		put_family(prometheus, i);
	return true;
}

void prometheus_free(struct prometheus *prometheus)
{
	if (prometheus->labels)
		fclose(prometheus->labels);
	if (prometheus->values)
		fclose(prometheus->values);
	free(prometheus->label_text);
	free(prometheus->numbers);
}
