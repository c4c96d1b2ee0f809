/*
 * Entries in the text format of Prometheus (version 0.0.4), which node_exporter's textfile
 * collector takes; it does not take OpenMetrics. For each object one series that names it, `info`,
 * with the value 1 and what people look for as labels; one for each counter of the mapping table;
 * and oper-status as a number, that of the MIB. Names are those of the leaves.
 *
 * The format wants all samples of a name together, while entries come one by one. So `info` is
 * written as they come, and of the rest the numbers are kept until the last has come: some 190
 * octets a session.
 */
#ifndef CLI_PROMETHEUS_H
#define CLI_PROMETHEUS_H

#include "cli/record.h"

struct prometheus {
	FILE *file; /* borrowed */
	enum object object;
	bool begun;
	unsigned int families[ROWS_MAX], count; /* rows by number: a name each, besides info */
	FILE *labels, *values;                  /* of what has come, in memory */
	char *label_text;
	uint64_t *numbers;
	size_t label_size, number_size;
};

/* The rows that this form shows. */
uint64_t prometheus_rows(enum object object);

/*
 * One kind of object: begin, its entries, end. Writes nothing before the first entry or the end.
 * False: out of memory; then, too, prometheus_free().
 */
bool prometheus_begin(struct prometheus *prometheus, enum object object, FILE *file);
void prometheus_entry(struct prometheus *prometheus, const struct record *record);
bool prometheus_end(struct prometheus *prometheus);
void prometheus_free(struct prometheus *prometheus);

/* After all objects: a comment in this format, by which a reader can tell that nothing is missing.
 */
#define PROMETHEUS_END "# EOF\n"

#endif
