/*
 * Validates a candidate: the touched entries by the model's rules, then what they claim for
 * themselves in the whole namespace.
 */
#include <inttypes.h>

#include "model/rules.h"
#include "store/overlay.h"
#include "store/unique.h"

struct validation {
	struct cursor cursor;
	const struct candidate *candidate;
	struct change *at;   /* the next to check by the rules; NULL: all are checked */
	uint32_t session_id; /* in a tunnel that is deleted: the next to look for */
	struct unique unique;
	struct error error; /* what was found last */
	struct error *err;  /* of begin */
	int refused;        /* the outcome; 0: nothing was found so far */
};

static int refuse_orphan(const struct change *change, struct error *err)
{
	error_at_entry(err, change->tunnel_id, change->session_id, NULL);
	return error_set(err, ERROR_MISSING,
			 "its tunnel %" PRIu32
			 " is not configured; create that too, or delete the session",
			 change->tunnel_id);
}

static int refuse_foreign_tunnel(const struct change *change, struct error *err)
{
	error_at_entry(err, change->tunnel_id, change->session_id, NULL);
	return error_set(err, ERROR_FOREIGN,
			 "tunnel %" PRIu32 " was made in the kernel by others; "
			 "adopt that tunnel or choose another",
			 change->tunnel_id);
}

static bool in_foreign_tunnel(const struct candidate *candidate, const struct change *change)
{
	const struct tunnel_entry *tunnel = datastore_tunnel(candidate->running, change->tunnel_id);

	return tunnel && entry_is_foreign(&tunnel->entry) && !candidate->adopt;
}

static int check_session(const struct candidate *candidate, const struct change *change,
			 struct error *err)
{
	const struct tunnel *tunnel = candidate_tunnel(candidate, change->tunnel_id);

	if (!change->after)
		return 0;
	if (!tunnel && in_foreign_tunnel(candidate, change))
		return refuse_foreign_tunnel(change, err);
	if (!tunnel)
		return refuse_orphan(change, err);
	return rules_check_session(change->tunnel_id, &change->after->session, err);
}

static int check_tunnel(const struct candidate *candidate, const struct change *change,
			struct error *err)
{
	if (!change->before && in_foreign_tunnel(candidate, change))
		return refuse_foreign_tunnel(change, err);
	return rules_check_tunnel(&change->after->tunnel, err);
}

/* No session may be left in it; 1: there may be more to check. */
static int check_deleted_tunnel(struct validation *validation)
{
	struct change orphan = {.tunnel_id = validation->at->tunnel_id,
				.session_id = validation->session_id};
	bool more;

	if (overlay_session_within(validation->candidate, orphan.tunnel_id, &orphan.session_id,
				   PLACES_MAX, &more))
		return refuse_orphan(&orphan, &validation->error);
	validation->session_id = more ? orphan.session_id : 0;
	return more;
}

static int check_change(struct validation *validation)
{
	const struct change *at = validation->at;

	if (at->session_id != 0)
		return check_session(validation->candidate, at, &validation->error);
	return at->after ? check_tunnel(validation->candidate, at, &validation->error)
			 : check_deleted_tunnel(validation);
}

/* Note what was found; a negative errno: look no further. */
static int refuse(struct validation *validation, int rc)
{
	struct error *error = &validation->error;
	struct change *change =
		overlay_find(validation->candidate, error->tunnel_id, error->session_id);
	int stop = error_insert(validation->err, error);

	if (change)
		change->refused = true;
	validation->refused = validation->refused ? validation->refused : rc;
	*error = (struct error)ERROR_INIT;
	return stop;
}

static int validation_forth(struct cursor *cursor)
{
	struct validation *validation = (struct validation *)cursor;
	int rc;

	if (!validation->at)
		rc = unique_unit(&validation->unique);
	else
		rc = check_change(validation);
	if (rc < 0 && refuse(validation, rc) < 0)
		return rc;
	if (!validation->at)
		return rc ? 1 : validation->refused;
	if (rc <= 0) {
		validation->at = change_next(validation->at);
		validation->session_id = 0;
	}
	return 1;
}

static void validation_close(struct cursor *cursor)
{
	unique_end(&((struct validation *)cursor)->unique);
}

struct cursor *candidate_validate_begin(const struct candidate *candidate, struct error *err)
{
	static const struct cursor_kind kind = {.forth = validation_forth,
						.close = validation_close};
	struct validation *validation = cursor_new(&kind, sizeof(*validation));

	if (!validation) {
		overlay_no_memory(err);
		return NULL;
	}
	validation->candidate = candidate;
	validation->at = candidate_first(candidate);
	validation->err = err;
	unique_begin(&validation->unique, candidate, err && err->collects, &validation->error);
	return &validation->cursor;
}

int candidate_validate(const struct candidate *candidate, struct error *err)
{
	return cursor_run(candidate_validate_begin(candidate, err));
}
