/* Prints the entries of a reply, selected by the request, in the form that the options choose. */
#ifndef CLI_SHOW_H
#define CLI_SHOW_H

#include "cli/document.h"
#include "cli/grammar.h"
#include "cli/prometheus.h"
#include "cli/script.h"
#include "cli/table.h"
#include "cli/text.h"

/* A tunnel held back until one of its sessions matches. */
struct held_tunnel {
	bool held;
	struct client_entry entry;
	const char *text[ROWS_MAX];
	char bytes[ROWS_MAX][VALUE_TEXT_MAX];
};

struct show {
	const struct request *request;
	const struct cli_options *options;
	bool as_text;
	struct prometheus *prometheus; /* NULL, or the form */
	struct text text;
	struct table *tables; /* one per object; NULL: no tables */
	bool sampling;        /* this reading is for the rates only */
	struct document document;
	struct script script;
	bool tunnel_matches; /* the tunnel of the sessions that follow */
	bool tunnel_disabled;
	bool empty;      /* nothing was printed */
	bool by_session; /* there is a condition on sessions */
	struct held_tunnel tunnel;
};

/* @request and @options are borrowed. */
void show_begin(struct show *show, const struct request *request, const struct cli_options *options,
		FILE *file);
/* A client_entry_cb; @arg is the struct show. */
int show_entry(const struct client_entry *entry, void *arg);
void show_end(struct show *show);

/* Ask the daemon for what the request selects, and pass it to show_entry(). */
enum cli_status show_read(struct show *show, bool config_only, struct error *err);

/* What to ask the daemon for: the rows to print, and those with conditions. */
void show_rows(const struct show *show, bool config_only, uint64_t ret[OBJECTS]);

#endif
