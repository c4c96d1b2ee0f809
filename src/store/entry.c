/* Questions about one entry. */
#include "model/codec.h"
#include "model/overhead.h"
#include "store/index.h"

static void complete_actual(const struct session_entry *entry, struct session *ret)
{
	*ret = entry->actual->session;
	codec_complete(OBJECT_SESSION, ret);
	if (!entry->state.mtu)
		return;
	ret->mtu = entry->state.mtu;
	ret->mac_address = entry->state.mac;
	ret->present |= BIT(SESSION_MTU) | BIT(SESSION_MAC_ADDRESS);
}

const void *entry_actual(const struct entry *entry, union config *room)
{
	if (entry->key.session_id == 0)
		return &entry_tunnel(entry)->actual;
	if (!entry->as_configured)
		return entry_session(entry)->actual;
	complete_actual(entry_session(entry), &room->session);
	return room;
}

struct state *entry_state(const struct entry *entry)
{
	return entry->key.session_id ? &entry_session(entry)->state.common
				     : &entry_tunnel(entry)->state.common;
}

const void *entry_shown(const struct entry *entry)
{
	return entry_shown_in(entry, datastore_layer(entry_tunnel_of(entry)->store));
}

const struct session *session_last(const struct session_entry *session)
{
	static const struct session nothing;

	return session->actual ? &session->actual->session : &nothing;
}

void entry_put_overhead(const struct entry *entry)
{
	const struct tunnel *tunnel = entry_shown(&entry_tunnel_of(entry)->entry);
	struct session_entry *session = entry_session(entry);
	const struct session *shown = session ? entry_shown(entry) : NULL;

	if (session)
		session->state.overhead =
			tunnel && shown ? (uint16_t)overhead_of(tunnel, shown) : 0;
}

bool entry_is_foreign(const struct entry *entry)
{
	return entry->in_kernel && !entry->held && !entry_config(entry);
}

const char *session_name(const struct session_entry *session)
{
	return session_name_in(session, datastore_layer(session->tunnel->store));
}

bool tunnel_endpoint(const struct tunnel *tunnel, struct address *ret_address, uint16_t *ret_port)
{
	bool udp = !(tunnel->present & BIT(TUNNEL_ENCAPSULATION)) ||
		   tunnel->encapsulation == ENCAPSULATION_UDP;

	if (!udp || !(tunnel->present & BIT(TUNNEL_LOCAL_ADDRESS)))
		return false;
	*ret_address = tunnel->local_address;
	*ret_port = tunnel->present & BIT(TUNNEL_LOCAL_PORT) ? tunnel->local_port : PORT_DEFAULT;
	return true;
}

void entry_put_origin(struct entry *entry)
{
	entry_state(entry)->origin = entry_is_foreign(entry) ? ORIGIN_FOREIGN : ORIGIN_CONFIGURED;
}
