/* Tables of l2tpv3ctl: widths, rates, order. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/age.h"
#include "cli/table.h"

static void what_a_terminal_shows_is_measured(void **state)
{
	(void)state;
	setlocale(LC_CTYPE, "C.UTF-8");
	assert_int_equal(grid_width("plain"), 5);
	assert_int_equal(grid_width("Müller"), 6);
	assert_int_equal(grid_width("日本"), 4);
	assert_int_equal(grid_width("e\xcc\x81"), 1); /* a combining accent */
	assert_int_equal(grid_width("\xff\xff"), 2);  /* no UTF-8 */
}

static void assert_printed(struct grid *grid, unsigned int width, size_t rows, const char *expected)
{
	char text[512] = "";
	FILE *file = fmemopen(text, sizeof(text), "w");

	grid_print(grid, file, true, false, width, rows);
	fclose(file);
	assert_string_equal(text, expected);
}

static void rows_are_sorted_and_cut(void **state)
{
	struct grid grid = {0};

	(void)state;
	grid_column(&grid, &(struct grid_column){.title = "ID", .right = true});
	grid_column(&grid, &(struct grid_column){.title = "TEXT", .shrinks = true});
	for (unsigned int i = 1; i <= 300; i++) {
		char id[8];

		snprintf(id, sizeof(id), "%u", i);
		grid_cell(&grid, id);
		grid_cell(&grid, i == 7 ? "日本語日本語日本語" : "");
		grid_end_row(&grid, i == 7 ? 2 : i > 200);
	}
	grid_sort(&grid);
	assert_printed(&grid, 0, 3, " ID  TEXT\n  7  日本語日本語日本語\n201  -\n202  -\n");
	assert_printed(&grid, 15, 1, "ID  TEXT\n 7  日本語日本…\n");
	assert_printed(&grid, 1, 1, "ID  TEXT\n 7  日本語…\n"); /* no narrower */
	grid_free(&grid);
}

/* A session with these counters. */
static void read_session(struct table *table, uint32_t id, const char *rx_bytes, bool sample)
{
	const char *text[ROWS_MAX] = {NULL};
	const struct client_entry entry = {OBJECT_SESSION, 1, id, text};
	struct record record;
	char key[12];

	snprintf(key, sizeof(key), "%u", id);
	text[SESSION_ID] = key;
	text[SESSION_PEER_SESSION_ID] = "1";
	text[row_number(row_by_leaf(OBJECT_SESSION, "rx-bytes", 8))] = rx_bytes;
	record_read(&entry, true, &record);
	(sample ? table_sample : table_entry)(table, &record);
}

static void a_rate_is_what_a_counter_grew_by_in_a_second(void **state)
{
	const struct cli_options options = {.columns = "session-id,rx-rate"};
	struct table table;
	char text[512] = "";
	FILE *file = fmemopen(text, sizeof(text), "w");

	(void)state;
	assert_int_equal(table_begin(&table, OBJECT_SESSION, &options, NULL), CLI_OK);
	assert_true(table.rates);
	assert_true(table_rows(&table) &
		    BIT(row_number(row_by_leaf(OBJECT_SESSION, "rx-bytes", 8))));
	table_read_again(&table);
	read_session(&table, 1, "1000", true);
	read_session(&table, 2, "1000", true);
	read_session(&table, 3, "1000", true);
	table_read_again(&table);
	table.between = 2 * NS_PER_S;
	read_session(&table, 1, "1250", false);    /* 125 octets a second */
	read_session(&table, 2, "3001000", false); /* 12 Mbit/s */
	read_session(&table, 3, "999", false);     /* made anew */
	read_session(&table, 4, "1250", false);    /* new */
	grid_sort(&table.grid);
	unsetenv("COLUMNS");
	grid_print(&table.grid, file, true, false, 0, SIZE_MAX);
	fclose(file);
	assert_string_equal(text, "SESSION  RX-BIT/S\n"
				  "      2     12.0M\n"
				  "      1     1.00k\n"
				  "      3         -\n"
				  "      4         -\n");
	table_free(&table);
}

static void an_age_has_two_units(void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} cases[] = {
		{0, "0 s"},       {59, "59 s"},       {60, "1 min"},
		{3599, "59 min"}, {3600, "1 h"},      {3660, "1 h 1 min"},
		{86400, "1 d"},   {90000, "1 d 1 h"}, {8640000, "100 d"},
	};
	char age[AGE_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		age_of_seconds(cases[i].seconds, age);
		assert_string_equal(age, cases[i].text);
	}
	assert_false(age_since("", age));
	assert_true(age_since("2020-01-01T00:00:00.5+00:00", age));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_terminal_shows_is_measured),
		cmocka_unit_test(rows_are_sorted_and_cut),
		cmocka_unit_test(a_rate_is_what_a_counter_grew_by_in_a_second),
		cmocka_unit_test(an_age_has_two_units),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
