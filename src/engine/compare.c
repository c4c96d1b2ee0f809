#include "engine/compare.h"

#include <errno.h>

#include "engine/desired.h"
#include "model/codec.h"

const struct row *compare_kernel(enum object object, const void *want, const void *have,
				 bool created)
{
	const struct row_set *set = &row_sets[object];

	for (unsigned int i = 0; i < set->config_count; i++)
		if (set->rows[i].wire != WIRE_NONE &&
		    (created || set->rows[i].source == SOURCE_KERNEL) &&
		    !codec_same_in_kernel(&set->rows[i], want, have))
			return &set->rows[i];
	return NULL;
}

static const struct row *compare_tunnel(struct engine *engine, const struct tunnel_entry *tunnel)
{
	const struct row *rows = row_sets[OBJECT_TUNNEL].rows;
	struct tunnel want;
	int rc = want_tunnel(engine, &engine->running, tunnel->entry.key.tunnel_id, &want);

	if (rc == -ENOENT)
		return tunnel->entry.in_kernel ? &rows[TUNNEL_ENABLED] : NULL;
	if (!tunnel->entry.in_kernel)
		return &rows[TUNNEL_ID];
	if (rc < 0) /* local-interface has no address now: keep the old one until it has another */
		codec_copy(&rows[TUNNEL_LOCAL_ADDRESS], &want, &tunnel->actual);
	return compare_kernel(OBJECT_TUNNEL, &want, &tunnel->actual, false);
}

static const struct row *compare_link(struct engine *engine, const struct session_entry *session,
				      const struct session *want)
{
	static const struct {
		unsigned int bit;
		enum session_row row;
	} leaves[] = {
		{LINK_NAME, SESSION_INTERFACE_NAME}, {LINK_MTU, SESSION_MTU},
		{LINK_MAC, SESSION_MAC_ADDRESS},     {LINK_MASTER, SESSION_BRIDGE},
		{LINK_UP, SESSION_LINK_ENABLED},     {LINK_ALIAS, SESSION_DESCRIPTION},
		{LINK_DORMANT, SESSION_DEAD_ACTION},
	};
	const struct row *rows = row_sets[OBJECT_SESSION].rows;
	const struct kernel_link *link = links_by_index(&engine->links, session->state.if_index);
	struct kernel_link ignored;
	unsigned int set;

	if (!link || want->pseudowire_type == PSEUDOWIRE_PPP)
		return NULL;
	if (want_vlan(engine, want, link->index))
		return &rows[SESSION_VLAN_ID];
	set = want_link(engine, 0, NULL, want, link, &ignored);
	if (session->state.port_errno)
		set &= ~(unsigned int)LINK_MASTER; /* we keep it out of the bridge */
	if (session->state.silenced != want_dormant(session, want))
		set &= ~(unsigned int)LINK_DORMANT; /* not done yet, and nobody else's doing */
	if ((set & LINK_MASTER) && (want->present & BIT(SESSION_VRF)))
		return &rows[SESSION_VRF];
	for (size_t i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++)
		if (set & leaves[i].bit)
			return &rows[leaves[i].row];
	return NULL;
}

static const struct row *compare_session(struct engine *engine, const struct session_entry *session)
{
	const struct row *rows = row_sets[OBJECT_SESSION].rows, *row;
	const struct key *key = &session->entry.key;
	struct session want;
	union config have;

	if (want_session(&engine->running, key->tunnel_id, key->session_id, &want) < 0)
		return session->entry.in_kernel ? &rows[SESSION_ENABLED] : NULL;
	if (!session->entry.in_kernel)
		return &rows[SESSION_ID];
	row = compare_kernel(OBJECT_SESSION, &want, entry_actual(&session->entry, &have), false);
	return row ? row : compare_link(engine, session, &want);
}

const struct row *compare_entry(struct engine *engine, const struct entry *entry)
{
	return entry->key.session_id ? compare_session(engine, entry_session(entry))
				     : compare_tunnel(engine, entry_tunnel(entry));
}

uint64_t compare_change(enum object object, const void *before, const void *want, const void *have)
{
	const struct row_set *set = &row_sets[object];
	uint64_t rows = 0;

	for (unsigned int i = 0; i < set->config_count; i++) {
		const struct row *row = &set->rows[i];
		bool reported = row->source == SOURCE_KERNEL && row->wire != WIRE_NONE;

		if (row->wire == WIRE_NONE && row->change != CHANGE_RECREATE)
			continue;
		if (reported && !codec_same_in_kernel(row, want, have))
			rows |= BIT(i);
		/* attributes not in netlink are re-created too: the 802.1Q link of a vlan-id */
		if (!reported && before && (codec_present(row, want) || row->wire == WIRE_NONE) &&
		    !codec_equal(row, before, want))
			rows |= BIT(i);
	}
	return rows;
}
