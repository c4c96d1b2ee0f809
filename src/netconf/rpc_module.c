/* The rpcs of linux-l2tpv3 but those about commits. */
#include <errno.h>

#include "model/codec.h"
#include "netconf/rpc_engine.h"
#include "netconf/rpc_table.h"

static int read_tunnel_id(const struct node *operation, uint32_t *ret_id, struct error *err)
{
	const struct row *key = row_sets[OBJECT_TUNNEL].key;
	const char *text = node_text(operation, key->leaf, NAMESPACE_MODULE);
	struct tunnel scratch = {0};
	int rc;

	if (!text)
		return rpc_refuse(err, ERROR_MISSING_ELEMENT, key->leaf, "%s is required",
				  key->leaf);
	rc = codec_parse(key, &scratch, text, strlen(text), err);
	if (rc)
		return error_in_operation(err, rc);
	*ret_id = (uint32_t)codec_get_number(key, &scratch);
	return 0;
}

int rpc_adopt(struct netconf_session *session, const struct node *operation, struct error *err)
{
	struct engine_who who = rpc_who(session);
	uint32_t tunnel_id = 0;
	int rc = read_tunnel_id(operation, &tunnel_id, err);

	if (rc)
		return rc;
	return rpc_await(
		session,
		engine_adopt(session->server->options.engine, tunnel_id, &who, rpc_done, session),
		err);
}

int rpc_resync(struct netconf_session *session, const struct node *operation, struct error *err)
{
	(void)operation;
	return rpc_await(session, engine_resync(session->server->options.engine, rpc_done, session),
			 err);
}
