/*
 * A walk over what a get or get-config shows, in small steps between which the
 * datastore may change: only ids are kept. A get shows each entry as it is when
 * reached. A get-config shows the configuration as it was when asked: what
 * commits change meanwhile is kept aside (store/past.h), by what they touch; of the
 * candidate too, which is read where running has it, and not copied (store/staged.h).
 */
#ifndef NETCONF_WALK_H
#define NETCONF_WALK_H

#include "engine/engine.h"
#include "netconf/filter.h"
#include "netconf/writer.h"

struct walk;

struct walk_options {
	struct engine *engine; /* counters are refreshed through it; NULL: they are not */
	const struct datastore *store;
	const struct node *filter; /* <filter>, NULL all; not needed once prepared */
	bool config;               /* get-config ... */
	bool candidate;            /* ... of the candidate, which is settled, and not of running */
	bool secrets;              /* secret leaves are shown */
	bool lines;                /* for our own shell: see lines.h */
};

int walk_open(struct walk **ret, const struct walk_options *options, struct error *err);
void walk_close(struct walk *walk); /* Accepts NULL. */

/* Before the first step: compile some of the filter. > 0: there is more; < 0: it is refused. */
int walk_prepare(struct walk *walk, struct error *err);
size_t walk_memory(const struct walk *walk); /* bytes of the filter */

/* Looks at one entry and writes what is selected of it; false when all is written. */
bool walk_step(struct walk *walk, struct writer *writer);

/* There was no memory to keep what commits changed meanwhile: the walk cannot go on. */
bool walk_broken(const struct walk *walk);

#endif
