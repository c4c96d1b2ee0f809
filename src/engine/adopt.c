#include "engine/adopt.h"

#include <errno.h>
#include <string.h>

#include "engine/compare.h"
#include "model/codec.h"
#include "store/policy.h"

/* Refuse objects of others that no configuration can express or create. */
static int check_adoptable(enum object object, const void *config, uint32_t tunnel_id,
			   uint32_t session_id, struct error *err)
{
	const struct row_set *set = &row_sets[object];
	union config read = {0};
	char text[VALUE_TEXT_MAX];

	for (unsigned int i = 0; i < set->config_count; i++) {
		const struct row *row = &set->rows[i];
		size_t length;
		int rc;

		if (!codec_present(row, config))
			continue;
		length = codec_print(row, config, text);
		rc = codec_parse(row, &read, text, length, err);
		if (rc == 0 && codec_equal(row, &read, config))
			continue;
		error_at_entry(err, tunnel_id, session_id, row);
		return rc < 0 ? rc
			      : error_set(err, ERROR_INVALID_VALUE,
					  "the kernel has a value that cannot be configured");
	}
	codec_complete(object, &read);
	if (!compare_kernel(object, &read, config, false))
		return 0;
	error_at_entry(err, tunnel_id, session_id, NULL);
	return error_set(
		err, ERROR_INVALID_VALUE,
		"the kernel has it in a form that cannot be configured; create it here instead");
}

static int adopt_session(struct engine *engine, struct candidate *changes,
			 const struct session_entry *entry, struct error *err)
{
	union config room;
	struct session config = *(const struct session *)entry_actual(&entry->entry, &room);
	int rc = check_adoptable(OBJECT_SESSION, &config, entry->tunnel->entry.key.tunnel_id,
				 entry->entry.key.session_id, err);
	const struct kernel_link *link = links_by_index(&engine->links, entry->state.if_index);

	if (rc < 0)
		return rc;
	config.present |= BIT(SESSION_ID);
	/* MTU, MAC and master remain the administrator's; of the link we manage only its state */
	config.present &= ~(BIT(SESSION_MTU) | BIT(SESSION_MAC_ADDRESS) | SESSION_MASTERS);
	if (link && link->up)
		config.present &= ~BIT(SESSION_LINK_ENABLED);
	if (link && link->dormant) { /* an earlier daemon's doing: ours to undo */
		config.dead_action = DEAD_ACTION_LINK_DOWN;
		config.present |= BIT(SESSION_DEAD_ACTION);
	}
	for (unsigned int i = 0; i < row_sets[OBJECT_SESSION].config_count; i++) {
		const struct row *row = &row_sets[OBJECT_SESSION].rows[i];

		if (!codec_present(row, &config))
			codec_clear(row, &config);
	}
	return candidate_put(changes, entry->tunnel->entry.key.tunnel_id,
			     entry->entry.key.session_id, &config);
}

static int adopt_tunnel(struct candidate *changes, const struct tunnel_entry *entry,
			struct error *err)
{
	struct tunnel config = entry->actual;
	int rc;

	if (config.version && config.version != 3)
		return error_set(err, ERROR_UNSUPPORTED,
				 "tunnel %u uses L2TP version %u; only version 3 is managed",
				 entry->entry.key.tunnel_id, config.version);
	config.version = 0;
	rc = check_adoptable(OBJECT_TUNNEL, &config, entry->entry.key.tunnel_id, 0, err);
	return rc < 0 ? rc : candidate_put(changes, entry->entry.key.tunnel_id, 0, &config);
}

struct adoption {
	struct cursor cursor;
	struct engine *engine;
	const struct policy *policy;
	uint32_t tunnel_id; /* the one under way */
	bool all;           /* it is one of all */
	uint32_t from;      /* the next session; 0: the tunnel itself */
	bool passed;        /* reached the last possible id */
	struct candidate *changes;
	struct error *err;
};

static int end(const struct adoption *adoption)
{
	if (!adoption->all && !candidate_dirty(adoption->changes))
		return error_set(adoption->err, ERROR_EXISTS,
				 "tunnel %u and its sessions are ours already",
				 adoption->tunnel_id);
	adoption->err->path[0] = '\0';
	return 0;
}

static bool is_visible(const struct adoption *adoption, uint32_t tunnel_id)
{
	return policy_rows(adoption->policy, RIGHT_READ, tunnel_id, 0) & ROW_SELF;
}

static int adopt_next(struct adoption *adoption)
{
	const struct tunnel_entry *tunnel =
		datastore_tunnel(adoption->engine->store, adoption->tunnel_id);
	const struct session_entry *session;
	uint32_t id = adoption->from;
	int rc = 0;

	error_at_entry(adoption->err, adoption->tunnel_id, 0, NULL);
	if (!tunnel || !tunnel->entry.in_kernel || !is_visible(adoption, adoption->tunnel_id))
		return error_set(adoption->err, ERROR_MISSING,
				 "there is no tunnel %u in the kernel", adoption->tunnel_id);
	if (id == 0) {
		adoption->from = 1;
		rc = entry_config(&tunnel->entry)
			     ? 0
			     : adopt_tunnel(adoption->changes, tunnel, adoption->err);
		return rc < 0 ? rc : 1;
	}
	session = adoption->passed ? NULL : tunnel_session_from(tunnel, id);
	if (!session)
		return end(adoption);
	if (session->entry.in_kernel && !entry_config(&session->entry))
		rc = adopt_session(adoption->engine, adoption->changes, session, adoption->err);
	adoption->from = session->entry.key.session_id + 1;
	adoption->passed = session->entry.key.session_id == ID_MAX;
	return rc < 0 ? rc : 1;
}

/* Go on with the next tunnel after @id in the kernel. 1, or 0: there is none. */
static int next_tunnel(struct adoption *adoption, uint32_t id)
{
	const struct tunnel_entry *tunnel =
		id == ID_MAX ? NULL : datastore_tunnel_from(adoption->engine->store, id + 1);

	adoption->from = 0;
	adoption->passed = false;
	if (!tunnel)
		return end(adoption);
	adoption->tunnel_id = tunnel->entry.key.tunnel_id;
	return 1;
}

/* One session, or one tunnel, which if it cannot be taken is passed over with its sessions. */
static int adopt_some(struct adoption *adoption)
{
	uint32_t from = adoption->from;
	struct error *err = adoption->err, ignored = ERROR_INIT;
	int rc;

	if (!adoption->tunnel_id)
		return next_tunnel(adoption, 0);
	adoption->err = &ignored;
	rc = adopt_next(adoption);
	adoption->err = err;
	if (rc == -ENOMEM || rc > 0)
		return rc;
	/* at its end, or refused as such, or gone */
	return rc == 0 || from == 0 || from == adoption->from
		       ? next_tunnel(adoption, adoption->tunnel_id)
		       : 1;
}

static int adoption_forth(struct cursor *cursor)
{
	struct adoption *adoption = (struct adoption *)cursor;
	int rc = adoption->all ? adopt_some(adoption) : adopt_next(adoption);

	return rc == -ENOMEM ? error_set(adoption->err, ERROR_RESOURCE,
					 "no memory to adopt tunnel %u", adoption->tunnel_id)
			     : rc;
}

struct cursor *adopt_begin(struct engine *engine, uint32_t tunnel_id, const struct policy *policy,
			   struct candidate *changes, struct error *err)
{
	static const struct cursor_kind kind = {.forth = adoption_forth};
	struct adoption *adoption = cursor_new(&kind, sizeof(*adoption));

	if (!adoption) {
		error_set_errno(err, ERROR_RESOURCE, ENOMEM, "no memory to adopt tunnel %u",
				tunnel_id);
		return NULL;
	}
	changes->adopt = true;
	adoption->engine = engine;
	adoption->tunnel_id = tunnel_id;
	adoption->all = tunnel_id == 0;
	adoption->policy = policy;
	adoption->changes = changes;
	adoption->err = err;
	return &adoption->cursor;
}
