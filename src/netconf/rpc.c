#include "netconf/rpc.h"

#include <stdarg.h>

#include "model/names.h"
#include "netconf/nmda.h"

const struct rpc *rpc_find(const struct rpc *rpcs, const char *name, const char *uri)
{
	while (rpcs->name && (strcmp(rpcs->name, name) != 0 || strcmp(rpcs->uri, uri) != 0))
		rpcs++;
	return rpcs->name ? rpcs : NULL;
}

static void set_info(struct error *err, const char *info, const char *info2)
{
	snprintf(err->info, sizeof(err->info), "%s", info);
	snprintf(err->info2, sizeof(err->info2), "%s", info2);
}

int rpc_refuse(struct error *err, enum error_code code, const char *parameter, const char *format,
	       ...)
{
	char text[sizeof(err->text)];
	va_list arguments;
	int rc;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	rc = error_set(err, code, "%s", text);
	set_info(err, parameter, "");
	return error_in_operation(err, rc);
}

int rpc_unknown(const struct rpc *rpcs, const char *name, const char *uri, struct error *err)
{
	int rc;

	for (; rpcs->name; rpcs++)
		if (!strcmp(rpcs->uri, uri))
			return error_set(err, ERROR_UNSUPPORTED,
					 "the operation %.60s is not supported; the hello lists "
					 "the capabilities",
					 name);
	rc = error_set(err, ERROR_UNKNOWN_NAMESPACE,
		       "no operation is known in the namespace %.100s", uri);
	set_info(err, name, uri);
	return rc;
}

static bool is_parameter(const struct rpc *rpc, const char *name)
{
	for (unsigned int i = 0; i < RPC_PARAMETERS && rpc->parameters[i]; i++)
		if (!strcmp(rpc->parameters[i], name))
			return true;
	return false;
}

static bool is_added(const struct rpc *rpc, const char *name, const char *uri)
{
	const struct rpc_augment *at = rpc->augments;

	while (at && at->name && (strcmp(at->name, name) != 0 || strcmp(at->uri, uri) != 0))
		at++;
	return at && at->name;
}

static bool may_repeat(const struct rpc *rpc, const char *name)
{
	const char *const *at = rpc->repeated;

	return at[0] && (!strcmp(at[0], name) || (at[1] && !strcmp(at[1], name)));
}

int rpc_check_parameter(const struct rpc *rpc, const struct node *operation, const char *name,
			const char *uri, struct error *err)
{
	bool added = is_added(rpc, name, uri);
	int rc = 0;

	if (!added && strcmp(uri, rpc->uri) != 0)
		rc = error_set(err, ERROR_UNKNOWN_NAMESPACE,
			       "parameters of %s are in the namespace %s", rpc->name, rpc->uri);
	else if (!added && !is_parameter(rpc, name))
		rc = error_set(err, ERROR_UNKNOWN_ELEMENT, "%s has no such parameter", rpc->name);
	else if (node_child(operation, name, uri) && !may_repeat(rpc, name))
		rc = error_set(err, ERROR_BAD_ELEMENT, "given twice; allowed once");
	if (rc)
		set_info(err, name, uri);
	return rc;
}

/* Refuse whatever else was named as a configuration. */
static int refuse_configuration(const struct node *which, struct error *err)
{
	static const char *const known[] = {"startup", "url"};
	int rc = 0;

	if (strcmp(which->uri, NAMESPACE_BASE) != 0)
		rc = error_set(err, ERROR_UNKNOWN_NAMESPACE,
			       "<%.60s> is in an unknown namespace; running is in %s", which->name,
			       NAMESPACE_BASE);
	for (unsigned int i = 0; !rc && i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(which->name, known[i]))
			rc = error_set(err, ERROR_UNSUPPORTED,
				       "the configurations here are running and candidate, not %s",
				       known[i]);
	if (!rc)
		rc = error_set(err, ERROR_UNKNOWN_ELEMENT,
			       "%.60s is not a configuration; there are running and candidate",
			       which->name);
	set_info(err, which->name, which->uri);
	return rc;
}

/* lock, unlock and validate may name it as get-data does (RFC 8526 section 3.2). */
static bool may_have_leaf(const struct node *operation)
{
	return node_is(operation, "lock", NAMESPACE_BASE) ||
	       node_is(operation, "unlock", NAMESPACE_BASE) ||
	       node_is(operation, "validate", NAMESPACE_BASE);
}

int rpc_datastore_leaf(const struct node *operation, enum engine_datastore *ret, struct error *err)
{
	const struct node *leaf = node_child(operation, "datastore", NAMESPACE_NMDA);
	const struct nmda_datastore *found = leaf ? nmda_find_datastore(leaf) : NULL;

	if (!leaf)
		return rpc_refuse(err, ERROR_MISSING_ELEMENT, "datastore", "datastore is required");
	if (!found || !found->writable)
		return rpc_refuse(
			err, ERROR_INVALID_VALUE, "datastore",
			"datastore: allowed here: running and candidate of ietf-datastores");
	*ret = found->which;
	return 0;
}

static int read_datastore(const struct node *operation, const char *parameter, bool inline_too,
			  enum engine_datastore *ret, struct error *err)
{
	const struct node *holder = node_child(operation, parameter, NAMESPACE_BASE);
	const struct node *which = holder ? holder->first : NULL;

	if (!which)
		return rpc_refuse(err, ERROR_MISSING_ELEMENT, holder ? "running" : parameter,
				  "%s is required, as in <%s><running/></%s>", parameter, parameter,
				  parameter);
	if (which->next)
		return rpc_refuse(err, ERROR_BAD_ELEMENT, which->next->name,
				  "%s has one configuration", parameter);
	if (node_is(which, "datastore", NAMESPACE_NMDA) && may_have_leaf(operation))
		return rpc_datastore_leaf(holder, ret, err);
	for (*ret = 0; *ret < ENGINE_DATASTORES; ++*ret)
		if (node_is(which, engine_datastore_name(*ret), NAMESPACE_BASE))
			return which->first || which->length
				       ? rpc_refuse(err, ERROR_BAD_ELEMENT, which->name,
						    "%s must be empty, as in <%s/>", which->name,
						    which->name)
				       : 0;
	return inline_too && node_is(which, "config", NAMESPACE_BASE)
		       ? 0
		       : refuse_configuration(which, err);
}

int rpc_datastore(const struct node *operation, const char *parameter, bool inline_too,
		  enum engine_datastore *ret, struct error *err)
{
	return error_in_operation(err, read_datastore(operation, parameter, inline_too, ret, err));
}
