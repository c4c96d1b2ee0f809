/*
 * Shows on a terminal how far a change is, and says what became of it when the user interrupts
 * (Ctrl-C).
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/cli.h"
#include "client/client.h"

struct progress {
	const struct cli_options *options;
	struct client *client;  /* that waits */
	struct client *watcher; /* a second session, which asks how far it is; NULL: none */
	unsigned int session;   /* the first one's id */
	bool terminal;          /* show it */
	bool decides;           /* the request under way changes running */
	/* Where the present stage began, to tell its rate. */
	char stage[16];
	unsigned long done;
	int64_t since;
};

/*
 * From now on, requests of @client show how far they are if standard error is a terminal, and end
 * when the user interrupts. Borrows both.
 */
void progress_begin(struct progress *progress, const struct cli_options *options,
		    struct client *client);
/*
 * After the last request, which returned @rc: clean the line up and, if the user has interrupted,
 * end its session and say in @err what became of the change. Returns @rc.
 */
int progress_end(struct progress *progress, int rc, struct error *err);

#endif
