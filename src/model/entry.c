#include "model/entry.h"

#include <inttypes.h>
#include <stdio.h>

#include "model/names.h"

/* "[tunnel-id='1']" */
static void put_predicate(enum object object, uint32_t id, char *ret, size_t size)
{
	ret[0] = '\0';
	if (id)
		snprintf(ret, size, "[%s='%" PRIu32 "']", row_sets[object].key->leaf, id);
}

struct error *error_at_object(struct error *err, enum object object, uint32_t tunnel_id,
			      uint32_t session_id, const struct row *row)
{
	const char *slash = row ? "/" : "", *leaf = row ? row->leaf : "";
	char tunnel[32], session[32];

	put_predicate(OBJECT_TUNNEL, tunnel_id, tunnel, sizeof(tunnel));
	put_predicate(OBJECT_SESSION, session_id, session, sizeof(session));
	if (object == OBJECT_TUNNEL)
		error_at(err, "/" ELEMENT_CONTAINER "/tunnel%s%s%s", tunnel, slash, leaf);
	else
		error_at(err, "/" ELEMENT_CONTAINER "/tunnel%s/session%s%s%s", tunnel, session,
			 slash, leaf);
	if (err) {
		err->tunnel_id = tunnel_id;
		err->session_id = object == OBJECT_SESSION ? session_id : 0;
	}
	return err;
}

struct error *error_at_entry(struct error *err, uint32_t tunnel_id, uint32_t session_id,
			     const struct row *row)
{
	return error_at_object(err, session_id ? OBJECT_SESSION : OBJECT_TUNNEL, tunnel_id,
			       session_id, row);
}
