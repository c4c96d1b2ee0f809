/*
 * Any bytes as a message of a client: reader, envelope, parameters, filters,
 * edits, and what an edit would do to a configuration. The first byte says how
 * large the parts are in which they arrive, and whether the hello is over.
 */
#include "netconf/filter.h"
#include "netconf/rpc_table.h"
#include "netconf/session.h"
#include "netconf/walk.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static struct datastore *make_store(void)
{
	static struct datastore *store;
	struct tunnel tunnel = {.tunnel_id = 1, .peer_tunnel_id = 1};
	struct session session = {.session_id = 1, .peer_session_id = 1};

	if (store)
		return store;
	tunnel.present = BIT(TUNNEL_ID) | BIT(TUNNEL_PEER_TUNNEL_ID);
	session.present = BIT(SESSION_ID) | BIT(SESSION_PEER_SESSION_ID);
	store = datastore_new();
	datastore_configure(store, 1, 0, &tunnel);
	datastore_configure(store, 1, 1, &session);
	return store;
}

static int drop(const char *bytes, size_t length, void *arg)
{
	(void)bytes, (void)length, (void)arg;
	return 0;
}

static void try_filter(const struct node *operation)
{
	static struct writer writer;
	struct walk_options options = {.store = make_store()};
	struct error err = ERROR_INIT;
	struct walk *walk;
	int rc;

	options.filter = node_child(operation, "filter", NULL);
	writer_init(&writer, drop, NULL);
	if (walk_open(&walk, &options, &err))
		return;
	do
		rc = walk_prepare(walk, &err);
	while (rc > 0);
	while (!rc && walk_step(walk, &writer))
		;
	writer_flush(&writer);
	walk_close(walk);
}

static void try_edit(struct message *message)
{
	struct candidate candidate;
	struct error err = ERROR_INIT;
	struct edit *edit = NULL;

	if (message_take_edit(message, false, &edit, &err) || !edit)
		return;
	candidate_open(&candidate, make_store());
	if (!candidate_apply(&candidate, edit, &err))
		candidate_validate(&candidate, &err);
	candidate_discard(&candidate);
	edit_free(edit);
}

static void try_message(struct message *message)
{
	struct error err = ERROR_INIT;
	const struct node *operation;

	if (message_finish(message, &err) || message->error.code)
		return;
	operation = message_operation(message);
	if (!operation)
		return;
	try_filter(operation);
	try_edit(message);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static struct netconf_server server = {.options.limits.memory = 1U << 20,
					       .rpcs = netconf_rpcs};
	static struct netconf_session session = {.server = &server};
	struct error err = ERROR_INIT;
	struct message *message;
	size_t part;

	if (size < 2)
		return 0;
	session.greeted = data[0] & 1;
	part = 1 + (data[0] >> 1) * 8U;
	message = message_open(&session);
	for (size_t at = 1; at < size; at += part)
		if (message_feed(message, (const char *)data + at,
				 size - at < part ? size - at : part, &err))
			break;
	if (!err.code)
		try_message(message);
	message_close(message);
	if (server.memory)
		abort();
	return 0;
}
