#include "netconf/message.h"

#include "netconf/filter.h"
#include "netconf/rpc.h"
#include "netconf/session.h"
#include "netconf/blank.h"

/* Depth of elements in an envelope: rpc, operation, parameter. */
enum { DEPTH_ENVELOPE = 1, DEPTH_OPERATION, DEPTH_PARAMETER };

/* What the reader's functions return when message->error says why to read no more. */
#define REFUSED DECODER_REFUSED

static int refuse(struct message *message, enum error_code code, const char *info,
		  const char *info2, const char *text)
{
	struct error *err = &message->error;

	error_set(err, code, "%s", text);
	snprintf(err->info, sizeof(err->info), "%s", info);
	snprintf(err->info2, sizeof(err->info2), "%s", info2);
	return REFUSED;
}

static int build(struct message *message, const struct reader_element *element, struct error *err)
{
	return tree_builder_handler.start(element, &message->builder, err);
}

static int start_envelope(struct message *message, const struct reader_element *element,
			  struct error *err)
{
	const char *name = message->session->greeted ? "rpc" : "hello";
	int rc;

	if (strcmp(element->name, name) != 0 || strcmp(element->uri, NAMESPACE_BASE) != 0)
		return error_set(err, ERROR_MALFORMED, "expected <%s> in the namespace %s", name,
				 NAMESPACE_BASE);
	message->prefix =
		arena_text(&message->tree.arena, element->prefix, strlen(element->prefix));
	if (!message->prefix)
		return error_set(err, ERROR_RESOURCE, "out of memory");
	rc = build(message, element, err);
	if (!rc && message->session->greeted &&
	    !node_attribute(message->tree.root, "message-id", ""))
		return refuse(message, ERROR_NO_MESSAGE_ID, "message-id", "rpc",
			      "an rpc needs a message-id (RFC 6241 section 4.1)");
	return rc;
}

static int check_attributes(struct message *message, const struct reader_element *element)
{
	if (!element->attribute_count)
		return 0;
	return refuse(message, ERROR_UNKNOWN_ATTRIBUTE, element->attributes[0].name, element->name,
		      "no attributes are allowed here");
}

static int start_operation(struct message *message, const struct reader_element *element,
			   struct error *err)
{
	const struct rpc *rpcs = message->session->server->rpcs;
	int rc;

	if (message->tree.root->first)
		return refuse(message, ERROR_BAD_ELEMENT, element->name, "",
			      "an rpc has one operation, not several");
	message->rpc = rpc_find(rpcs, element->name, element->uri);
	if (!message->rpc) {
		rpc_unknown(rpcs, element->name, element->uri, &message->error);
		return REFUSED;
	}
	if (access_check_rpc(message->session, message->rpc, &message->error))
		return REFUSED;
	rc = check_attributes(message, element);
	return rc ? rc : build(message, element, err);
}

/* The parameter itself goes into the tree, empty; its contents go to the decoder. */
static int start_streamed(struct message *message, const struct reader_element *element,
			  struct error *err)
{
	enum edit_operation operation = EDIT_MERGE;

	if (element->attribute_count)
		return refuse(message, ERROR_UNKNOWN_ATTRIBUTE, element->attributes[0].name,
			      element->name,
			      "no attributes are allowed here; put an operation on an element "
			      "inside, or give the default-operation");
	if (message->rpc->begin(message->tree.root->first, &operation, &message->error))
		return REFUSED;
	message->decoder = decoder_open(operation, DECODER_ENTRIES_MAX);
	if (!message->decoder)
		return error_set(err, ERROR_RESOURCE, "out of memory");
	decoder_collect(message->decoder);
	if (message->rpc->streamed_in)
		decoder_refuse_operations(message->decoder);
	message->decoding = 1;
	return build(message, element, err);
}

/*
 * ncclient takes <config> from its user as it is, and most users write it without a namespace:
 * take no namespace for the operation's. Its filter is in the base namespace, that of
 * create-subscription too.
 */
static int start_parameter(struct message *message, const struct reader_element *element,
			   struct error *err)
{
	const struct rpc *rpc = message->rpc;
	struct reader_element named = *element;
	bool is_filter;
	int rc;

	if (!*named.uri || (!strcmp(named.name, "filter") && !strcmp(named.uri, NAMESPACE_BASE)))
		named.uri = rpc->uri;
	if (rpc_check_parameter(rpc, message->tree.root->first, named.name, named.uri,
				&message->error))
		return REFUSED;
	if (rpc->streamed && !rpc->streamed_in && !strcmp(named.name, rpc->streamed))
		return start_streamed(message, &named, err);
	is_filter = !strcmp(named.name, "filter");
	message->filter = is_filter || !strcmp(named.name, "subtree-filter");
	rc = is_filter ? 0 : check_attributes(message, &named);
	rc = rc ? rc : build(message, &named, err);
	if (!rc && is_filter && filter_check(message->builder.at, &message->error))
		return REFUSED;
	return rc;
}

static int refuse_text(struct message *message, const struct node *node)
{
	return refuse(message, ERROR_BAD_ELEMENT, node->name, "",
		      "text is not allowed here, only elements");
}

/* The first <config> in <source>, for those whose rpc has it there. */
static bool is_streamed(const struct message *message, const struct reader_element *element)
{
	const struct rpc *rpc = message->rpc;

	return rpc->streamed_in && !message->decoder && element->depth == DEPTH_PARAMETER + 1 &&
	       !strcmp(message->builder.at->name, rpc->streamed_in) &&
	       !strcmp(element->name, rpc->streamed) &&
	       (!*element->uri || !strcmp(element->uri, rpc->uri));
}

/* Inside a parameter. */
static int start_inside(struct message *message, const struct reader_element *element,
			struct error *err)
{
	struct reader_element named = *element;
	int rc = 0;

	if (is_streamed(message, element) && !message->builder.at->length) {
		named.uri = message->rpc->uri;
		return start_streamed(message, &named, err);
	}
	if (!message->filter && message->builder.at->length)
		rc = refuse_text(message, message->builder.at);
	else if (!message->filter)
		rc = check_attributes(message, element);
	return rc ? rc : build(message, element, err);
}

static int start(const struct reader_element *element, void *arg, struct error *err)
{
	struct message *message = arg;

	if (message->decoding) {
		message->decoding++;
		return decoder_handler.start(element, message->decoder, err);
	}
	if (element->depth == DEPTH_ENVELOPE)
		return start_envelope(message, element, err);
	if (!message->session->greeted)
		return build(message, element, err);
	if (element->depth == DEPTH_OPERATION)
		return start_operation(message, element, err);
	if (element->depth == DEPTH_PARAMETER)
		return start_parameter(message, element, err);
	return start_inside(message, element, err);
}

/* May this element contain elements only? */
static bool holds_elements(const struct message *message, const struct node *node)
{
	if (!message->session->greeted || message->filter)
		return false;
	return node == message->tree.root || node == message->tree.root->first || node->first;
}

static int text(const char *bytes, size_t length, void *arg, struct error *err)
{
	struct message *message = arg;

	if (message->decoding)
		return decoder_handler.text(bytes, length, message->decoder, err);
	/* Blanks around a parameter's value, or in a filter, do not count. */
	bytes = blank_trim(bytes, &length);
	if (length && holds_elements(message, message->builder.at))
		return refuse_text(message, message->builder.at);
	return tree_builder_handler.text(bytes, length, &message->builder, err);
}

static int end(void *arg, struct error *err)
{
	struct message *message = arg;
	int rc;

	if (message->decoding && --message->decoding)
		return decoder_handler.end(message->decoder, err);
	rc = tree_builder_handler.end(&message->builder, err);
	if (message->builder.at == message->tree.root->first)
		message->filter = false;
	return rc;
}

static const struct reader_handler message_handler = {start, text, end};

struct message *message_open(const struct netconf_session *session)
{
	struct message *message = calloc(1, sizeof(*message));

	if (!message)
		return NULL;
	message->session = session;
	message->prefix = "";
	message->builder = (struct tree_builder){&message->tree, NULL, MESSAGE_TREE_MAX};
	message->reader = reader_open(&message_handler, message);
	if (!message->reader) {
		free(message);
		return NULL;
	}
	return message;
}

/* Clients that each send half of a big request must not fill the memory together. */
static int count_memory(struct message *message, struct error *err)
{
	struct netconf_server *server = message->session->server;
	size_t memory = message->tree.arena.size + message->held;

	if (message->decoder)
		memory += decoder_memory(message->decoder);
	if (message->reader)
		memory += reader_memory(message->reader);
	memory = memory > MESSAGE_FREE ? memory - MESSAGE_FREE : 0;
	server->memory += memory - message->counted;
	message->counted = memory;
	if (!memory || server->memory <= server->options.limits.memory)
		return 0;
	return error_set(err, ERROR_RESOURCE,
			 "all requests together would hold more than %zu bytes of memory; try "
			 "again later, or in parts",
			 server->options.limits.memory);
}

void message_close(struct message *message)
{
	if (!message)
		return;
	message->session->server->memory -= message->counted;
	reader_close(message->reader);
	decoder_close(message->decoder);
	tree_free(&message->tree);
	free(message);
}

static void stop_reading(struct message *message)
{
	reader_close(message->reader);
	message->reader = NULL;
}

/* The rest does not matter. */
static void take_refusal(struct message *message)
{
	struct edit *edit;

	stop_reading(message);
	if (message->decoder && !message->error.code)
		decoder_finish(message->decoder, false, &edit, &message->error);
	else
		message->error.protocol = true; /* the operation is at fault, not the data */
}

/* Is the message refused? If so, what is wrong with the rest of it does not matter any more. */
static bool is_refused(const struct message *message, int rc)
{
	return rc == REFUSED || (rc < 0 && message->decoder && decoder_failed(message->decoder));
}

int message_feed(struct message *message, const char *bytes, size_t length, struct error *err)
{
	int rc;

	if (!message->reader)
		return 0;
	rc = reader_feed(message->reader, bytes, length, err);
	if (is_refused(message, rc)) {
		take_refusal(message);
		rc = 0;
	}
	return rc ? rc : count_memory(message, err);
}

int message_finish(struct message *message, struct error *err)
{
	int rc;

	if (!message->reader)
		return 0;
	rc = reader_finish(message->reader, err);
	if (is_refused(message, rc)) {
		take_refusal(message);
		return 0;
	}
	stop_reading(message);
	return rc;
}

int message_hold(struct message *message, size_t bytes, struct error *err)
{
	message->held = bytes;
	return count_memory(message, err);
}

bool message_empty(const struct message *message)
{
	return message->reader && reader_empty(message->reader);
}

const struct node *message_operation(const struct message *message)
{
	return message->tree.root->first;
}

int message_take_edit(struct message *message, bool continues, struct edit **ret_edit,
		      struct error *err)
{
	*ret_edit = NULL;
	if (!message->decoder)
		return 0;
	return decoder_finish(message->decoder, continues, ret_edit, err);
}
