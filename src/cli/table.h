/* Tunnels or sessions as a table: which columns, and what a record has in them. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include "cli/cli.h"
#include "cli/grid.h"
#include "cli/record.h"

/* What has no leaf, but is worked out: packets and bits a second, how long it has been so. */
enum derived { DERIVED_NONE, DERIVED_RATE, DERIVED_AGE, DERIVED_TUNNEL };

struct table_column {
	const struct row *row; /* NULL: the tunnel's id, of a session */
	enum derived derived;
	unsigned int factor; /* of a rate: 8 for bits */
};

/* The counters of an object at one time, by row number from the first counter on. */
struct reading {
	uint32_t tunnel_id, session_id;
	uint64_t counters[GRID_COLUMNS];
};

struct readings {
	struct reading *items; /* in order of their ids */
	size_t count, room;
	int64_t time; /* nanoseconds */
};

struct table {
	enum object object;
	const struct cli_options *options;
	struct grid grid;
	struct table_column columns[GRID_COLUMNS];
	char titles[GRID_COLUMNS][32];
	bool rates;
	int sorted; /* the column whose rate is a row's rank; < 0: the sum of all rates */
	struct readings before, now;
	int64_t between; /* nanoseconds from one sample to the other */
};

/* CLI_USAGE: options->columns names one that there is not. table_free() in any case. */
enum cli_status table_begin(struct table *table, enum object object,
			    const struct cli_options *options, struct error *err);
/* The rows that it shows, to ask for. */
uint64_t table_rows(const struct table *table);
/*
 * Rates need two readings. Before each: what was read is now what was before. Of the first, take
 * samples alone.
 */
void table_read_again(struct table *table);
void table_sample(struct table *table, const struct record *record);
/* A row, with the rates since what was before. @record: complete. */
void table_entry(struct table *table, const struct record *record);
/* Fit for @file's terminal; the first @rows rows. */
void table_print(struct table *table, FILE *file, size_t rows);
void table_free(struct table *table);

#endif
