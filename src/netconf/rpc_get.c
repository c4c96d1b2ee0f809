/* get and get-config (RFC 6241 sections 7.1 and 7.7), get-data (RFC 8526 section 3.1.1). */
#include <errno.h>

#include "netconf/blank.h"
#include "netconf/nmda.h"
#include "netconf/provider.h"
#include "netconf/reply.h"
#include "netconf/rpc_engine.h"
#include "netconf/rpc_table.h"
#include "netconf/search.h"
#include "netconf/walk.h"
#include "netconf/xpath.h"
#include "netconf/xpath_tree.h"

/*
 * A reply under way: compile the filter, write the entries, then what the providers have, if there
 * is state in it.
 */
struct get {
	struct walk *walk;
	struct search *search; /* by XPath, in place of the walk ... */
	struct search_select select;
	const struct node *filter; /* borrowed from the message, or: */
	struct tree xpath;         /* the filter that an XPath stands for */
	const struct acm *acm;     /* shared: as when it was asked for; NULL: it was not */
	struct acm_tree_options acm_options;
	bool state;
	bool begun;         /* the filter is good and the reply has begun */
	bool nmda;          /* it is that of get-data */
	unsigned int depth; /* levels of what the filter selects; 0: all */
};

static void write_tag_of_data(struct netconf_session *session, const struct get *get, bool opening)
{
	if (get->nmda)
		write_text(&session->writer,
			   opening ? "<data xmlns=\"" NAMESPACE_NMDA "\">" : "</data>");
	else
		(opening ? reply_open : reply_close)(session, "data");
}

static enum stream_step prepare(struct netconf_session *session, struct get *get)
{
	struct error err = ERROR_INIT;
	int rc = walk_prepare(get->walk, &err);

	if (rc >= 0 && message_hold(session->message, walk_memory(get->walk), &err))
		rc = -ENOMEM;
	if (error_in_operation(&err, rc) < 0) {
		reply_error(session, &err);
		return STREAM_ANSWERED;
	}
	if (!rc) {
		reply_begin(session);
		write_tag_of_data(session, get, true);
		get->begun = true;
	}
	return STREAM_GOES_ON;
}

static enum stream_step step_search(struct netconf_session *session, struct get *get)
{
	struct error err = ERROR_INIT;
	int rc = search_step(get->search, &err);

	if (rc < 0 && !get->begun) {
		error_in_operation(&err, rc);
		reply_error(session, &err);
		return STREAM_ANSWERED;
	}
	if (rc < 0)
		session->dead = true; /* half a reply is no reply */
	if (rc == SEARCH_FOUND) {
		reply_begin(session);
		write_tag_of_data(session, get, true);
		get->begun = true;
	}
	if (rc == SEARCH_ENDS)
		write_tag_of_data(session, get, false);
	return rc == SEARCH_ENDS ? STREAM_ENDS : rc == SEARCH_WAITS ? STREAM_WAITS : STREAM_GOES_ON;
}

static enum stream_step step(struct netconf_session *session, void *state)
{
	struct get *get = state;

	if (get->search)
		return step_search(session, get);
	if (!get->begun)
		return prepare(session, get);
	if (walk_broken(get->walk)) {
		session->dead = true; /* half a reply is no reply */
		return STREAM_GOES_ON;
	}
	if (walk_step(get->walk, &session->writer))
		return STREAM_GOES_ON;
	if ((get->acm && provider_write_acm(session, get->filter, get->acm, get->state,
					    &get->acm_options, get->depth)) ||
	    (get->state && provider_write(session, get->filter, get->depth)))
		session->dead = true; /* half a reply is no reply */
	write_tag_of_data(session, get, false);
	return STREAM_ENDS;
}

static void free_get(void *state)
{
	struct get *get = state;

	walk_close(get->walk);
	search_close(get->search);
	tree_free(&get->xpath);
	acm_drop(get->acm);
	free(get);
}

static int out_of_memory(struct error *err)
{
	return error_set(err, ERROR_RESOURCE, "out of memory");
}

/* Have what the XPath selects read: by a filter, if one says the same. */
static int open_xpath(struct netconf_session *session, struct get *get,
		      const struct search_select *xpath, struct walk_options *options,
		      struct error *err)
{
	enum xpath_kind kind = xpath_to_filter(xpath->expression, xpath->scope, &get->xpath);
	struct search_options search = {.selects = &get->select, .count = 1};
	int rc = get->xpath.broken ? out_of_memory(err) : 0;

	if (rc)
		return rc;
	options->exact = true;
	options->filter = get->filter = kind == XPATH_WHOLE ? NULL : get->xpath.root;
	if (kind == XPATH_FILTER)
		return 0;
	if (options->no_config || options->no_state || options->omit_origins)
		return error_set(
			err, ERROR_UNSUPPORTED,
			"config-filter and origin filters go together with an XPath that is "
			"a path with keys, as in /l2tp:l2tpv3/l2tp:tunnel[l2tp:tunnel-id="
			"'1'], and with a subtree filter, not with others");
	options->lines = false;
	get->select = *xpath;
	search.max_depth = options->max_depth;
	search.walk = *options;
	search.walk.max_depth = 0;
	search.state = get->state;
	search.acm = get->acm;
	search.acm_options = get->acm_options;
	rc = xpath_check(xpath->expression, xpath->scope, err);
	return rc ? rc : search_open(&get->search, session, &search, err);
}

/*
 * @which: ENGINE_DATASTORES: the state too, of running. @options has what its parameters say, and
 * is filled in.
 */
static int show(struct netconf_session *session, enum engine_datastore which,
		struct walk_options *options, const struct search_select *xpath, struct error *err)
{
	struct get *get = calloc(1, sizeof(*get));
	struct stream stream = {step, free_get, get};
	int rc = 0;

	if (!get)
		return out_of_memory(err);
	options->engine = session->server->options.engine;
	options->store = engine_store(options->engine);
	options->config = which != ENGINE_DATASTORES;
	options->candidate = which == ENGINE_CANDIDATE;
	options->lines = session->lines;
	options->policy = access_policy(session);
	*get = (struct get){
		.filter = options->filter,
		.state = !options->config && !options->no_state,
		.nmda = !strcmp(message_operation(session->message)->uri, NAMESPACE_NMDA),
		.depth = options->max_depth,
		.acm_options = {options->defaults, options->with_origin, options->omit_origins},
	};
	if (!options->no_config)
		get->acm = acm_share(options->candidate ? engine_candidate_acm(options->engine)
							: options->store->acm);
	if (xpath->expression)
		rc = open_xpath(session, get, xpath, options, err);
	rc = rc ? rc : provider_check(options->filter, err);
	if (!rc && !get->search)
		rc = walk_open(&get->walk, options, err);
	if (rc) {
		free_get(get);
		return error_in_operation(err, rc);
	}
	session_stream(session, &stream);
	return RPC_LATER;
}

/* The candidate is settled now: run the operation again. */
static void show_candidate(int rc, const struct error *told, void *arg)
{
	struct netconf_session *session = arg;
	struct message *message = session->message;
	struct error err = *told;

	rpc_answered(session);
	rc = rc ? rc : message->rpc->run(session, message_operation(message), &err);
	if (rc != RPC_LATER) {
		reply_error(session, &err);
		session_done(session);
	}
}

/* show(), once the candidate is settled, if it is that. */
static int show_settled(struct netconf_session *session, enum engine_datastore which,
			struct walk_options *options, const struct search_select *xpath,
			struct error *err)
{
	struct engine *engine = session->server->options.engine;
	struct engine_who who = rpc_who(session);

	if (which != ENGINE_CANDIDATE || engine_candidate_settled(engine))
		return show(session, which, options, xpath, err);
	return rpc_await(session, engine_settle_candidate(engine, &who, show_candidate, session),
			 err);
}

/* The parameter filter, of either type; its start tag was checked (filter_check()). */
static int read_filter(const struct node *operation, struct walk_options *ret_options,
		       struct search_select *ret_xpath, struct error *err)
{
	const struct node *filter = node_child(operation, "filter", NAMESPACE_BASE);
	const char *select = NULL;
	int rc = filter ? filter_select(filter, &select, err) : 0;

	*ret_xpath = (struct search_select){select, filter};
	if (!select)
		ret_options->filter = filter;
	return rc ? error_in_operation(err, rc)
		  : defaults_read(operation, NAMESPACE_WITH_DEFAULTS, &ret_options->defaults, err);
}

int rpc_get(struct netconf_session *session, const struct node *operation, struct error *err)
{
	struct walk_options options = {.filter = NULL};
	struct search_select xpath;
	int rc = read_filter(operation, &options, &xpath, err);

	return rc ? rc : show(session, ENGINE_DATASTORES, &options, &xpath, err);
}

int rpc_get_config(struct netconf_session *session, const struct node *operation, struct error *err)
{
	struct walk_options options = {.filter = NULL};
	enum engine_datastore which;
	struct search_select xpath;
	int rc = rpc_datastore(operation, "source", false, &which, err);

	rc = rc ? rc : read_filter(operation, &options, &xpath, err);
	return rc ? rc : show_settled(session, which, &options, &xpath, err);
}

/* ---- get-data */

static int refuse(enum error_code code, const char *parameter, const char *text, struct error *err)
{
	return rpc_refuse(err, code, parameter, "%s: %s", parameter, text);
}

static int read_config_filter(const struct node *operation, struct walk_options *ret,
			      struct error *err)
{
	const struct node *node = node_child(operation, "config-filter", NAMESPACE_NMDA);
	size_t length = node ? node->length : 0;
	const char *text = node ? blank_trim(node->text, &length) : "";

	ret->no_state = length == 4 && !memcmp(text, "true", length);
	ret->no_config = length == 5 && !memcmp(text, "false", length);
	if (!node || ret->no_state || ret->no_config)
		return 0;
	return refuse(ERROR_INVALID_VALUE, "config-filter", "allowed: true, false", err);
}

static int read_max_depth(const struct node *operation, struct walk_options *ret, struct error *err)
{
	const struct node *node = node_child(operation, "max-depth", NAMESPACE_NMDA);
	size_t length = node ? node->length : 0;
	const char *text = node ? blank_trim(node->text, &length) : "";
	unsigned int depth = 0;

	if (!node || (length == 9 && !memcmp(text, "unbounded", length)))
		return 0;
	for (size_t i = 0; i < length && depth <= UINT16_MAX; i++)
		depth = text[i] >= '0' && text[i] <= '9' ? 10 * depth + (unsigned int)text[i] - '0'
							 : UINT16_MAX + 1U;
	if (!depth || depth > UINT16_MAX)
		return refuse(ERROR_INVALID_VALUE, "max-depth", "allowed: 1 to 65535, unbounded",
			      err);
	ret->max_depth = depth;
	return 0;
}

/* @found counts the leaves of that name. */
static int read_origins(const struct node *operation, const char *name, unsigned int *ret_origins,
			unsigned int *found, struct error *err)
{
	unsigned int origins = 0;
	int rc = 0;

	*found = *ret_origins = 0;
	for (const struct node *at = operation->first; at && !rc; at = at->next) {
		if (!node_is(at, name, NAMESPACE_NMDA))
			continue;
		rc = nmda_read_origin(at, &origins, err);
		*ret_origins |= origins;
		++*found;
	}
	return rc;
}

/* All that concerns origins, which only operational has. */
static int read_origin_filters(const struct node *operation, struct walk_options *ret,
			       struct error *err)
{
	const struct node *with = node_child(operation, "with-origin", NAMESPACE_NMDA);
	unsigned int only, not, onlys, nots;
	int rc = read_origins(operation, "origin-filter", &only, &onlys, err);

	rc = rc ? rc : read_origins(operation, "negated-origin-filter", &not, &nots, err);
	if (rc)
		return rc;
	if (onlys && nots)
		return refuse(ERROR_BAD_ELEMENT, "negated-origin-filter",
			      "not together with origin-filter", err);
	if (with && (with->first || with->length))
		return refuse(ERROR_BAD_ELEMENT, "with-origin", "it is empty", err);
	if ((with || onlys || nots) && !ret->in_use)
		return refuse(ERROR_INVALID_VALUE, with ? "with-origin" : "origin-filter",
			      "only operational has origins", err);
	ret->with_origin = with;
	ret->omit_origins = onlys ? ~only : nots ? not : 0;
	return 0;
}

static int read_options(const struct node *operation, const struct nmda_datastore *datastore,
			struct walk_options *ret, struct search_select *ret_xpath,
			struct error *err)
{
	const struct node *xpath = node_child(operation, "xpath-filter", NAMESPACE_NMDA);
	int rc = read_config_filter(operation, ret, err);

	*ret_xpath = (struct search_select){xpath ? xpath->text : NULL, xpath};
	ret->in_use = datastore->which == ENGINE_DATASTORES;
	ret->filter = node_child(operation, "subtree-filter", NAMESPACE_NMDA);
	if (!rc && xpath && ret->filter)
		rc = refuse(ERROR_BAD_ELEMENT, "xpath-filter", "not together with subtree-filter",
			    err);
	rc = rc ? rc : read_max_depth(operation, ret, err);
	rc = rc ? rc : read_origin_filters(operation, ret, err);
	rc = rc ? rc : defaults_read(operation, NAMESPACE_NMDA, &ret->defaults, err);
	/* What is in use includes defaults, unless they are not asked for. */
	if (ret->in_use && !node_child(operation, "with-defaults", NAMESPACE_NMDA))
		ret->defaults = DEFAULTS_REPORT_ALL;
	return rc;
}

int rpc_get_data(struct netconf_session *session, const struct node *operation, struct error *err)
{
	const struct node *leaf = node_child(operation, "datastore", NAMESPACE_NMDA);
	const struct nmda_datastore *datastore = leaf ? nmda_find_datastore(leaf) : NULL;
	struct walk_options options = {.filter = NULL};
	struct search_select xpath;
	int rc;

	if (!leaf)
		rc = refuse(ERROR_MISSING_ELEMENT, "datastore", "it is required", err);
	else if (!datastore)
		rc = refuse(ERROR_INVALID_VALUE, "datastore",
			    "there are running, candidate, intended and operational of "
			    "ietf-datastores",
			    err);
	else
		rc = read_options(operation, datastore, &options, &xpath, err);
	if (rc)
		return error_in_operation(err, rc);
	return show_settled(session, datastore->which, &options, &xpath, err);
}
