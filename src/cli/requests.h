/* Requests that go together, in one transaction: of a batch, or of what is imported. */
#ifndef CLI_REQUESTS_H
#define CLI_REQUESTS_H

#include "cli/request.h"
#include "cli/cli.h"

struct requests {
	struct request *items;
	size_t count, room;
};

/*
 * Room for one more, which is not counted before the caller does; its contents are undefined. Moves
 * the others. NULL: no memory.
 */
struct request *requests_add(struct requests *requests);
void requests_free(struct requests *requests); /* wipes them: cookies are among them */

/* The latest that makes a session with that interface-name; NULL: none. */
struct request *requests_by_name(const struct requests *requests, const char *name);

/* Send them, as a check, a change for now, or a commit, as the options say. */
enum cli_status requests_commit(const struct requests *requests, const struct cli_options *options,
				struct error *err);

#endif
