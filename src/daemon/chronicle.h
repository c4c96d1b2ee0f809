/*
 * Logs what the engine does, for the operator: a line for each commit, and objects that go down and
 * up again, one by one or summed up (tally.h).
 */
#ifndef DAEMON_CHRONICLE_H
#define DAEMON_CHRONICLE_H

#include "engine/engine.h"

struct chronicle;

/* Begin with objects that are already not up. Borrows @base and @engine. */
int chronicle_open(struct chronicle **ret, struct event_base *base, struct engine *engine,
		   struct error *err);
/* Log what is still held back, and free. Accepts NULL. */
void chronicle_close(struct chronicle *chronicle);

/* "commit 12 by alice (netconf): session 7/1 changed (mtu, bridge)". */
#define COMMIT_LINE 768
void chronicle_commit(const struct commit_info *info, const struct candidate *changes,
		      char ret[COMMIT_LINE]);
/* "commit 12 by alice (netconf): 1,200 of 5,000 objects done, 100 a second, about 38 s left". */
void chronicle_progress(const struct commit_info *info, const struct engine_progress *progress,
			char ret[COMMIT_LINE]);

#endif
