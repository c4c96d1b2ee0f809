/*
 * What `status` tells: the daemon, how many tunnels and sessions are in which state, and the worst
 * of those that are not up and should be.
 */
#ifndef CLI_OVERVIEW_H
#define CLI_OVERVIEW_H

#include "cli/cli.h"
#include "cli/record.h"

#define OVERVIEW_WORST 8 /* two lines each: the screen has 24 */

/* One that is not up. */
struct trouble {
	enum object object;
	uint32_t tunnel_id, session_id;
	const struct word *status, *reason;
	char since[40], text[VALUE_TEXT_MAX], description[VALUE_TEXT_MAX];
};

struct overview {
	struct tree reply; /* netconf-state */
	const struct node *state, *service;
	struct statistics totals; /* of all tunnels; 0 of a daemon that does not tell */
	uint32_t by_status[OBJECTS][OPER_STATUSES]; /* of all */
	uint32_t count[OBJECTS], foreign[OBJECTS], disabled[OBJECTS];
	uint32_t troubled[OBJECTS]; /* not up and should be; but for sessions that ... */
	uint32_t dependent;         /* only wait for their tunnel */
	bool critical;              /* one of them does more than wait */
	struct trouble worst[OVERVIEW_WORST];
	unsigned int worst_count;
};

/* Ask the daemon. Free it in any case. */
enum cli_status overview_read(struct overview *overview, const struct cli_options *options,
			      struct error *err);
void overview_free(struct overview *overview);

/* A leaf of the service, "" if it is not there. */
const char *overview_leaf(const struct overview *overview, const char *name);

#endif
