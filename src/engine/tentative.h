/*
 * The confirmed commit (RFC 6241 section 8.4): while one is pending running is tentative, and is
 * undone unless the commit is confirmed in time. The journal records this too, so that a restart
 * undoes it. May call the context and requests; called by
 * changes, lock, the transaction and the turn.
 */
#ifndef ENGINE_TENTATIVE_H
#define ENGINE_TENTATIVE_H

#include "engine/requests.h"

/* At the start: undo what was tentative, before a door opens. */
void tentative_open(struct engine *engine);
void tentative_close(struct engine *engine);

/* May that session, or another door (0), write to running? ERROR_LOCKED. */
int tentative_check_write(const struct engine *engine, unsigned int session, struct error *err);
/* May this commit of the candidate, or this cancel-commit, proceed? */
int tentative_check_commit(const struct engine *engine, const struct request *request,
			   struct error *err);
/* The commit to go back to; false: there is nothing to undo. */
bool tentative_to_undo(const struct engine *engine, const struct request *request,
		       uint64_t *ret_baseline);

/* Fill the request's info with what its record must say. */
void tentative_fill(const struct engine *engine, struct request *request);
/* Does it end the tentative state? Then it needs a record even if it changes nothing. */
bool tentative_is_ended_by(const struct engine *engine, const struct request *request);
/* The request has ended with @rc. */
void tentative_finish(struct engine *engine, struct request *request, int rc);
void tentative_end_session(struct engine *engine, unsigned int session);

/* When to undo it; queue that. */
int64_t tentative_due(const struct engine *engine);
void tentative_undo(struct engine *engine);

#endif
