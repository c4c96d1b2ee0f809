/*
 * Texts in aligned columns, as wide as the widest, or as fits the terminal. Texts are UTF-8, and
 * are measured in the columns that a terminal gives them.
 */
#ifndef CLI_GRID_H
#define CLI_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"

#define GRID_COLUMNS 32

struct grid_column {
	const char *title;
	bool right;   /* aligned: numbers */
	bool shrinks; /* may be cut where the terminal is too narrow */
	bool status;  /* an oper-status, to be coloured */
	unsigned int width;
};

struct grid {
	struct grid_column columns[GRID_COLUMNS];
	unsigned int count;
	const char **cells; /* row by row */
	uint64_t *ranks;    /* of each row */
	size_t rows, room;
	unsigned int at; /* the next cell of the row under way */
	struct arena memory;
	bool broken; /* memory ran out: some of it is missing */
};

/* Zero it first; then the columns, then cells row by row. @text is copied; "" is shown as "-". */
void grid_column(struct grid *grid, const struct grid_column *column);
void grid_cell(struct grid *grid, const char *text);
/* End the row; grid_sort() puts the highest ranks first, and equal ones as they came. */
void grid_end_row(struct grid *grid, uint64_t rank);
void grid_sort(struct grid *grid);

/*
 * Print a heading, if asked for, and the first @rows rows, in @width columns (0: as wide as it
 * takes). @color: oper-status in colours.
 */
void grid_print(struct grid *grid, FILE *file, bool heading, bool color, unsigned int width,
		size_t rows);
void grid_clear(struct grid *grid); /* the rows; the columns stay */
void grid_free(struct grid *grid);

/* The columns that a terminal gives @text. */
unsigned int grid_width(const char *text);

/* What a terminal shows the text of an oper-status in, and what ends that. */
const char *grid_color(const char *status);
#define GRID_PLAIN "\033[0m"

/* The terminal on @fd: from COLUMNS and LINES, or the terminal itself; 0: it is none. */
unsigned int grid_terminal_columns(int fd);
unsigned int grid_terminal_lines(int fd);

#endif
