#include "cli/table.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/age.h"

/* Columns that are worked out of a leaf, and what they are called. */
static const struct {
	const char *name, *title, *leaf;
	enum derived derived;
	unsigned int factor;
} derived_columns[] = {
	{"age", "FOR", "last-change", DERIVED_AGE, 0},
	{"rx-rate", "RX-BIT/S", "rx-bytes", DERIVED_RATE, 8},
	{"tx-rate", "TX-BIT/S", "tx-bytes", DERIVED_RATE, 8},
	{"rx-pps", "RX-PKT/S", "rx-packets", DERIVED_RATE, 1},
	{"tx-pps", "TX-PKT/S", "tx-packets", DERIVED_RATE, 1},
};

/* Where the leaf's own name is too long a heading. */
static const struct {
	const char *leaf, *title;
} titles[] = {
	{"tunnel-id", "TUNNEL"},      {"session-id", "SESSION"},
	{"interface-name", "NAME"},   {"oper-status", "STATE"},
	{"status-reason", "REASON"},  {"resolved-local-address", "LOCAL"},
	{"remote-address", "REMOTE"}, {"session-count", "SESSIONS"},
	{"peer-tunnel-id", "PEER"},   {"peer-session-id", "PEER"},
	{"status-text", "WHY"},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The usual columns: always; with -s; with -d. */
static const char *const usual[OBJECTS][4] = {
	[OBJECT_TUNNEL] = {"tunnel-id,resolved-local-address,remote-address,session-count,"
			   "oper-status,status-reason,age,description",
			   "rx-rate,tx-rate,rx-pps,tx-pps", "status-text",
			   "tunnel-id,resolved-local-address,remote-address,oper-status,"
			   "status-reason"},
	[OBJECT_SESSION] = {"tunnel-id,session-id,interface-name,oper-status,status-reason,age,"
			    "description",
			    "rx-rate,tx-rate,rx-pps,tx-pps", "status-text",
			    "tunnel-id,session-id,interface-name,oper-status,status-reason"},
};

static const struct row *find_leaf(enum object object, const char *word, size_t length)
{
	const struct row *row = row_by_leaf(object, word, length);
	char keyword[64];

	if (row || length >= sizeof(keyword))
		return row;
	memcpy(keyword, word, length);
	keyword[length] = '\0';
	return row_by_keyword(object, keyword);
}

static bool find_column(enum object object, const char *word, size_t length,
			struct table_column *ret, const char **ret_title)
{
	*ret = (struct table_column){.row = find_leaf(object, word, length)};
	*ret_title = ret->row ? ret->row->leaf : "tunnel-id";
	for (size_t i = 0; i < COUNT(derived_columns) && !ret->row; i++) {
		if (strlen(derived_columns[i].name) != length ||
		    memcmp(derived_columns[i].name, word, length) != 0)
			continue;
		*ret = (struct table_column){
			.row = row_by_leaf(object, derived_columns[i].leaf,
					   strlen(derived_columns[i].leaf)),
			.derived = derived_columns[i].derived,
			.factor = derived_columns[i].factor,
		};
		*ret_title = derived_columns[i].title;
	}
	if (!ret->row && find_leaf(OBJECT_TUNNEL, word, length) == row_sets[OBJECT_TUNNEL].key)
		ret->derived = DERIVED_TUNNEL;
	for (size_t i = 0; i < COUNT(titles); i++)
		if (!strcmp(*ret_title, titles[i].leaf))
			*ret_title = titles[i].title;
	return ret->row || ret->derived;
}

static bool is_number(const struct table_column *column)
{
	enum type type = column->row ? column->row->type : TYPE_U32;

	return column->derived != DERIVED_AGE &&
	       (type == TYPE_U16 || type == TYPE_U32 || type == TYPE_COUNTER);
}

static void add_column(struct table *table, const struct table_column *column, const char *title)
{
	const struct row *row = column->row;
	unsigned int at = table->grid.count;
	char *text = table->titles[at];

	table->columns[at] = *column;
	table->rates |= column->derived == DERIVED_RATE;
	snprintf(text, sizeof(table->titles[at]), "%s", title);
	for (; *text; text++)
		*text = (char)toupper((unsigned char)*text);
	grid_column(&table->grid,
		    &(struct grid_column){
			    .title = table->titles[at],
			    .right = is_number(column),
			    .shrinks = row && (row->type == TYPE_STRING || row->type == TYPE_TEXT ||
					       row->words == status_reason_words),
			    .status = row && row->words == oper_status_words,
		    });
}

static enum cli_status add_columns(struct table *table, const char *list, struct error *err)
{
	for (size_t length; *list; list += length + (list[length] == ',')) {
		struct table_column column;
		const char *title;

		length = strcspn(list, ",");
		if (!find_column(table->object, list, length, &column, &title))
			return cli_usage_error(
				err,
				"a %s has no column \"%.*s\"; columns are its keywords and leaves, "
				"age, rx-rate, tx-rate, rx-pps and tx-pps",
				row_sets[table->object].name, length < 40 ? (int)length : 40, list);
		if (table->grid.count == GRID_COLUMNS)
			return cli_usage_error(err, "more than %d columns", GRID_COLUMNS);
		add_column(table, &column, title);
	}
	return CLI_OK;
}

enum cli_status table_begin(struct table *table, enum object object,
			    const struct cli_options *options, struct error *err)
{
	const char *const *lists = usual[object];
	enum cli_status status;

	*table = (struct table){.object = object, .options = options, .sorted = -1};
	if (options->columns)
		return add_columns(table, options->columns, err);
	if (options->brief)
		return add_columns(table, lists[3], err);
	status = add_columns(table, lists[0], err);
	if (!status && options->statistics)
		status = add_columns(table, lists[1], err);
	if (!status && options->details)
		status = add_columns(table, lists[2], err);
	return status;
}

uint64_t table_rows(const struct table *table)
{
	uint64_t rows = BIT(row_number(row_sets[table->object].key));

	for (unsigned int i = 0; i < table->grid.count; i++)
		if (table->columns[i].row)
			rows |= BIT(row_number(table->columns[i].row));
	return rows;
}

/* ---- rates */

void table_read_again(struct table *table)
{
	struct readings before = table->before;

	table->before = table->now;
	table->now = before;
	table->now.count = 0;
	table->now.time = clock_now();
	table->between = table->now.time - table->before.time;
	grid_clear(&table->grid);
}

void table_sample(struct table *table, const struct record *record)
{
	struct readings *now = &table->now;
	struct reading *sample;

	if (now->count == now->room) {
		size_t room = now->room ? 2 * now->room : 64;
		struct reading *grown = reallocarray(now->items, room, sizeof(*grown));

		if (!grown)
			return; /* then it has no rates */
		now->items = grown;
		now->room = room;
	}
	sample = &now->items[now->count++];
	sample->tunnel_id = record->entry->tunnel_id;
	sample->session_id = record->entry->session_id;
	for (unsigned int i = 0; i < table->grid.count; i++) {
		const struct table_column *column = &table->columns[i];
		const char *text =
			column->row ? record->entry->text[row_number(column->row)] : NULL;

		if (column->derived == DERIVED_RATE)
			sample->counters[i] = text ? strtoull(text, NULL, 10) : 0;
	}
}

static int compare(const void *a, const void *b)
{
	const struct reading *left = a, *right = b;

	if (left->tunnel_id != right->tunnel_id)
		return left->tunnel_id < right->tunnel_id ? -1 : 1;
	return left->session_id < right->session_id   ? -1
	       : left->session_id > right->session_id ? 1
						      : 0;
}

/* A second; false: not known. What went back began anew. */
static bool rate_of(const struct table *table, const struct reading *before,
		    const struct reading *now, unsigned int column, uint64_t *ret)
{
	uint64_t grown;

	if (!before || table->between <= 0 || now->counters[column] < before->counters[column])
		return false;
	grown = (now->counters[column] - before->counters[column]) * table->columns[column].factor;
	*ret = (uint64_t)((double)grown * NS_PER_S / (double)table->between + 0.5);
	return true;
}

/* "1.23M": three digits, and what they are multiplied by. */
static void print_rate(uint64_t rate, char *ret, size_t size)
{
	static const char units[] = " kMGTPE";
	double value = (double)rate;
	unsigned int unit = 0;

	for (; value >= 999.5; value /= 1000)
		unit++;
	if (unit)
		snprintf(ret, size, "%.*f%c",
			 value < 9.995   ? 2
			 : value < 99.95 ? 1
					 : 0,
			 value, units[unit]);
	else
		snprintf(ret, size, "%" PRIu64, rate);
}

/* ---- rows */

static const char *cell_text(const struct table *table, const struct table_column *column,
			     const struct record *record, char *buffer, size_t size)
{
	const char *text;
	char age[AGE_MAX];

	(void)table;
	if (column->derived == DERIVED_TUNNEL) {
		snprintf(buffer, size, "%" PRIu32, record->entry->tunnel_id);
		return buffer;
	}
	text = record_text(record, column->row, buffer);
	if (!text || (column->row->words == status_reason_words && !strcmp(text, "none")))
		return "";
	if (column->derived != DERIVED_AGE)
		return text;
	if (!age_since(text, age))
		return "";
	snprintf(buffer, size, "%s", age);
	return buffer;
}

void table_entry(struct table *table, const struct record *record)
{
	const struct reading *now = NULL, *before = NULL;
	char buffer[VALUE_TEXT_MAX + AGE_MAX];
	uint64_t rank = 0, rate;

	if (table->rates)
		table_sample(table, record);
	if (table->rates && table->now.count) {
		now = &table->now.items[table->now.count - 1];
		before = table->before.count ? bsearch(now, table->before.items,
						       table->before.count, sizeof(*now), compare)
					     : NULL;
	}
	for (unsigned int i = 0; i < table->grid.count; i++) {
		const struct table_column *column = &table->columns[i];

		if (column->derived != DERIVED_RATE) {
			grid_cell(&table->grid,
				  cell_text(table, column, record, buffer, sizeof(buffer)));
			continue;
		}
		buffer[0] = '\0';
		if (now && rate_of(table, before, now, i, &rate)) {
			rank += table->sorted < 0 || table->sorted == (int)i ? rate : 0;
			print_rate(rate, buffer, sizeof(buffer));
		}
		grid_cell(&table->grid, buffer);
	}
	grid_end_row(&table->grid, rank);
}

void table_print(struct table *table, FILE *file, size_t rows)
{
	grid_print(&table->grid, file, !table->options->brief, table->options->color,
		   grid_terminal_columns(fileno(file)), rows);
}

void table_free(struct table *table)
{
	grid_free(&table->grid);
	free(table->before.items);
	free(table->now.items);
	table->before = table->now = (struct readings){.count = 0};
}
