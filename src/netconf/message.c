#include "netconf/message.h"

#include "netconf/rpc.h"

/* Depth of elements in an envelope: rpc, operation, parameter. */
enum { DEPTH_ENVELOPE = 1, DEPTH_OPERATION, DEPTH_PARAMETER };

static void refuse(struct message *message, enum error_code code, const char *info,
		   const char *text)
{
	if (message->error.code)
		return;
	error_set(&message->error, code, "%s", text);
	snprintf(message->error.info, sizeof(message->error.info), "%s", info);
}

static int build(struct message *message, const struct reader_element *element, struct error *err)
{
	return tree_builder_handler.start(element, &message->builder, err);
}

static int start_envelope(struct message *message, const struct reader_element *element,
			  struct error *err)
{
	const char *name = message->session->greeted ? "rpc" : "hello";

	if (strcmp(element->name, name) != 0 || strcmp(element->uri, NAMESPACE_BASE) != 0)
		return error_set(err, ERROR_MALFORMED, "expected is <%s> of the namespace %s", name,
				 NAMESPACE_BASE);
	message->prefix = tree_text(&message->tree, element->prefix, strlen(element->prefix));
	if (!message->prefix)
		return error_set(err, ERROR_RESOURCE, "out of memory");
	return build(message, element, err);
}

static int start_operation(struct message *message, const struct reader_element *element,
			   struct error *err)
{
	if (message->session->greeted && message->tree.root->first) {
		refuse(message, ERROR_BAD_ELEMENT, element->name,
		       "an rpc holds one operation, not several");
	} else if (message->session->greeted) {
		message->rpc = rpc_find(element->name, element->uri);
		if (!message->rpc && !message->error.code)
			rpc_unknown(element->name, element->uri, &message->error);
	}
	if (message->error.code) {
		message->skip = 1;
		return 0;
	}
	return build(message, element, err);
}

static bool is_streamed(const struct message *message, const struct reader_element *element)
{
	return message->rpc && message->rpc->streamed &&
	       !strcmp(element->name, message->rpc->streamed) &&
	       !strcmp(element->uri, message->rpc->uri);
}

static void refuse_attribute(struct message *message, const struct reader_element *element)
{
	if (message->error.code)
		return;
	refuse(message, ERROR_UNKNOWN_ATTRIBUTE, element->attributes[0].name,
	       "there are no attributes here; an operation belongs to an element inside, or is the "
	       "default-operation");
	snprintf(message->error.info2, sizeof(message->error.info2), "%s", element->name);
}

/* The parameter itself stands in the tree, empty; what is in it goes to the decoder. */
static int start_streamed(struct message *message, const struct reader_element *element,
			  struct error *err)
{
	enum edit_operation operation = EDIT_MERGE;

	if (message->decoder)
		refuse(message, ERROR_BAD_ELEMENT, element->name, "given twice");
	else if (element->attribute_count)
		refuse_attribute(message, element);
	else if (!message->error.code)
		message->rpc->begin(message->tree.root->first, &operation, &message->error);
	if (message->error.code) {
		message->skip = 1;
		return 0;
	}
	message->decoder = decoder_open(operation, netconf_may_see_secrets(message->session),
					DECODER_ENTRIES_MAX);
	if (!message->decoder)
		return error_set(err, ERROR_RESOURCE, "out of memory");
	message->decoding = 1;
	return build(message, element, err);
}

/*
 * ncclient takes <config> from its user as it is, and most users write it
 * without a namespace: no namespace is let pass for the operation's.
 */
static int start_parameter(struct message *message, const struct reader_element *element,
			   struct error *err)
{
	struct reader_element named = *element;

	if (!*named.uri && message->rpc)
		named.uri = message->rpc->uri;
	if (is_streamed(message, &named))
		return start_streamed(message, &named, err);
	return build(message, &named, err);
}

static int start_part(struct message *message, const struct reader_element *element,
		      struct error *err)
{
	if (message->decoding) {
		message->decoding++;
		return decoder_handler.start(element, message->decoder, err);
	}
	if (element->depth == DEPTH_ENVELOPE)
		return start_envelope(message, element, err);
	if (element->depth == DEPTH_OPERATION)
		return start_operation(message, element, err);
	if (element->depth == DEPTH_PARAMETER)
		return start_parameter(message, element, err);
	return build(message, element, err);
}

/* Clients that send halves of big requests must not fill the memory together. */
static int count_memory(struct message *message, struct error *err)
{
	struct netconf_server *server = message->session->server;
	size_t memory = message->tree.size;

	if (message->decoder)
		memory += decoder_memory(message->decoder);
	memory = memory > MESSAGE_FREE ? memory - MESSAGE_FREE : 0;
	server->memory += memory - message->counted;
	message->counted = memory;
	if (!memory || server->memory <= server->options.limits.memory)
		return 0;
	return error_set(err, ERROR_RESOURCE,
			 "all requests together would hold more than %zu bytes of memory; try it "
			 "again later, or in parts",
			 server->options.limits.memory);
}

static int start(const struct reader_element *element, void *arg, struct error *err)
{
	struct message *message = arg;
	int result;

	if (message->skip) {
		message->skip++;
		return 0;
	}
	result = start_part(message, element, err);
	return result ? result : count_memory(message, err);
}

static int text(const char *bytes, size_t length, void *arg, struct error *err)
{
	struct message *message = arg;

	if (message->skip)
		return 0;
	if (message->decoding)
		return decoder_handler.text(bytes, length, message->decoder, err);
	/* What is blank around a parameter's value, or in a filter, does not count. */
	for (; length && reader_blank(bytes, 1); length--)
		bytes++;
	while (length && reader_blank(bytes + length - 1, 1))
		length--;
	return tree_builder_handler.text(bytes, length, &message->builder, err);
}

static int end(void *arg, struct error *err)
{
	struct message *message = arg;

	if (message->skip) {
		message->skip--;
		return 0;
	}
	if (message->decoding && --message->decoding)
		return decoder_handler.end(message->decoder, err);
	return tree_builder_handler.end(&message->builder, err);
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
	message->reader = reader_open(&reader_limits, &message_handler, message);
	if (!message->reader) {
		free(message);
		return NULL;
	}
	return message;
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

void message_end(struct message *message)
{
	reader_close(message->reader);
	message->reader = NULL;
}

const struct node *message_operation(const struct message *message)
{
	return message->tree.root->first;
}

int message_take_edit(struct message *message, struct edit **ret_edit, struct error *err)
{
	*ret_edit = NULL;
	if (!message->decoder)
		return 0;
	return decoder_finish(message->decoder, ret_edit, err);
}
