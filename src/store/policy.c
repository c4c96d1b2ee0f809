#include "store/policy.h"

#include "model/codec.h"

struct policy {
	unsigned int owners;            /* 0: static */
	uint64_t rest[RIGHTS][OBJECTS]; /* what no rule decides */
};

const struct policy *policy_share(const struct policy *policy)
{
	if (policy && policy->owners)
		((struct policy *)(uintptr_t)policy)->owners++;
	return policy;
}

void policy_drop(const struct policy *policy)
{
	(void)policy;
}

const struct policy *policy_of_members(void)
{
	static struct policy members;

	for (unsigned int right = 0; right < RIGHTS && !members.rest[RIGHTS - 1][OBJECTS - 1];
	     right++)
		for (enum object object = 0; object < OBJECTS; object++)
			members.rest[right][object] = ~rows_secret(object);
	return &members;
}

uint64_t policy_rows(const struct policy *policy, enum right right, uint32_t tunnel_id,
		     uint32_t session_id)
{
	(void)tunnel_id;
	return policy ? policy->rest[right][session_id ? OBJECT_SESSION : OBJECT_TUNNEL]
		      : ~UINT64_C(0);
}

static const char *const right_names[RIGHTS] = {
	[RIGHT_READ] = "read",
	[RIGHT_CREATE] = "create",
	[RIGHT_UPDATE] = "change",
	[RIGHT_DELETE] = "delete",
};

/* The path names what the user has named (@said), or may see to be there. @row NULL: the entry. */
static int refuse(const struct policy *policy, enum right right, uint32_t tunnel_id,
		  uint32_t session_id, const struct row *row, bool said, struct error *err)
{
	uint64_t shown =
		said ? ~UINT64_C(0) : policy_rows(policy, RIGHT_READ, tunnel_id, session_id);

	if (row && !(shown & BIT(row_number(row))))
		row = NULL;
	if (shown & ROW_SELF)
		error_at_entry(err, tunnel_id, session_id, row);
	else
		error_at(err, "/l2tpv3");
	return error_set(err, ERROR_DENIED, "you may not %s %s", right_names[right],
			 !(shown & ROW_SELF) ? "all of this"
			 : row               ? row->leaf
			 : session_id        ? "all of this session"
					     : "all of this tunnel");
}

static const struct row *first_row(enum object object, uint64_t rows)
{
	return &row_sets[object].rows[__builtin_ctzll(rows)];
}

int policy_may_edit(const struct policy *policy, const struct edit_entry *entry,
		    const struct policy_edit *what, const union config *now, struct error *err)
{
	uint32_t tunnel = entry->tunnel_id, session = entry->session_id;
	uint64_t key = BIT(row_number(row_sets[entry->object].key)), needed[RIGHTS] = {0};
	uint64_t there = now ? now->present & ~key : 0, given = entry->values.present & ~key;
	uint64_t readable, unchanged;

	if (!policy)
		return 0;
	readable = policy_rows(policy, RIGHT_READ, tunnel, session);
	unchanged = now ? given & there & ~codec_difference(entry->object, now, &entry->values) &
				    readable
			: 0;
	if (what->removes && (now || !(readable & ROW_SELF)))
		needed[RIGHT_DELETE] |= ROW_SELF;
	if (!what->removes && (what->creates || (!what->none && !now)))
		needed[RIGHT_CREATE] |= ROW_SELF;
	else if (!what->removes && !(readable & ROW_SELF))
		needed[RIGHT_UPDATE] |= ROW_SELF; /* lest it tell whether there is one */
	if (!what->removes) {
		needed[RIGHT_CREATE] |= given & ~there;
		needed[RIGHT_UPDATE] |= given & there & ~unchanged;
		needed[RIGHT_DELETE] |= entry->cleared & (there | ~readable);
		if (what->afresh)
			needed[RIGHT_DELETE] |= there & ~given & ~what->kept;
	}
	for (enum right right = RIGHT_CREATE; right < RIGHTS; right++) {
		uint64_t lacking = needed[right] & ~policy_rows(policy, right, tunnel, session);

		if (lacking & ROW_SELF)
			return refuse(policy, right, tunnel, session, NULL, true, err);
		if (lacking)
			return refuse(policy, right, tunnel, session,
				      first_row(entry->object, lacking),
				      lacking & (given | entry->cleared), err);
	}
	return 0;
}

int policy_may_change(const struct policy *policy, uint32_t tunnel_id, uint32_t session_id,
		      const union config *before, const union config *after, bool restores,
		      struct error *err)
{
	enum object object = session_id ? OBJECT_SESSION : OBJECT_TUNNEL;
	uint64_t key = BIT(row_number(row_sets[object].key)), needed[RIGHTS] = {0}, differ;

	if (!policy || before == after)
		return 0;
	if (!after) {
		needed[RIGHT_DELETE] = ROW_SELF;
	} else if (!before) {
		needed[RIGHT_CREATE] = ROW_SELF | (after->present & ~key);
		if (restores)
			needed[RIGHT_CREATE] &=
				policy_rows(policy, RIGHT_READ, tunnel_id, session_id) | ROW_SELF;
	} else {
		differ = codec_difference(object, before, after);
		needed[RIGHT_CREATE] = differ & ~before->present;
		needed[RIGHT_DELETE] = differ & ~after->present;
		needed[RIGHT_UPDATE] = differ & before->present & after->present;
	}
	for (enum right right = RIGHT_CREATE; right < RIGHTS; right++) {
		uint64_t lacking =
			needed[right] & ~policy_rows(policy, right, tunnel_id, session_id);

		if (lacking)
			return refuse(policy, right, tunnel_id, session_id,
				      lacking & ROW_SELF ? NULL : first_row(object, lacking), false,
				      err);
	}
	return 0;
}
