#include "engine/partial.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model/codec.h"
#include "store/overlay.h"
#include "store/policy.h"

struct engine_partial *engine_partial_new(size_t count, const char *selects, size_t length)
{
	struct engine_partial *partial =
		calloc(1, sizeof(*partial) + count * sizeof(struct engine_part) + length);

	if (!partial)
		return NULL;
	partial->count = count;
	partial->selects = (char *)&partial->parts[count];
	memcpy(&partial->parts[count], selects, length);
	return partial;
}

const struct engine_partial *engine_partials(const struct engine *engine)
{
	return engine->partials;
}

const struct engine_partial *partial_of_others(const struct engine *engine, unsigned int session)
{
	const struct engine_partial *at = engine->partials;

	while (at && at->session == session)
		at = at->next;
	return at;
}

static int refuse(const struct engine_partial *holder, const char *cure, struct error *err)
{
	return error_set(err, ERROR_LOCKED,
			 "NETCONF session %u has locked this part of running (partial lock %u); "
			 "%s",
			 holder->session, holder->id, cure);
}

/* ---- what changes touch */

static int compare(const void *left, const void *right)
{
	const struct engine_part *a = left, *b = right;

	return entry_order(a->tunnel_id, a->session_id, b->tunnel_id, b->session_id);
}

/* Does the lock cover any of @leaves of the entry by this part? */
static bool has_part(const struct engine_partial *lock, uint32_t tunnel_id, uint32_t session_id,
		     uint64_t leaves)
{
	const struct engine_part key = {.tunnel_id = tunnel_id, .session_id = session_id};
	const struct engine_part *found =
		bsearch(&key, lock->parts, lock->count, sizeof(key), compare);

	return found && (!found->leaves || found->leaves & leaves);
}

int partial_check(const struct engine *engine, unsigned int session, const struct change *change,
		  struct error *err)
{
	static const union config nothing;
	uint64_t changed =
		codec_difference(change_object(change), change->before ? change->before : &nothing,
				 change->after ? change->after : &nothing);
	const struct engine_partial *at = engine->partials;

	for (; at; at = at->next)
		if (at->session != session &&
		    (has_part(at, 0, 0, 0) ||
		     has_part(at, change->tunnel_id, change->session_id, changed) ||
		     has_part(at, change->tunnel_id, 0, change->session_id ? 0 : changed)))
			break;
	if (!at)
		return 0;
	error_at_entry(err, change->tunnel_id, change->session_id, NULL);
	refuse(at, "wait for it, or end it with kill-session (l2tpv3ctl kill)", err);
	if (err)
		err->app_tag = "locked"; /* RFC 5717 section 2.5 */
	return -EBUSY;
}

/* ---- taking one */

static bool overlap(const struct engine_part *a, const struct engine_part *b)
{
	if (!a->tunnel_id || !b->tunnel_id)
		return true;
	if (a->tunnel_id != b->tunnel_id)
		return false;
	if (a->session_id == b->session_id)
		return !a->leaves || !b->leaves || (a->leaves & b->leaves);
	return (!a->session_id && !a->leaves) || (!b->session_id && !b->leaves);
}

static const struct engine_partial *holder_of(const struct engine *engine,
					      const struct engine_partial *wanted)
{
	const struct engine_partial *at = engine->partials;

	for (; at; at = at->next)
		for (size_t i = 0; at->session != wanted->session && i < at->count; i++)
			for (size_t j = 0; j < wanted->count; j++)
				if (overlap(&at->parts[i], &wanted->parts[j]))
					return at;
	return NULL;
}

/* Reduce a part to what running has and the user may see; false: nothing. */
static bool reduce(const struct engine *engine, const struct policy *policy,
		   struct engine_part *part)
{
	uint64_t seen = policy_rows(policy, RIGHT_READ, part->tunnel_id, part->session_id);
	const union config *config;

	if (!part->tunnel_id)
		return datastore_tunnel_from(engine->store, 1);
	config = running_config(engine->store, part->tunnel_id, part->session_id);
	if (!config || !(seen & ROW_SELF))
		return false;
	if (!part->leaves)
		return true;
	part->leaves &= config->present & seen;
	return part->leaves;
}

/* Drop what does not exist, sort, and merge parts of the same entry. */
static void tidy(const struct engine *engine, const struct policy *policy,
		 struct engine_partial *partial)
{
	size_t count = 0, kept = 0;

	for (size_t i = 0; i < partial->count; i++)
		if (reduce(engine, policy, &partial->parts[i]))
			partial->parts[count++] = partial->parts[i];
	qsort(partial->parts, count, sizeof(partial->parts[0]), compare);
	for (size_t i = 0; i < count; i++) {
		struct engine_part *last = kept ? &partial->parts[kept - 1] : NULL;

		if (!last || compare(last, &partial->parts[i]) != 0)
			partial->parts[kept++] = partial->parts[i];
		else if (!last->leaves || !partial->parts[i].leaves)
			last->leaves = 0;
		else
			last->leaves |= partial->parts[i].leaves;
	}
	partial->count = kept;
}

static int deny(unsigned int session, const char *text, struct error *err)
{
	int rc = error_set(err, ERROR_LOCK_DENIED,
			   "session %u holds %s; wait, or end it with "
			   "kill-session",
			   session, text);

	if (err)
		err->session = session;
	return rc;
}

static bool is_full(const struct engine *engine, const struct engine_partial *wanted)
{
	size_t count = wanted->count;

	for (const struct engine_partial *at = engine->partials; at; at = at->next)
		count += at->count;
	return count > ENGINE_PARTS_MAX;
}

int partial_take(struct engine *engine, struct request *request, struct error *err)
{
	struct engine_partial *partial = request->partial;
	const struct engine_partial *holder;
	unsigned int locked_by = engine->locks[ENGINE_RUNNING].session;

	partial->id = request->ticket;
	partial->session = request->session;
	clock_gettime(CLOCK_REALTIME, &partial->since);
	tidy(engine, request->policy, partial);
	if (locked_by && locked_by != request->session)
		return deny(locked_by, "the lock of all of running", err);
	if (engine->tentative.pending) {
		error_set(err, ERROR_LOCKED,
			  "a confirmed commit is pending; wait until it is confirmed or cancelled");
		if (err)
			err->app_tag = "outstanding-confirmed-commit";
		return -EBUSY;
	}
	if (!partial->count) {
		error_set(err, ERROR_NO_MATCHES,
			  "running has nothing that any select names; see get-config");
		return -ENOENT;
	}
	holder = holder_of(engine, partial);
	if (holder)
		return deny(holder->session, "a partial lock of some of it", err);
	if (is_full(engine, partial))
		return error_set(err, ERROR_RESOURCE,
				 "at most %u nodes can be locked by themselves; lock what contains "
				 "them",
				 ENGINE_PARTS_MAX);
	partial->next = engine->partials;
	engine->partials = partial;
	request->partial = NULL;
	return 0;
}

/* ---- releasing */

int engine_unlock_parts(struct engine *engine, unsigned int id, unsigned int session,
			struct error *err)
{
	struct engine_partial **at = &engine->partials, *found;

	while (*at && ((*at)->id != id || (*at)->session != session))
		at = &(*at)->next;
	found = *at;
	if (!found)
		return error_set(err, ERROR_INVALID_VALUE,
				 "this session has no partial lock %u; /netconf-state/datastores "
				 "lists the locks",
				 id);
	*at = found->next;
	free(found);
	return 0;
}

void partial_end_session(struct engine *engine, unsigned int session)
{
	struct engine_partial **at = &engine->partials, *found;

	while ((found = *at) != NULL) {
		if (found->session != session) {
			at = &found->next;
			continue;
		}
		*at = found->next;
		free(found);
	}
}

void partial_close(struct engine *engine)
{
	while (engine->partials)
		partial_end_session(engine, engine->partials->session);
}
