/*
 * Plans the kernel work that leads from one configuration to another, given what the kernel has: a
 * job of items. May call desired and compare; changes only the job. Called by the transaction,
 * which owns the job.
 */
#ifndef ENGINE_PLAN_H
#define ENGINE_PLAN_H

#include "base/cursor.h"
#include "engine/context.h"

enum action {
	ACTION_DELETE = 1 << 0,
	ACTION_CASCADE = 1 << 1, /* is deleted with its tunnel */
	ACTION_CREATE = 1 << 2,
	ACTION_MODIFY = 1 << 3,
	ACTION_LINK = 1 << 4
};

struct item {
	struct key key;
	uint8_t todo, done; /* enum action */
	uint8_t tried;      /* ... failed, or lost its answer: may have been done */
	uint8_t reason;     /* enum status_reason if it must wait or has failed; else 0 */
	int16_t os_errno;   /* positive */
	uint8_t lost;       /* how many answers or masters were lost */
	bool restores;      /* puts saved settings (saved.h) back on its links ... */
	bool lowered;       /* ... and keeps its interface down until then */
	union {
		uint32_t kernel_mtu;  /* of the interface it created, before ours is set */
		struct address local; /* of the tunnel it created */
	};
};

enum phase {
	PHASE_DELETE_SESSIONS,
	PHASE_DELETE_TUNNELS,
	PHASE_CREATE_TUNNELS,
	PHASE_CREATE_SESSIONS,
	PHASE_MODIFY,
	PHASE_LINK,
	PHASE_END
};

struct batch; /* batch.h */

struct job {
	const struct candidate *from, *to; /* the configuration before and after */
	struct item *items;                /* ordered by key */
	size_t count, capacity;
	enum phase phase;
	size_t cursor;
	bool strict; /* a refusal ends the job, as in a transaction */
	bool dry;    /* only a check: it is never carried out */
	bool undoing;
	bool began;            /* some of it is done: our interfaces come and go */
	int64_t blocked_since; /* since when something being removed blocks it; 0: not blocked */
	struct error error;
	struct batch *batch; /* borrowed */
};

void job_open(struct job *job, const struct candidate *from, const struct candidate *to,
	      bool strict, struct batch *batch);
void job_close(struct job *job); /* frees the items; may be opened again */
struct item *job_item(const struct job *job, const struct key *key); /* NULL: none */

/* The targets of a plan, in order: changes of a candidate, or sorted keys. */
struct targets {
	struct change *change;   /* the next */
	const struct keys *keys; /* NULL: changes */
	size_t at;
};

struct targets targets_of_changes(const struct candidate *changes);
struct targets targets_of_keys(const struct keys *keys);
bool targets_next(const struct targets *targets, struct key *ret); /* false: at the end */
void targets_pass(struct targets *targets);

/*
 * Make items for the targets, and for the sessions of tunnels that are created or deleted.
 * ERROR_RESOURCE; ERROR_FOREIGN when a tunnel to delete holds sessions that are not ours. After an
 * error the job keeps the items made so far.
 */
struct cursor *plan_begin(struct engine *engine, struct job *job, struct targets targets,
			  struct error *err);
/* Would the plan be refused? ERROR_FOREIGN as above. */
int plan_check(struct engine *engine, const struct candidate *changes, struct error *err);
/*
 * Reverse the job: undo what was done, or may have been. NULL: no memory; then it is done already.
 */
struct cursor *plan_undo_begin(struct job *job);

#endif
