/* What names an entry: the tunnel's id and a session's, 0 for the tunnel itself. */
#ifndef MODEL_ENTRY_H
#define MODEL_ENTRY_H

#include "model/error.h"
#include "model/table.h"

/* The order of all lists: by tunnel, the tunnel itself before its sessions. As strcmp(). */
static inline int entry_order(uint32_t tunnel_a, uint32_t session_a, uint32_t tunnel_b,
			      uint32_t session_b)
{
	if (tunnel_a != tunnel_b)
		return tunnel_a < tunnel_b ? -1 : 1;
	return (session_a > session_b) - (session_a < session_b);
}

struct key {
	uint32_t tunnel_id, session_id; /* session_id 0: the tunnel */
};

static inline int key_compare(const struct key *a, const struct key *b)
{
	return entry_order(a->tunnel_id, a->session_id, b->tunnel_id, b->session_id);
}

/*
 * Set the instance path, "/l2tpv3/tunnel[tunnel-id='1']/session[session-id='2']/mtu",
 * without the leaf for a NULL @row. Returns @err, which may be NULL.
 */
struct error *error_at_entry(struct error *err, uint32_t tunnel_id, uint32_t session_id,
			     const struct row *row);

/* The same of an entry whose ids need not be known: 0 is left out. */
struct error *error_at_object(struct error *err, enum object object, uint32_t tunnel_id,
			      uint32_t session_id, const struct row *row);

#endif
