#include "engine/changes.h"

#include <errno.h>

#include "engine/adopt.h"
#include "engine/plan.h"
#include "model/codec.h"
#include "model/rules.h"

/* Is @name used by a link of the namespace that no configured session owns? */
static bool link_taken(struct engine *engine, const char *name)
{
	const struct kernel_link *link = links_by_name(&engine->links, name);
	const struct session_entry *session =
		link ? datastore_session_by_index(engine->store, link->index) : NULL;

	return link && !(session && (entry_config(&session->entry) || session->entry.held));
}

static bool name_taken(const char *name, void *arg)
{
	return link_taken(arg, name);
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

	if (name[0] == '\0' || !link_taken(engine, name))
		return 0;
	entry = datastore_session(engine->store, c->tunnel_id, c->session_id);
	if (entry && entry->entry.in_kernel &&
	    links_by_name(&engine->links, name)->index == entry->state.if_index)
		return 0; /* adopt takes it over */
	return refuse_name(c, SESSION_INTERFACE_NAME, name, "choose another name", err);
}

/* Nor may that of its 802.1Q link; a link over an interface of ours is that link, or goes with it.
 */
static int check_vlan_name(struct engine *engine, const struct change *c, struct error *err)
{
	const struct session *after = &c->after->session;
	char name[IFNAME_LENGTH + 1];
	const struct kernel_link *link;
	const struct session_entry *below;

	if (!(after->present & BIT(SESSION_VLAN_ID)))
		return 0;
	rules_vlan_name(after, name);
	if (!link_taken(engine, name))
		return 0;
	link = links_by_name(&engine->links, name);
	below = datastore_session_by_index(engine->store, link->parent);
	if (below && (entry_config(&below->entry) || below->entry.held))
		return 0;
	return refuse_name(c, SESSION_VLAN_ID, name, "choose another vlan-id or interface-name",
			   err);
}

/* A configured name must not belong to a link that is no session's. */
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

int changes_choose_names(struct engine *engine, struct candidate *changes, struct error *err)
{
	return candidate_choose_names(changes, name_taken, engine, err);
}

/* @edit NULL: @changes has all of it already. */
static int prepare(struct engine *engine, struct candidate *changes, const struct edit *edit,
		   struct error *err)
{
	int rc = candidate_prepare(changes, edit, name_taken, engine, err);

	return rc < 0 ? rc : check_names(engine, changes, err);
}

int engine_check(struct engine *engine, const struct edit *edit, unsigned int session,
		 struct engine_checked *ret, struct error *err)
{
	struct engine_checked checked = {.store = engine->store->changes,
					 .links = engine->links.changes};
	int rc = engine_check_lock(engine, session, err);

	candidate_open(&checked.changes, engine->store);
	if (rc == 0)
		rc = prepare(engine, &checked.changes, edit, err);
	if (rc == 0)
		rc = plan_check(engine, &checked.changes, err);
	if (rc == 0 && ret)
		*ret = checked;
	else
		candidate_discard(&checked.changes);
	return rc;
}

/* Nothing that it was checked against has changed since. */
static bool take_checked(const struct engine *engine, struct engine_checked *checked,
			 struct candidate *changes)
{
	if (!candidate_dirty(&checked->changes) || checked->store != engine->store->changes ||
	    checked->links != engine->links.changes)
		return false;
	candidate_move(changes, &checked->changes);
	return true;
}

int changes_make(struct engine *engine, struct request *request, struct candidate *changes,
		 struct error *err)
{
	int rc = engine_check_lock(engine, request->session, err);

	if (rc < 0)
		return rc;
	switch (request->type) {
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
	case REQUEST_EDIT:
		if (take_checked(engine, &request->checked, changes))
			return 0;
		break; /* the edit is applied below */
	case REQUEST_NAMES:
	case REQUEST_RESYNC:
	case REQUEST_LOCK:
		break;
	}
	return rc < 0 ? rc : prepare(engine, changes, request->edit, err);
}
