/* Partial locks (RFC 5717). */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/names.h"
#include "netconf/instance.h"
#include "netconf/reply.h"
#include "netconf/rpc_engine.h"
#include "netconf/rpc_table.h"
#include "netconf/search.h"
#include "netconf/xpath.h"

static void write_node(const char *path, void *arg)
{
	struct writer *writer = arg;

	write_text(writer, "<locked-node xmlns=\"" NAMESPACE_PARTIAL_LOCK "\" xmlns:" PREFIX_MODULE
			   "=\"" NAMESPACE_MODULE "\">");
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

/* ---- nodes found by XPath (RFC 5717 section 2.4.1) */

#define SELECTS_MAX 64 /* that must be evaluated */

/* A lock under way: in a process of its own (search.h) XPaths find what to lock. */
struct finding {
	const struct node *operation; /* <partial-lock> */
	struct search *search;
	struct tree filter; /* that says where to search */
	const struct acm *acm;
	struct writer writer; /* into `text` */
	char *text;           /* a line for each part that is found */
	size_t length;
	struct search_select selects[];
};

/* Stands for a node that cannot be locked by itself: no entry has these ids. */
static const struct engine_part outside = {.session_id = UINT32_MAX};

/* In the search's process. */
struct output {
	struct writer *writer;
	struct engine_part last; /* leaves of an entry are one part */
	size_t count;
};

static bool joins(const struct engine_part *last, const struct engine_part *part)
{
	return last->tunnel_id == part->tunnel_id && last->session_id == part->session_id &&
	       last->leaves && part->leaves;
}

#define PART_LINE "%" PRIx32 " %" PRIx32 " %" PRIx64 "\n"
#define PART_SCAN "%" SCNx32 " %" SCNx32 " %" SCNx64

static void write_last(struct output *out)
{
	const struct engine_part *last = &out->last;
	char line[64];

	snprintf(line, sizeof(line), PART_LINE, last->tunnel_id, last->session_id, last->leaves);
	write_text(out->writer, line);
}

static void put_part(const struct xpath_step *steps, size_t count, void *arg)
{
	struct output *out = arg;
	struct engine_part part;

	if (!instance_find(steps, count, &part))
		part = outside;
	if (out->count && joins(&out->last, &part)) {
		out->last.leaves |= part.leaves;
		return;
	}
	if (out->count > ENGINE_PARTS_MAX) /* one more than fits: enough to refuse it */
		return;
	if (out->count++)
		write_last(out);
	out->last = part;
}

static void write_parts(const struct xpath_tree *tree, struct writer *writer)
{
	struct output out = {.writer = writer};

	xpath_tree_visit(tree, put_part, &out);
	if (out.count)
		write_last(&out);
}

/* In the daemon: the sink of finding->writer. */
static int keep_text(const char *bytes, size_t length, void *arg)
{
	struct finding *finding = arg;
	char *grown = realloc(finding->text, finding->length + length + 1);

	if (!grown)
		return -ENOMEM;
	memcpy(grown + finding->length, bytes, length);
	finding->text = grown;
	finding->length += length;
	grown[finding->length] = '\0';
	return 0;
}

/* How many lines there are; the first ENGINE_PARTS_MAX into @ret. */
static size_t read_parts(const char *text, struct engine_part ret[ENGINE_PARTS_MAX])
{
	size_t count = 0;

	for (const char *at = text; at && *at; at = strchr(at, '\n') + 1, count++) {
		struct engine_part part = {0};

		sscanf(at, PART_SCAN, &part.tunnel_id, &part.session_id, &part.leaves);
		if (count < ENGINE_PARTS_MAX)
			ret[count] = part;
	}
	return count;
}

static int too_many(struct error *err)
{
	return rpc_refuse(err, ERROR_TOO_BIG, "select", "too many nodes; lock what contains them");
}

/* Its text, and what the prefixes in scope stand for (provider_select() reads it). */
static void put_select(FILE *to, const struct node *select)
{
	fprintf(to, "%s%c", select->text, '\0');
	for (const struct node *at = select; at; at = at->parent)
		for (const struct declaration *one = at->declarations; one; one = one->next)
			if (*one->prefix &&
			    one->uri == node_namespace(select, one->prefix, strlen(one->prefix)))
				fprintf(to, "%s%c%s%c", one->prefix, '\0', one->uri, '\0');
	fputc('\0', to);
}

/* Room for @count parts, with the selects as they were given. */
static struct engine_partial *new_partial(const struct node *operation, size_t count)
{
	struct engine_partial *partial = NULL;
	char *selects = NULL;
	size_t length;
	FILE *file = open_memstream(&selects, &length);

	if (!file)
		return NULL;
	for (const struct node *at = operation->first; at; at = at->next)
		put_select(file, at);
	fputc('\0', file);
	if (fclose(file) == 0)
		partial = engine_partial_new(count, selects, length);
	free(selects);
	return partial;
}

static int out_of_memory(struct error *err)
{
	return error_set(err, ERROR_RESOURCE, "out of memory; try again later");
}

/* Takes over @partial. */
static int lock_parts(struct netconf_session *session, struct engine_partial *partial,
		      struct error *err)
{
	struct engine_who who = rpc_who(session);

	return rpc_await(session,
			 engine_lock_parts(session->server->options.engine, partial, &who,
					   partial_done, session),
			 err);
}

static int lock_found(struct netconf_session *session, struct finding *finding, struct error *err)
{
	struct engine_part parts[ENGINE_PARTS_MAX];
	struct engine_partial *partial;
	size_t count;

	if (writer_flush(&finding->writer))
		return out_of_memory(err);
	count = read_parts(finding->text, parts);
	if (count > ENGINE_PARTS_MAX)
		return too_many(err);
	for (size_t i = 0; i < count; i++)
		if (!parts[i].tunnel_id && parts[i].session_id == outside.session_id)
			return rpc_refuse(err, ERROR_INVALID_VALUE, "select",
					  "it selects more than nodes of " NAMESPACE_MODULE
					  "; what is beside cannot be locked by itself");
	partial = new_partial(finding->operation, count);
	if (!partial)
		return out_of_memory(err);
	if (count)
		memcpy(partial->parts, parts, count * sizeof(parts[0]));
	return lock_parts(session, partial, err);
}

static enum stream_step step_finding(struct netconf_session *session, void *state)
{
	struct finding *finding = state;
	struct error err = ERROR_INIT;
	int rc = search_step(finding->search, &err);

	if (rc < 0)
		error_in_operation(&err, rc);
	else if (rc == SEARCH_ENDS)
		rc = lock_found(session, finding, &err);
	else
		return rc == SEARCH_WAITS ? STREAM_WAITS : STREAM_GOES_ON;
	if (rc == RPC_LATER)
		return STREAM_LEAVES;
	reply_error(session, &err);
	return STREAM_ANSWERED;
}

static void free_finding(void *state)
{
	struct finding *finding = state;

	search_close(finding->search);
	tree_free(&finding->filter);
	acm_drop(finding->acm);
	free(finding->text);
	free(finding);
}

static int check_selects(const struct node *operation, struct search_select *ret, struct error *err)
{
	size_t i = 0;
	int rc = 0;

	for (const struct node *at = operation->first; at && !rc; at = at->next) {
		ret[i++] = (struct search_select){at->text, at};
		rc = xpath_check(at->text, at, err);
	}
	return rc;
}

static int open_search(struct netconf_session *session, struct finding *finding, size_t count,
		       struct error *err)
{
	struct search_options options = {
		.walk = {.engine = session->server->options.engine,
			 .store = engine_store(session->server->options.engine),
			 .policy = access_policy(session),
			 .exact = true,
			 .config = true},
		.selects = finding->selects,
		.count = count,
		.write = write_parts,
		.writer = &finding->writer,
	};

	if (count == 1 && xpath_to_filter(finding->selects[0].expression, finding->selects[0].scope,
					  &finding->filter) != XPATH_WHOLE)
		options.walk.filter = finding->filter.root;
	if (finding->filter.broken)
		return out_of_memory(err);
	writer_init(&finding->writer, keep_text, finding);
	options.acm = finding->acm = acm_share(options.walk.store->acm);
	return search_open(&finding->search, session, &options, err);
}

static int find_parts(struct netconf_session *session, const struct node *operation, size_t count,
		      struct error *err)
{
	struct finding *finding;
	int rc;

	if (count > SELECTS_MAX)
		return rpc_refuse(err, ERROR_TOO_BIG, "select",
				  "too many XPaths; put bars between them, or give instance "
				  "identifiers");
	finding = calloc(1, sizeof(*finding) + count * sizeof(finding->selects[0]));
	if (!finding)
		return out_of_memory(err);
	finding->operation = operation;
	rc = check_selects(operation, finding->selects, err);
	rc = rc ? rc : open_search(session, finding, count, err);
	if (rc) {
		free_finding(finding);
		return rc;
	}
	session_stream(session, &(struct stream){step_finding, free_finding, finding});
	return RPC_LATER;
}

/* ---- the operations */

/* False: a select is no instance identifier. */
static bool read_instances(const struct node *operation, struct engine_part *ret)
{
	const struct node *at = operation->first;

	while (at && !instance_parse(at, ret++, NULL))
		at = at->next;
	return !at;
}

int rpc_partial_lock(struct netconf_session *session, const struct node *operation,
		     struct error *err)
{
	struct engine_partial *partial;
	size_t count = 0;
	int rc;

	for (const struct node *at = operation->first; at; at = at->next)
		count++;
	if (!count)
		return rpc_refuse(err, ERROR_MISSING_ELEMENT, "select",
				  "select is required: what to lock");
	if (count > ENGINE_PARTS_MAX)
		return too_many(err);
	partial = new_partial(operation, count);
	if (!partial)
		return out_of_memory(err);
	if (read_instances(operation, partial->parts))
		return lock_parts(session, partial, err);
	free(partial);
	rc = find_parts(session, operation, count, err);
	return rc < 0 ? error_in_operation(err, rc) : rc;
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
		return rpc_refuse(err, ERROR_INVALID_VALUE, "lock-id",
				  "lock-id is a number, that of the reply to partial-lock");
	return error_in_operation(err, engine_unlock_parts(session->server->options.engine,
							   (unsigned int)id, session->id, err));
}
