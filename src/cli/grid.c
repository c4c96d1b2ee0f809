#include "cli/grid.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#define NARROWEST 8 /* that a column is cut to */
#define GAP       2

void grid_column(struct grid *grid, const struct grid_column *column)
{
	if (grid->count == GRID_COLUMNS)
		return;
	setlocale(LC_CTYPE, "C.UTF-8"); /* what the daemon sends, whatever the user's is */
	grid->columns[grid->count++] = *column;
}

/* One character of @text, and its width; its length in bytes, 0 at the end. */
static size_t next_character(const char *text, unsigned int *ret_width)
{
	mbstate_t state = {0};
	wchar_t character;
	size_t length;
	int width;

	if ((unsigned char)*text < 0x80) {
		*ret_width = *text != '\0';
		return *ret_width;
	}
	length = mbrtowc(&character, text, MB_CUR_MAX, &state);
	*ret_width = 1;
	if (length == (size_t)-1 || length == (size_t)-2)
		return 1;
	width = wcwidth(character);
	*ret_width = width < 0 ? 1 : (unsigned int)width;
	return length;
}

unsigned int grid_width(const char *text)
{
	unsigned int width = 0, one;
	size_t length;

	for (; (length = next_character(text, &one)); text += length)
		width += one;
	return width;
}

static bool make_room(struct grid *grid)
{
	size_t room = grid->room ? 2 * grid->room : 64;
	const char **cells;
	uint64_t *ranks;

	if (grid->rows < grid->room)
		return true;
	cells = reallocarray(grid->cells, room, grid->count * sizeof(*cells));
	if (cells)
		grid->cells = cells;
	ranks = reallocarray(grid->ranks, room, sizeof(*ranks));
	if (ranks)
		grid->ranks = ranks;
	if (!cells || !ranks)
		return false;
	grid->room = room;
	return true;
}

void grid_cell(struct grid *grid, const char *text)
{
	const char *copy = *text ? text : "-";
	size_t length = strlen(copy);
	char *kept;

	if (grid->at == grid->count || !make_room(grid)) {
		grid->broken = true;
		return;
	}
	kept = arena_alloc(&grid->memory, length + 1);
	grid->broken |= !kept;
	if (kept)
		memcpy(kept, copy, length + 1);
	grid->cells[grid->rows * grid->count + grid->at++] = kept ? kept : "";
}

void grid_end_row(struct grid *grid, uint64_t rank)
{
	while (!grid->broken && grid->at < grid->count)
		grid_cell(grid, "");
	grid->at = 0;
	if (!grid->broken)
		grid->ranks[grid->rows++] = rank;
}

struct ranked {
	uint64_t rank;
	size_t row;
};

static int compare(const void *a, const void *b)
{
	const struct ranked *left = a, *right = b;

	if (left->rank != right->rank)
		return left->rank < right->rank ? 1 : -1;
	return left->row < right->row ? -1 : 1;
}

void grid_sort(struct grid *grid)
{
	size_t row_size = grid->count * sizeof(*grid->cells);
	struct ranked *order = calloc(grid->rows + 1, sizeof(*order));
	const char **sorted = calloc(grid->room + 1, row_size);

	for (size_t i = 0; order && i < grid->rows; i++)
		order[i] = (struct ranked){grid->ranks[i], i};
	if (order && sorted) {
		qsort(order, grid->rows, sizeof(*order), compare);
		for (size_t i = 0; i < grid->rows; i++)
			memcpy(&sorted[i * grid->count], &grid->cells[order[i].row * grid->count],
			       row_size);
		free(grid->cells);
		grid->cells = sorted;
		sorted = NULL;
	}
	free(sorted);
	free(order);
}

/* As wide as their widest cell. Returns the sum, with gaps. */
static unsigned int measure(struct grid *grid, bool heading, size_t rows)
{
	unsigned int sum = 0;

	for (unsigned int i = 0; i < grid->count; i++) {
		unsigned int width = heading ? grid_width(grid->columns[i].title) : 0;

		for (size_t row = 0; row < rows; row++) {
			unsigned int own = grid_width(grid->cells[row * grid->count + i]);

			width = own > width ? own : width;
		}
		grid->columns[i].width = width;
		sum += width + (i ? GAP : 0);
	}
	return sum;
}

/* Cut the widest of those that may be cut until all fits, or none is left. */
static void shrink(struct grid *grid, unsigned int sum, unsigned int width)
{
	while (sum > width) {
		struct grid_column *widest = NULL;

		for (unsigned int i = 0; i < grid->count; i++) {
			struct grid_column *column = &grid->columns[i];

			if (column->shrinks && column->width > NARROWEST &&
			    (!widest || column->width > widest->width))
				widest = column;
		}
		if (!widest)
			return;
		widest->width--;
		sum--;
	}
}

const char *grid_color(const char *status)
{
	if (!strcmp(status, "up"))
		return "\033[32m";
	return !strcmp(status, "failed") || !strcmp(status, "down") ? "\033[31m" : "\033[33m";
}

/* Cut it to the column's width, with an ellipsis. */
static void print_cell(FILE *file, const struct grid_column *column, const char *text, bool color,
		       bool last)
{
	unsigned int width = grid_width(text), one, used = 0;
	unsigned int room = width > column->width ? column->width - 1 : column->width;
	unsigned int pad = width < column->width ? column->width - width : 0;
	size_t length;

	if (column->right)
		fprintf(file, "%*s", (int)pad, "");
	if (color && column->status)
		fputs(grid_color(text), file);
	for (; (length = next_character(text, &one)) && used + one <= room; text += length) {
		fwrite(text, 1, length, file);
		used += one;
	}
	if (width > column->width)
		fputs("…", file);
	if (color && column->status)
		fputs(GRID_PLAIN, file);
	if (!column->right && !last)
		fprintf(file, "%*s", (int)pad, "");
}

static void print_row(const struct grid *grid, FILE *file, const char *const *cells, bool color)
{
	for (unsigned int i = 0; i < grid->count; i++) {
		fprintf(file, "%*s", i ? GAP : 0, "");
		print_cell(file, &grid->columns[i], cells[i], color, i + 1 == grid->count);
	}
	putc('\n', file);
}

void grid_print(struct grid *grid, FILE *file, bool heading, bool color, unsigned int width,
		size_t rows)
{
	const char *titles[GRID_COLUMNS];
	unsigned int sum;

	if (rows > grid->rows)
		rows = grid->rows;
	sum = measure(grid, heading, rows);
	if (width)
		shrink(grid, sum, width);
	for (unsigned int i = 0; i < grid->count; i++)
		titles[i] = grid->columns[i].title;
	if (heading)
		print_row(grid, file, titles, false);
	for (size_t row = 0; row < rows; row++)
		print_row(grid, file, &grid->cells[row * grid->count], color);
}

void grid_clear(struct grid *grid)
{
	arena_free(&grid->memory);
	grid->rows = grid->at = 0;
}

void grid_free(struct grid *grid)
{
	grid_clear(grid);
	free(grid->cells);
	free(grid->ranks);
	*grid = (struct grid){.count = 0};
}

static unsigned int from_environment(const char *name)
{
	const char *text = getenv(name);
	unsigned long number = text ? strtoul(text, NULL, 10) : 0;

	return number < 65536 ? (unsigned int)number : 0;
}

static struct winsize ask_terminal(int fd)
{
	struct winsize size = {0};

	if (!isatty(fd) || ioctl(fd, TIOCGWINSZ, &size))
		return (struct winsize){0};
	return size;
}

unsigned int grid_terminal_columns(int fd)
{
	unsigned int columns = from_environment("COLUMNS");

	return columns ? columns : ask_terminal(fd).ws_col;
}

unsigned int grid_terminal_lines(int fd)
{
	unsigned int lines = from_environment("LINES");

	return lines ? lines : ask_terminal(fd).ws_row;
}
