/*
 * Undoes one commit among others. A leaf still has the value that the commit gave it, an entry is
 * still there as it created it, or still gone: otherwise a later commit is in the way.
 */
#include <errno.h>

#include "journal/journal_file.h"
#include "model/codec.h"
#include "store/acm.h"
#include "store/overlay.h"

static void block(struct revert_place *place, const struct change *change, uint64_t leaves,
		  const char *why)
{
	if (place->found)
		return;
	*place = (struct revert_place){
		.found = true,
		.nacm = !change->tunnel_id,
		.tunnel_id = change->tunnel_id,
		.session_id = change->session_id,
		.leaves = leaves,
		.why = why,
	};
}

static int revert_acm(const struct change_read *read, struct candidate *candidate,
		      struct revert_place *place)
{
	if (!acm_equal(candidate_acm(candidate), read->acm))
		block(place, &read->change, 0, "changed");
	else
		candidate_put_acm(candidate, read->acm_before);
	return 0;
}

/* The commit deleted it. */
static int restore(const struct change *change, const union config *now,
		   struct candidate *candidate, struct revert_place *place)
{
	const struct change tunnel = {.tunnel_id = change->tunnel_id};

	if (now) {
		block(place, change, 0, "created");
		return 0;
	}
	if (change->session_id && !candidate_tunnel(candidate, change->tunnel_id)) {
		block(place, &tunnel, 0, "deleted");
		return 0;
	}
	return candidate_put(candidate, change->tunnel_id, change->session_id, change->before);
}

int revert_put(const struct change_read *read, struct candidate *candidate,
	       struct revert_place *place)
{
	const struct change *change = &read->change;
	enum object object = change_object(change);
	const union config *now;
	union config back;
	struct change way_back;
	uint64_t leaves;
	int rc;

	if (!change->tunnel_id)
		return revert_acm(read, candidate, place);
	now = running_config(candidate->running, change->tunnel_id, change->session_id);
	if (!change->after)
		return restore(change, now, candidate, place);
	if (!now) {
		block(place, change, 0, "deleted");
		return 0;
	}
	leaves = codec_difference(object, change->after, now);
	if (change->before)
		leaves &= codec_difference(object, change->before, change->after);
	if (leaves) {
		block(place, change, leaves, "changed");
		return 0;
	}
	if (!change->before)
		return candidate_put(candidate, change->tunnel_id, change->session_id, NULL);
	way_back = *change;
	way_back.before = change->after;
	way_back.after = change->before;
	back = change_over(&way_back, now);
	rc = candidate_put(candidate, change->tunnel_id, change->session_id, &back);
	explicit_bzero(&back, sizeof(back));
	return rc;
}

int revert_check(const struct candidate *candidate, struct change **at, uint32_t *id,
		 struct revert_place *place)
{
	struct change *change = *at ? *at : candidate_first(candidate);
	bool more = false;

	while (change && (change->session_id || change->after))
		change = change_next(change);
	if (!change)
		return 0;
	if (overlay_session_within(candidate, change->tunnel_id, id, PLACES_MAX, &more)) {
		block(place, &(struct change){.tunnel_id = change->tunnel_id, .session_id = *id}, 0,
		      "created");
		return 0;
	}
	*at = change;
	if (more)
		return JOURNAL_MORE;
	*at = change_next(change);
	*id = 1;
	return *at ? JOURNAL_MORE : 0;
}

bool revert_touches(const struct change_read *read, struct revert_place *place)
{
	const struct change *change = &read->change;
	uint64_t leaves;

	if (place->nacm)
		return !change->tunnel_id;
	if (change->tunnel_id != place->tunnel_id || change->session_id != place->session_id)
		return false;
	if (!change->before || !change->after)
		return true;
	leaves = place->leaves &
		 codec_difference(change_object(change), change->before, change->after);
	if (leaves)
		place->leaves = leaves;
	return leaves;
}

static void set_path(const struct revert_place *place, struct error *err)
{
	enum object object = place->session_id ? OBJECT_SESSION : OBJECT_TUNNEL;

	if (place->nacm)
		error_at(err, "/nacm");
	else
		error_at_entry(err, place->tunnel_id, place->session_id,
			       place->leaves
				       ? &row_sets[object].rows[__builtin_ctzll(place->leaves)]
				       : NULL);
}

int revert_refuse(uint64_t number, const struct revert_place *place, const struct commit_info *by,
		  struct error *err)
{
	set_path(place, err);
	if (!by)
		return error_set(err, ERROR_CHANGED_SINCE,
				 "commit %" PRIu64 " cannot be reverted, for this was %s since by "
				 "an edit of " CONFIG_FILE "; change it by hand",
				 number, place->why);
	return error_set(err, ERROR_CHANGED_SINCE,
			 "commit %" PRIu64 " cannot be reverted, for this was %s since by commit "
			 "%" PRIu64 " (%s%s%s); revert that one first, or change it by hand",
			 number, place->why, by->number, by->user, by->user[0] ? ", " : "",
			 by->door);
}
