/*
 * A candidate follows what others have committed to running: a three-way
 * merge by leaf of what the entry was, what this candidate made of it, and
 * what running has now.
 */
#include <errno.h>

#include "model/codec.h"
#include "store/overlay.h"

struct rebase {
	struct cursor cursor;
	struct candidate *candidate;
	struct change *at;   /* NULL: at the end */
	bool followed;       /* `at` has followed; now delete sessions that others put into a tunnel
				deleted here */
	uint32_t session_id; /* the next of those */
	struct error *err;
};

union config change_over(const struct change *change, const union config *theirs)
{
	static const union config nothing;
	enum object object = change_object(change);
	uint64_t mine =
		codec_difference(object, change->before ? change->before : &nothing, change->after);
	union config merged = *theirs;

	for (; mine != 0; mine &= mine - 1)
		codec_copy(&row_sets[object].rows[__builtin_ctzll(mine)], &merged, change->after);
	return merged;
}

static int follow(const struct candidate *candidate, struct change *change)
{
	const union config *theirs =
		running_config(candidate->running, change->tunnel_id, change->session_id);
	union config merged;

	if (theirs == change->before)
		return 0;
	if (theirs && change->after) {
		merged = change_over(change, theirs);
		if (change_set(change, &merged) != 0)
			return -ENOMEM;
	}
	config_drop(change->before);
	change->before = config_share(theirs);
	return 0;
}

/* Delete one of the sessions; 0: none is left. */
static int delete_session(struct rebase *rebase)
{
	struct candidate *candidate = rebase->candidate;
	uint32_t tunnel_id = rebase->at->tunnel_id;
	const struct tunnel_entry *tunnel = datastore_tunnel(candidate->running, tunnel_id);
	const struct session_entry *session =
		tunnel ? tunnel_session_from(tunnel, rebase->session_id) : NULL;
	uint32_t id;

	if (!session)
		return 0;
	id = session->entry.key.session_id;
	if (session_config(session) && !overlay_find(candidate, tunnel_id, id) &&
	    candidate_put(candidate, tunnel_id, id, NULL) != 0)
		return -ENOMEM;
	rebase->session_id = id + 1;
	return id < ID_MAX;
}

static int rebase_next(struct rebase *rebase)
{
	struct change *at = rebase->at;
	int rc = 0;

	if (!at) {
		if (rebase->candidate->acm)
			candidate_put_acm(rebase->candidate, rebase->candidate->acm);
		return 0;
	}
	if (!rebase->followed)
		rc = follow(rebase->candidate, at);
	rebase->followed = rc == 0;
	if (rc == 0 && at->session_id == 0 && at->before && !at->after)
		rc = delete_session(rebase);
	if (rc != 0)
		return rc;
	rebase->at = change_next(at);
	rebase->followed = false;
	rebase->session_id = 0;
	if (change_is_nothing(at))
		overlay_remove(rebase->candidate, at);
	return 1;
}

static int rebase_forth(struct cursor *cursor)
{
	struct rebase *rebase = (struct rebase *)cursor;
	int rc = rebase_next(rebase);

	return rc < 0 ? overlay_no_memory(rebase->err) : rc;
}

struct cursor *candidate_rebase_begin(struct candidate *candidate, struct error *err)
{
	static const struct cursor_kind kind = {.forth = rebase_forth};
	struct rebase *rebase = cursor_new(&kind, sizeof(*rebase));

	if (!rebase) {
		overlay_no_memory(err);
		return NULL;
	}
	rebase->candidate = candidate;
	rebase->at = candidate_first(candidate);
	rebase->err = err;
	return &rebase->cursor;
}

int candidate_rebase(struct candidate *candidate, struct error *err)
{
	return cursor_run(candidate_rebase_begin(candidate, err));
}
