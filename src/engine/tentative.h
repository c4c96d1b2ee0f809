/*
 * The confirmed commit (RFC 6241 section 8.4): running is tentative, to be undone unless it
 * is confirmed in time. Whether it is, the journal knows too, so that a restart undoes it.
 * May call the context and requests.
 */
#ifndef ENGINE_TENTATIVE_H
#define ENGINE_TENTATIVE_H

#include "engine/requests.h"

/* At the start: what was tentative is to be undone, before a door opens. */
void tentative_open(struct engine *engine);
void tentative_close(struct engine *engine);

/* May that session, or another door (0), write to running? ERROR_LOCKED. */
int tentative_check_write(const struct engine *engine, unsigned int session, struct error *err);
/* May this commit of what is staged, or this undoing that somebody asked for, be done? */
int tentative_check_commit(const struct engine *engine, const struct request *request,
			   struct error *err);
/* The commit to go back to; false: there is nothing to undo. */
bool tentative_to_undo(const struct engine *engine, const struct request *request,
		       uint64_t *ret_baseline);

/* Into its info goes what its record has to say. */
void tentative_fill(const struct engine *engine, struct request *request);
/* It ends the tentative state, so that it needs a record though it changes nothing. */
bool tentative_is_ended_by(const struct engine *engine, const struct request *request);
/* What became of a request. */
void tentative_finish(struct engine *engine, struct request *request, int rc);
void tentative_end_session(struct engine *engine, unsigned int session);

/* When it is to be undone: then ask for it. */
int64_t tentative_due(const struct engine *engine);
void tentative_undo(struct engine *engine);

#endif
