/* get-schema (RFC 6022 section 3.1). */
#include <errno.h>

#include "model/names.h"
#include "netconf/blank.h"
#include "netconf/reply.h"
#include "netconf/rpc_table.h"

#define STEP     4096 /* bytes of text */
#define TEXT_MAX 128

/* A reply under way. */
struct get_schema {
	struct module_text text;
	size_t at;
};

/* A parameter without the white space around it; "" when it is not given or too long. */
static const char *read_text(const struct node *operation, const char *name, char ret[TEXT_MAX])
{
	const struct node *node = node_child(operation, name, NAMESPACE_MONITORING);
	size_t length = node ? node->length : 0;
	const char *text = node ? blank_trim(node->text, &length) : "";

	if (length >= TEXT_MAX)
		length = 0;
	snprintf(ret, TEXT_MAX, "%.*s", (int)length, text);
	return ret;
}

static int find_schema(const struct node *operation, const struct module **ret, struct error *err)
{
	const struct node *format = node_child(operation, "format", NAMESPACE_MONITORING);
	char identifier[TEXT_MAX], version[TEXT_MAX];
	bool any = !node_child(operation, "version", NAMESPACE_MONITORING);

	if (!node_child(operation, "identifier", NAMESPACE_MONITORING))
		return rpc_refuse(err, ERROR_MISSING_ELEMENT, "identifier",
				  "get-schema needs an identifier");
	if (format && !node_names_identity(format, NAMESPACE_MONITORING, "yang"))
		return rpc_refuse(err, ERROR_INVALID_VALUE, "format",
				  "the only format here is yang");
	read_text(operation, "identifier", identifier);
	read_text(operation, "version", version);
	*ret = module_find(netconf_modules, identifier, any ? NULL : version, err);
	return *ret ? 0 : -error_kind(err->code)->os_errno;
}

/* Line by line: a line feed need not be escaped, and what a step writes ends with one. */
static enum stream_step step(struct netconf_session *session, void *state)
{
	struct get_schema *get = state;
	struct writer *writer = &session->writer;
	size_t end = get->at + STEP;

	if (!get->at) {
		reply_begin(session);
		write_text(writer, "<data xmlns=\"" NAMESPACE_MONITORING "\">");
	}
	while (get->at < get->text.length && get->at < end) {
		const char *line = get->text.bytes + get->at;
		const char *feed = memchr(line, '\n', get->text.length - get->at);
		size_t length = feed ? (size_t)(feed - line) : get->text.length - get->at;

		write_escaped(writer, line, length);
		if (feed)
			write_bytes(writer, "\n", 1);
		get->at += length + (feed != NULL);
	}
	if (get->at < get->text.length)
		return STREAM_GOES_ON;
	write_text(writer, "</data>");
	return STREAM_ENDS;
}

static void free_get_schema(void *state)
{
	struct get_schema *get = state;

	module_text_free(&get->text);
	free(get);
}

int rpc_get_schema(struct netconf_session *session, const struct node *operation, struct error *err)
{
	const struct module *module = NULL;
	struct get_schema *get;
	int rc = error_in_operation(err, find_schema(operation, &module, err));

	if (rc)
		return rc;
	get = calloc(1, sizeof(*get));
	if (!get)
		return error_set(err, ERROR_RESOURCE, "out of memory");
	rc = module_read(&session->server->modules, module, &get->text, err);
	if (!rc && get->text.memory)
		rc = message_hold(session->message, get->text.length, err);
	if (rc) {
		free_get_schema(get);
		return error_in_operation(err, rc);
	}
	session_stream(session, &(struct stream){step, free_get_schema, get});
	return RPC_LATER;
}
