/*
 * A walk over what a get or get-config shows, in small steps between which the datastore may
 * change: it keeps only ids. A get shows each entry as it is when the walk reaches it. A
 * get-config shows the configuration as it was when asked for: what commits change meanwhile is
 * kept aside (store/past.h). The candidate is read where it is, over that (store/staged.h).
 */
#ifndef NETCONF_WALK_H
#define NETCONF_WALK_H

#include "engine/engine.h"
#include "netconf/defaults.h"
#include "netconf/filter.h"
#include "netconf/writer.h"

struct walk;

struct walk_options {
	struct engine *engine; /* refreshes counters; NULL: leave them as they are */
	const struct datastore *store;
	const struct node *filter;   /* <filter>; NULL: everything; not needed once prepared */
	bool exact;                  /* ... which selects as an XPath does (filter.h) */
	bool config;                 /* get-config ... */
	bool candidate;              /* ... of the candidate, which is settled, not of running */
	const struct policy *policy; /* what to show; shared; NULL: all */
	enum defaults defaults;      /* which leaves to show that have their default */
	bool in_use;                 /* what is in use, not what is configured (nmda.h) ... */
	bool with_origin;            /* ... with its origin ... */
	unsigned int omit_origins;   /* ... but not of these (bits of enum view_origin) */
	bool no_config, no_state;    /* only state; only configuration */
	unsigned int max_depth;      /* levels of what the filter selects; 0: all */
	bool lines;                  /* for our own shell: see lines.h */
};

int walk_open(struct walk **ret, const struct walk_options *options, struct error *err);
void walk_close(struct walk *walk); /* Accepts NULL. */

/* Before the first step: compile some of the filter. > 0: there is more; < 0: refused. */
int walk_prepare(struct walk *walk, struct error *err);
size_t walk_memory(const struct walk *walk); /* bytes of the filter */

/* Look at one entry and write what is selected of it; false when everything is written. */
bool walk_step(struct walk *walk, struct writer *writer);

/* Leave the counters as they are from now on: in a process that must not ask for them. */
void walk_detach(struct walk *walk);

/* Memory ran out for what commits changed meanwhile: the walk cannot go on. */
bool walk_broken(const struct walk *walk);

#endif
