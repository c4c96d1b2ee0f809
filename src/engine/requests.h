/*
 * The queue of requests from doors (engine.h has the calls). May call only the context; called by
 * the turn, and by the transaction for its own.
 */
#ifndef ENGINE_REQUESTS_H
#define ENGINE_REQUESTS_H

#include "engine/context.h"

enum request_type {
	REQUEST_EDIT,
	REQUEST_CHECK, /* an edit that is only checked, or first */
	REQUEST_COMMIT,
	REQUEST_DISCARD, /* discard-changes */
	REQUEST_UNDO,    /* a confirmed commit: cancelled, or not confirmed */
	REQUEST_SETTLE,  /* tell when no edit of the candidate is under way */
	REQUEST_ADOPT,
	REQUEST_ROLLBACK,
	REQUEST_RESYNC,
	REQUEST_LOCK,
	REQUEST_NAMES /* choose interface names that config.xml left out */
};

struct request {
	TAILQ_ENTRY(request) link;
	unsigned int ticket;
	enum request_type type;
	struct edit *edit;
	struct candidate candidate;
	struct engine_checked checked; /* the edit's; or nothing */
	uint64_t number; /* tunnel to adopt, commit to roll back to, serial to undo (0: any) */
	struct request_confirm {
		bool confirmed, copies;
		uint32_t timeout;           /* seconds */
		char *persist, *persist_id; /* NULL: not given */
	} confirm;                          /* of a commit of what is staged, or of its undoing */
	struct engine_partial *partial;     /* to lock, or NULL */
	enum engine_datastore which;        /* to lock, edit, check; whose content to commit */
	struct commit_info info;
	unsigned int session;
	bool then_edit; /* once checked, it becomes a REQUEST_EDIT */
	bool tests;     /* changes nothing, whatever comes of it: locks do not matter */
	const struct policy *policy;
	bool forgotten; /* the client is gone: abort it unless decided */
	engine_done_cb *done;
	void *arg;
};

/* NULL: no memory. @who NULL: the daemon itself */
struct request *request_new(struct engine *engine, enum request_type type,
			    const struct engine_who *who, engine_done_cb *done, void *arg);
void request_free(struct request *request);
/* Queue a request to choose missing interface names. */
bool request_names(struct engine *engine); /* false: no memory */
/*
 * Undo that confirmed commit, before all that waits: what was asked for since may count on it.
 * @done has the engine. False: no memory.
 */
bool request_undo(struct engine *engine, uint64_t serial, engine_done_cb *done);
/* Call the client's callback, once. */
void request_tell(struct engine *engine, struct request *request, int rc, const struct error *err);
/* The same, and free the request. */
void request_finish(struct engine *engine, struct request *request, int rc,
		    const struct error *err);

#endif
