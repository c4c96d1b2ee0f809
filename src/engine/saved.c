#include "engine/saved.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/desired.h"
#include "model/rules.h"

static void free_link(struct saved_link *saved)
{
	free(saved->kept);
	free(saved->alias);
}

static void free_saved(struct saved *saved)
{
	free_link(&saved->interface);
	free_link(&saved->vlan);
	free(saved);
}

static void forget(struct session_entry *entry)
{
	if (entry->saved)
		free_saved(entry->saved);
	entry->saved = NULL;
}

/*
 * A change in place loses settings if its link leaves the bridge or must go down, as it does when
 * it joins a VRF or leaves one (drivers/net/vrf.c cycle_netdev).
 */
static bool loses(struct engine *engine, const struct job *job, const struct item *item,
		  const struct kernel_link *link)
{
	const struct key *key = &item->key;
	struct session before, want;
	struct kernel_link ignored;
	bool had;

	if (item->todo & (ACTION_DELETE | ACTION_CASCADE))
		return true;
	had = want_session(job->from, key->tunnel_id, key->session_id, &before) == 0;
	return want_session(job->to, key->tunnel_id, key->session_id, &want) == 0 &&
	       (want_link(engine, 0, had ? &before : NULL, &want, link, &ignored) &
		(LINK_MAC | LINK_MASTER | LINK_NAME));
}

static int keep(struct engine *engine, struct saved_link *saved, const struct kernel_link *link,
		bool all)
{
	int rc = all ? engine->k->keep(engine->o.kernel, link->index, &saved->kept) : 0;

	saved->mtu = link->mtu;
	saved->master = link->master;
	saved->mac = link->mac;
	saved->alias = link->alias ? strdup(link->alias) : NULL;
	if (link->alias && !saved->alias)
		return -ENOMEM;
	return rc == -ENODEV ? 0 : rc;
}

/* Into a new entry->saved, of which the caller frees what is there after an error. */
static int take(struct engine *engine, const struct job *job, const struct item *item)
{
	const struct key *key = &item->key;
	struct session_entry *entry =
		datastore_session(engine->store, key->tunnel_id, key->session_id);
	const struct kernel_link *link = entry ? links_by_index(&engine->links,
								entry->state.if_index)
					       : NULL,
				 *vlan;
	char name[IFNAME_LENGTH + 1];
	struct session before;
	union config have;
	struct saved *saved;
	bool kept;
	int rc;

	if (!link || !entry->entry.in_kernel || !entry->tunnel->entry.in_kernel ||
	    saved_is_owed(entry) ||
	    want_session(job->from, key->tunnel_id, key->session_id, &before) != 0)
		return 0;
	saved = calloc(1, sizeof(*saved));
	if (!saved)
		return -ENOMEM;
	forget(entry);
	entry->saved = saved;
	engine->store->free_saved = free_saved;
	kept = loses(engine, job, item, link);
	rc = keep(engine, &saved->interface, link, kept);
	saved->interface.set = LINK_MAC;
	if (link->mtu != default_mtu(entry, &entry->tunnel->actual,
				     entry_actual(&entry->entry, &have)) &&
	    !(before.present & BIT(SESSION_MTU)))
		saved->interface.set |= LINK_MTU;
	if (link->master && !has_master(&before))
		saved->interface.set |= LINK_MASTER;
	if (link->alias && !(before.present & BIT(SESSION_DESCRIPTION)))
		saved->interface.set |= LINK_ALIAS;
	if (rc < 0 || before.pseudowire_type != PSEUDOWIRE_ETHERNET_VLAN)
		return rc;
	rules_vlan_name(&before, name);
	vlan = links_by_name(&engine->links, name);
	if (!vlan || vlan->parent != link->index)
		return 0;
	rc = keep(engine, &saved->vlan, vlan, kept);
	if (vlan->master && !has_master(&before))
		saved->vlan.set |= LINK_MASTER;
	if (vlan->alias)
		saved->vlan.set |= LINK_ALIAS;
	return rc;
}

int saved_take(struct engine *engine, const struct job *job, const struct item *item)
{
	struct session_entry *entry =
		datastore_session(engine->store, item->key.tunnel_id, item->key.session_id);
	int rc = take(engine, job, item);

	if (rc < 0 && entry)
		forget(entry);
	return rc;
}

bool saved_is_owed(const struct session_entry *entry)
{
	return entry->saved && entry->saved->owed;
}

struct saved *saved_of(const struct job *job, const struct item *item,
		       const struct session_entry *entry)
{
	return entry && entry->saved &&
			       (job->undoing || (item->done & ACTION_CREATE) ||
				saved_is_owed(entry))
		       ? entry->saved
		       : NULL;
}

void saved_end(struct session_entry *entry, const struct item *item)
{
	if (!entry->saved)
		return;
	if ((item->todo & ACTION_CREATE) && !(item->done & ACTION_CREATE))
		entry->saved->owed = true;
	if (!entry->saved->owed)
		forget(entry);
}

struct dropping {
	struct cursor cursor;
	struct engine *engine;
	const struct job *job;
	size_t at;
};

static int drop_forth(struct cursor *cursor)
{
	struct dropping *dropping = (struct dropping *)cursor;
	const struct item *item;
	struct session_entry *entry;

	if (dropping->at == dropping->job->count)
		return 0;
	item = &dropping->job->items[dropping->at++];
	entry = datastore_session(dropping->engine->store, item->key.tunnel_id,
				  item->key.session_id);
	if (entry && !saved_is_owed(entry))
		forget(entry);
	return 1;
}

struct cursor *saved_drop_begin(struct engine *engine, const struct job *job)
{
	static const struct cursor_kind kind = {.forth = drop_forth};
	struct dropping *dropping = cursor_new(&kind, sizeof(*dropping));
	struct dropping at_once = {.engine = engine, .job = job};

	if (!dropping) {
		while (drop_forth(&at_once.cursor) > 0)
			;
		return NULL;
	}
	at_once.cursor = dropping->cursor;
	at_once.cursor.decided = true;
	*dropping = at_once;
	return &dropping->cursor;
}

unsigned int saved_link_bits(const struct saved_link *saved, const struct session *want,
			     const struct kernel_link *have, struct kernel_link *set)
{
	unsigned int bits = saved->set;

	if ((want->present & BIT(SESSION_MAC_ADDRESS)) ||
	    memcmp(&have->mac, &saved->mac, sizeof(have->mac)) == 0)
		bits &= ~(unsigned int)LINK_MAC;
	if ((want->present & BIT(SESSION_MTU)) || have->mtu == saved->mtu)
		bits &= ~(unsigned int)LINK_MTU;
	if (has_master(want) || have->master == saved->master)
		bits &= ~(unsigned int)LINK_MASTER;
	if ((want->present & BIT(SESSION_DESCRIPTION)) || kernel_has_alias(have, saved->alias))
		bits &= ~(unsigned int)LINK_ALIAS;
	if (bits & LINK_MAC)
		set->mac = saved->mac;
	if (bits & LINK_MTU)
		set->mtu = saved->mtu;
	if (bits & LINK_MASTER)
		set->master = saved->master;
	if (bits & LINK_ALIAS)
		set->alias = saved->alias;
	return bits;
}
