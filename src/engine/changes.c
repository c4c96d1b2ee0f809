/* From a request to the changes of the configuration it means, checked. */
#include "engine/internal.h"

#include <errno.h>

int engine_check_lock(const struct engine *engine, unsigned int session, struct error *err)
{
	if (engine->lock == 0 || engine->lock == session)
		return 0;
	return error_set(err, ERROR_LOCKED,
			 "the configuration is locked by NETCONF session %u; wait for it, or end "
			 "it with kill-session",
			 engine->lock);
}

/* Others may have made what no configuration can say, or would bring about. */
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
	if (observe_same(object, &read, config))
		return 0;
	error_at_entry(err, tunnel_id, session_id, NULL);
	return error_set(err, ERROR_INVALID_VALUE,
			 "what the kernel has of it cannot be configured; make it anew here");
}

static int adopt_session(struct engine *engine, struct candidate *changes,
			 const struct session_entry *entry, struct error *err)
{
	struct session config = entry->actual;
	int rc = check_adoptable(OBJECT_SESSION, &config, entry->tunnel->entry.key.tunnel_id,
				 entry->entry.key.session_id, err);
	const struct kernel_link *link = links_by_index(&engine->links, entry->state.if_index);

	if (rc < 0)
		return rc;
	config.present |= BIT(SESSION_ID);
	/* what the link has is the administrator's still; only its state is ours to keep */
	config.present &= ~(BIT(SESSION_MTU) | BIT(SESSION_MAC_ADDRESS) | BIT(SESSION_BRIDGE));
	if (link && link->up)
		config.present &= ~BIT(SESSION_LINK_ENABLED);
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
				 "tunnel %u is of L2TP version %u, which is not managed here",
				 entry->entry.key.tunnel_id, config.version);
	config.version = 0;
	rc = check_adoptable(OBJECT_TUNNEL, &config, entry->entry.key.tunnel_id, 0, err);
	return rc < 0 ? rc : candidate_put(changes, entry->entry.key.tunnel_id, 0, &config);
}

static int adopt(struct engine *engine, uint32_t tunnel_id, struct candidate *changes,
		 struct error *err)
{
	const struct tunnel_entry *tunnel = datastore_tunnel(engine->store, tunnel_id);
	const struct session_entry *session;
	int rc;

	changes->adopt = true;
	error_at_entry(err, tunnel_id, 0, NULL);
	if (!tunnel || !tunnel->entry.in_kernel)
		return error_set(err, ERROR_MISSING, "there is no tunnel %u in the kernel",
				 tunnel_id);
	session = tunnel_session_from(tunnel, 0);
	rc = entry_config(&tunnel->entry) ? 0 : adopt_tunnel(changes, tunnel, err);
	for (; session && rc == 0; session = session_next(session))
		if (session->entry.in_kernel && !entry_config(&session->entry))
			rc = adopt_session(engine, changes, session, err);
	if (rc == -ENOMEM)
		return error_set(err, ERROR_RESOURCE, "no memory to adopt tunnel %u", tunnel_id);
	if (rc < 0)
		return rc;
	if (!candidate_dirty(changes))
		return error_set(err, ERROR_EXISTS, "tunnel %u and its sessions are ours already",
				 tunnel_id);
	err->path[0] = '\0';
	return 0;
}

bool engine_link_taken(struct engine *engine, const char *name)
{
	const struct kernel_link *link = links_by_name(&engine->links, name);
	const struct session_entry *session =
		link ? datastore_session_by_index(engine->store, link->index) : NULL;

	return link && !(session && (entry_config(&session->entry) || session->entry.held));
}

static bool name_taken(const char *name, void *arg)
{
	return engine_link_taken(arg, name);
}

static bool is_link(const struct engine *engine, const char *name,
		    const struct session_entry *entry)
{
	const struct kernel_link *link = links_by_name(&engine->links, name);

	return link && link->index == entry->state.if_index;
}

static int refuse_name(const struct change *c, enum session_row row, const char *name,
		       const char *cure, struct error *err)
{
	error_at_entry(err, c->tunnel_id, c->session_id, &row_sets[OBJECT_SESSION].rows[row]);
	return error_set(err, ERROR_FOREIGN,
			 "there is an interface %s that is not ours; %s, or rename or delete that "
			 "interface",
			 name, cure);
}

static int check_name(struct engine *engine, const struct change *c, struct error *err)
{
	const char *name = c->after->session.interface_name;
	const struct session_entry *entry;

	if (name[0] == '\0' || !engine_link_taken(engine, name))
		return 0;
	entry = datastore_session(engine->store, c->tunnel_id, c->session_id);
	if (entry && entry->entry.in_kernel && is_link(engine, name, entry))
		return 0; /* to be adopted */
	return refuse_name(c, SESSION_INTERFACE_NAME, name, "choose another name", err);
}

/* Nor that of its 802.1Q link; one over a session's interface goes with it, or is it. */
static int check_vlan_name(struct engine *engine, const struct change *c, struct error *err)
{
	const struct session *after = &c->after->session;
	char name[IFNAME_LENGTH + 1];
	const struct kernel_link *link;
	const struct session_entry *below;

	if (!(after->present & BIT(SESSION_VLAN_ID)))
		return 0;
	rules_vlan_name(after, name);
	if (!engine_link_taken(engine, name))
		return 0;
	link = links_by_name(&engine->links, name);
	below = datastore_session_by_index(engine->store, link->parent);
	if (below && (entry_config(&below->entry) || below->entry.held))
		return 0;
	return refuse_name(c, SESSION_VLAN_ID, name, "choose another vlan-id or interface-name",
			   err);
}

/* A configured name must not be that of a link which is not a session's. */
static int check_names(struct engine *engine, const struct candidate *changes, struct error *err)
{
	int rc = 0;

	for (struct change *c = candidate_first(changes); c && rc == 0; c = change_next(c)) {
		if (c->session_id == 0 || !c->after)
			continue;
		rc = check_name(engine, c, err);
		if (rc == 0)
			rc = check_vlan_name(engine, c, err);
	}
	return rc;
}

/* The name that the interface of a session without interface-name has, unless it is another's. */
static int keep_name(struct candidate *changes, const struct session_entry *entry)
{
	const struct session *config = candidate_session(
		changes, entry->tunnel->entry.key.tunnel_id, entry->entry.key.session_id);
	struct session named;

	if (!entry->entry.in_kernel || !entry->actual.interface_name[0] || !config ||
	    config->interface_name[0] ||
	    datastore_session_by_name(changes->running, entry->actual.interface_name))
		return 0;
	named = *config;
	codec_copy(&row_sets[OBJECT_SESSION].rows[SESSION_INTERFACE_NAME], &named, &entry->actual);
	return candidate_put(changes, entry->tunnel->entry.key.tunnel_id,
			     entry->entry.key.session_id, &named);
}

/* A config.xml written by hand may leave names out; the kernel may have the sessions all the same.
 */
static int keep_names(struct candidate *changes)
{
	const struct tunnel_entry *tunnel = NULL;
	int rc = 0;

	if (datastore_counts(changes->running)->nameless)
		tunnel = datastore_tunnel_from(changes->running, 0);
	for (; tunnel && rc == 0; tunnel = tunnel_next(tunnel)) {
		const struct session_entry *session = tunnel_session_from(tunnel, 0);

		for (; session && rc == 0; session = session_next(session))
			rc = keep_name(changes, session);
	}
	return rc;
}

int changes_choose_names(struct engine *engine, struct candidate *changes, struct error *err)
{
	if (keep_names(changes) < 0)
		return error_set(err, ERROR_RESOURCE, "no memory for interface names");
	return candidate_choose_names(changes, name_taken, engine, err);
}

static int complete_changes(struct engine *engine, struct candidate *changes, struct error *err)
{
	int rc = changes_choose_names(engine, changes, err);

	if (rc == 0)
		rc = candidate_validate(changes, err);
	if (rc == 0)
		rc = check_names(engine, changes, err);
	if (rc == 0)
		rc = plan_check(engine, changes, err);
	return rc;
}

int engine_check(struct engine *engine, const struct edit *edit, unsigned int session,
		 struct error *err)
{
	struct candidate changes;
	int rc = engine_check_lock(engine, session, err);

	candidate_open(&changes, engine->store);
	if (rc == 0)
		rc = candidate_apply(&changes, edit, err);
	if (rc == 0)
		rc = complete_changes(engine, &changes, err);
	candidate_discard(&changes);
	return rc;
}

int changes_make(struct engine *engine, struct request *request, struct candidate *changes,
		 struct error *err)
{
	int rc = engine_check_lock(engine, request->session, err);

	if (rc < 0)
		return rc;
	switch (request->type) {
	case REQUEST_EDIT:
		rc = candidate_apply(changes, request->edit, err);
		break;
	case REQUEST_COMMIT:
		candidate_move(changes, &request->candidate);
		rc = candidate_rebase(changes, err);
		break;
	case REQUEST_ADOPT:
		rc = adopt(engine, (uint32_t)request->number, changes, err);
		break;
	case REQUEST_ROLLBACK:
		rc = engine->o.journal ? journal_rollback(engine->o.journal, request->number,
							  engine->store, changes, err)
				       : error_set(err, ERROR_UNSUPPORTED, "no history is kept");
		break;
	case REQUEST_NAMES:
	case REQUEST_RESYNC:
	case REQUEST_LOCK:
		break;
	}
	if (rc == 0)
		rc = complete_changes(engine, changes, err);
	return rc;
}
