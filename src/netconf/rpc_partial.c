/* Partial locks (RFC 5717). */
#include <errno.h>
#include <stdlib.h>

#include "netconf/instance.h"
#include "netconf/reply.h"
#include "netconf/rpc_engine.h"
#include "netconf/rpc_table.h"

static void write_node(const char *path, void *arg)
{
	struct writer *writer = arg;

	write_text(writer, "<locked-node xmlns=\"" NAMESPACE_PARTIAL_LOCK
			   "\" xmlns:" INSTANCE_PREFIX "=\"" NAMESPACE_MODULE "\">");
	write_escaped(writer, path, strlen(path));
	write_text(writer, "</locked-node>");
}

static void partial_done(int rc, const struct error *err, void *arg)
{
	struct netconf_session *session = arg;
	const struct engine_partial *at = engine_partials(session->server->options.engine);
	unsigned int id = session->ticket;

	while (at && at->id != id)
		at = at->next;
	if (rc < 0 || !at) {
		rpc_done(rc, err, session);
		return;
	}
	rpc_answered(session);
	reply_begin(session);
	write_text(&session->writer, "<lock-id xmlns=\"" NAMESPACE_PARTIAL_LOCK "\">");
	write_number(&session->writer, id);
	write_text(&session->writer, "</lock-id>");
	instance_visit(at, write_node, &session->writer);
	reply_end(session);
	session_done(session);
}

static int parse_selects(const struct node *operation, struct engine_partial *partial,
			 struct error *err)
{
	size_t i = 0;
	int rc = 0;

	for (const struct node *at = operation->first; at && !rc; at = at->next)
		rc = instance_parse(at, &partial->parts[i++], err);
	if (rc)
		err->app_tag = "invalid-lock-specification";
	return rc;
}

int rpc_partial_lock(struct netconf_session *session, const struct node *operation,
		     struct error *err)
{
	struct engine_who who = rpc_who(session);
	struct engine_partial *partial;
	size_t count = 0, length = 1, used = 0;
	char *selects;
	int rc;

	for (const struct node *at = operation->first; at; at = at->next, count++)
		length += at->length + 1;
	if (!count)
		return rpc_refuse(err, ERROR_MISSING_ELEMENT, "select",
				  "select is required: what to lock");
	if (count > ENGINE_PARTS_MAX)
		return rpc_refuse(err, ERROR_TOO_BIG, "select",
				  "too many nodes; lock what contains them");
	selects = calloc(1, length);
	for (const struct node *at = operation->first; selects && at; at = at->next) {
		memcpy(selects + used, at->text, at->length);
		used += at->length + 1;
	}
	partial = selects ? engine_partial_new(count, selects, length) : NULL;
	free(selects);
	if (!partial)
		return error_set(err, ERROR_RESOURCE, "out of memory; try again later");
	rc = parse_selects(operation, partial, err);
	if (rc) {
		free(partial);
		return error_in_operation(err, rc);
	}
	return rpc_await(session,
			 engine_lock_parts(session->server->options.engine, partial, &who,
					   partial_done, session),
			 err);
}

int rpc_partial_unlock(struct netconf_session *session, const struct node *operation,
		       struct error *err)
{
	const char *text = node_text(operation, "lock-id", NAMESPACE_PARTIAL_LOCK);
	unsigned long id;
	char *end;

	if (!text)
		return rpc_refuse(err, ERROR_MISSING_ELEMENT, "lock-id",
				  "lock-id is required: which lock to release");
	id = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || id > UINT32_MAX)
		id = 0; /* no lock has it */
	return error_in_operation(err, engine_unlock_parts(session->server->options.engine,
							   (unsigned int)id, session->id, err));
}
