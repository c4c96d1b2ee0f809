/* The parts of the daemon, in the order they start; they stop in reverse order. */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include "daemon/options.h"
#include "engine/engine.h"

struct event;
struct event_base;
struct chronicle;
struct netconf_server;
struct agent;

struct daemon {
	const struct options *options;
	struct event_base *base;
	struct event *signals[4], *watch;
	struct kernel *kernel;
	struct datastore *store;
	struct journal *journal;
	struct engine *engine;
	struct chronicle *chronicle;
	struct netconf_server *netconf;
	struct agent *agent;
	bool stopping; /* was told to stop, perhaps before it was ready */
};

struct stage {
	const char *name;
	int (*start)(struct daemon *daemon, struct error *err);
	void (*stop)(struct daemon *daemon);
};

/* A NULL name ends the table. */
extern const struct stage stages[];

/* -n FILE: read it and check it as a commit would; errors go to stderr. Returns the exit status. */
int daemon_check(const char *path);

#endif
