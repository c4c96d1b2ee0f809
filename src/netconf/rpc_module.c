/* The rpcs of linux-l2tpv3 but those about commits. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "model/codec.h"
#include "netconf/reply.h"
#include "netconf/rpc_engine.h"
#include "netconf/rpc_table.h"

static int read_id(const struct node *operation, enum object object, uint32_t *ret_id,
		   struct error *err)
{
	const struct row *key = row_sets[object].key;
	const char *text = node_text(operation, key->leaf, NAMESPACE_MODULE);
	union codec_object scratch = {0};
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
	char comment[RPC_COMMENT], words[40];
	uint32_t tunnel_id = 0;
	bool all = node_child(operation, "all", NAMESPACE_MODULE);
	int rc = all ? 0 : read_id(operation, OBJECT_TUNNEL, &tunnel_id, err);

	if (all && node_child(operation, "tunnel-id", NAMESPACE_MODULE))
		rc = rpc_refuse(err, ERROR_BAD_ELEMENT, "all", "give a tunnel-id or all, not both");
	snprintf(words, sizeof(words), "adopt tunnel %" PRIu32, tunnel_id);
	if (all)
		snprintf(words, sizeof(words), "adopt all");
	rc = rc ? rc : rpc_comment_on(operation, words, comment, &who, err);
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

/* ---- explain */

static void write_leaf(struct writer *writer, const char *name, const char *text)
{
	write_text(writer, "<");
	write_text(writer, name);
	write_text(writer, " xmlns=\"" NAMESPACE_MODULE "\">");
	write_escaped(writer, text, strlen(text));
	write_text(writer, "</");
	write_text(writer, name);
	write_text(writer, ">");
}

static void write_count(struct writer *writer, const char *name, int64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, number);
	write_leaf(writer, name, text);
}

static void write_address(struct writer *writer, const char *name, const struct address *address)
{
	char text[INET6_ADDRSTRLEN] = "";

	if (address->family == AF_UNSPEC)
		return;
	inet_ntop(address->family, address->bytes, text, sizeof(text));
	write_leaf(writer, name, text);
}

static enum stream_step write_explanation(struct netconf_session *session, void *state)
{
	const struct engine_explanation *explanation = state;
	struct writer *writer = &session->writer;

	if (explanation->path_error) {
		write_leaf(writer, "path-error", strerror(-explanation->path_error));
	} else {
		write_address(writer, "source", &explanation->source);
		write_address(writer, "gateway", &explanation->gateway);
		if (*explanation->link)
			write_leaf(writer, "out-interface", explanation->link);
		if (explanation->path_mtu)
			write_count(writer, "path-mtu", explanation->path_mtu);
	}
	if (explanation->overhead)
		write_count(writer, "overhead", explanation->overhead);
	if (explanation->heard_for >= 0)
		write_count(writer, "last-heard", explanation->heard_for);
	return STREAM_ENDS;
}

int rpc_explain(struct netconf_session *session, const struct node *operation, struct error *err)
{
	const struct netconf_options *options = &session->server->options;
	const char *leaf = row_sets[OBJECT_SESSION].key->leaf;
	bool has_session = node_child(operation, leaf, NAMESPACE_MODULE);
	struct engine_explanation *explanation;
	struct entry *entry;
	uint32_t tunnel_id = 0, session_id = 0;
	int rc = read_id(operation, OBJECT_TUNNEL, &tunnel_id, err);

	if (!rc && has_session)
		rc = read_id(operation, OBJECT_SESSION, &session_id, err);
	if (rc)
		return rc;
	entry = datastore_entry(engine_store(options->engine), tunnel_id, session_id);
	/* who may not read where it leads may not ask here */
	if (!entry ||
	    !(policy_rows(access_policy(session), RIGHT_READ, tunnel_id, 0) &
	      BIT(TUNNEL_REMOTE_ADDRESS)) ||
	    !(policy_rows(access_policy(session), RIGHT_READ, tunnel_id, session_id) & BIT(0)))
		return error_in_operation(
			err, error_set(err, ERROR_MISSING, "there is no such %s",
				       row_sets[session_id ? OBJECT_SESSION : OBJECT_TUNNEL].name));
	explanation = malloc(sizeof(*explanation));
	if (!explanation)
		return error_set(err, ERROR_RESOURCE, "no memory for the answer");
	engine_explain(options->engine, entry, explanation);
	reply_begin(session);
	session_stream(session, &(struct stream){write_explanation, free, explanation});
	return RPC_LATER;
}
