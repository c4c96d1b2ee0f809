/*
 * edit-config, copy-config and delete-config (RFC 6241 sections 7.2 to 7.4), and edit-data (RFC
 * 8526 section 3.1.2).
 */
#include <errno.h>

#include "netconf/defaults.h"
#include "netconf/nmda.h"
#include "netconf/rpc_engine.h"
#include "netconf/rpc_table.h"

static int bad_value(const char *parameter, const char *allowed, struct error *err)
{
	return rpc_refuse(err, ERROR_INVALID_VALUE, parameter, "%s: allowed: %s", parameter,
			  allowed);
}

static int read_default_operation(const struct node *operation, enum edit_operation *ret,
				  struct error *err)
{
	const char *text = node_text(operation, "default-operation", operation->uri);

	*ret = EDIT_MERGE;
	if (!text)
		return 0;
	if (!decode_operation(text, strlen(text), ret) ||
	    (*ret != EDIT_MERGE && *ret != EDIT_REPLACE && *ret != EDIT_NONE))
		return bad_value("default-operation", "merge, replace, none", err);
	return 0;
}

static int check_order(const struct node *operation, struct error *err)
{
	const struct node *child = node_child(operation, "config", operation->uri);

	for (; child; child = child->next)
		if (!strcmp(child->name, "default-operation"))
			return rpc_refuse(err, ERROR_BAD_ELEMENT, "default-operation",
					  "default-operation must come before config (RFC 7950 "
					  "section 7.14.4)");
	return 0;
}

/*
 * An edit is done whole or not at all, which is rollback-on-error, and satisfies stop-on-error;
 * with continue-on-error, entry by entry.
 */
static int read_error_option(const struct node *operation, bool *ret_continues, struct error *err)
{
	const char *text = node_text(operation, "error-option", NAMESPACE_BASE);

	*ret_continues = text && !strcmp(text, "continue-on-error");
	if (!text || *ret_continues || !strcmp(text, "stop-on-error") ||
	    !strcmp(text, "rollback-on-error"))
		return 0;
	return bad_value("error-option", "stop-on-error, continue-on-error, rollback-on-error",
			 err);
}

/*
 * Running is always tested, for it is always valid. The candidate need not be until it is committed
 * (RFC 7950 section 8.3.3): it is tested only if the client says so.
 */
enum test { TEST_UNSAID, TEST_THEN_SET, TEST_NONE, TEST_ONLY };

static int read_test_option(const struct node *operation, enum test *ret, struct error *err)
{
	static const char *const words[] = {"", "test-then-set", "set", "test-only"};
	const char *text = node_text(operation, "test-option", NAMESPACE_BASE);

	*ret = TEST_UNSAID;
	if (!text)
		return 0;
	for (*ret = TEST_THEN_SET; *ret <= TEST_ONLY; ++*ret)
		if (!strcmp(text, words[*ret]))
			return 0;
	return bad_value("test-option", "test-then-set, set, test-only", err);
}

/*
 * Check the parameters before <config> (RFC 7950 section 7.14.4), so that one that is wrong is
 * refused before <config> is read.
 */
int rpc_edit_config_begin(const struct node *operation, enum edit_operation *ret, struct error *err)
{
	bool continues, has_target = node_child(operation, "target", NAMESPACE_BASE);
	enum engine_datastore which;
	enum test test;
	int rc = has_target ? rpc_datastore(operation, "target", false, &which, err) : 0;

	rc = rc ? rc : read_default_operation(operation, ret, err);
	rc = rc ? rc : read_error_option(operation, &continues, err);
	return rc ? rc : read_test_option(operation, &test, err);
}

static int take_edit(struct netconf_session *session, bool continues, struct edit **ret_edit,
		     struct error *err)
{
	int rc = message_take_edit(session->message, continues, ret_edit, err);

	if (rc || *ret_edit)
		return rc;
	return rpc_refuse(err, ERROR_MISSING_ELEMENT, "config", "%s needs a config",
			  message_operation(session->message)->name);
}

/* Takes ownership of @edit. */
static int carry_out(struct netconf_session *session, enum engine_datastore which,
		     struct edit *edit, bool test, const struct engine_who *who, struct error *err)
{
	struct engine *engine = session->server->options.engine;

	return rpc_await(session,
			 which == ENGINE_CANDIDATE
				 ? engine_stage(engine, edit, test, who, rpc_done, session)
				 : engine_edit(engine, edit, who, rpc_done, session),
			 err);
}

int rpc_edit_config(struct netconf_session *session, const struct node *operation,
		    struct error *err)
{
	struct engine_who who = rpc_who(session);
	enum engine_datastore which;
	struct edit *edit = NULL;
	enum test test = TEST_UNSAID;
	bool continues = false;
	int rc = rpc_datastore(operation, "target", false, &which, err);

	rc = rc ? rc : check_order(operation, err);
	rc = rc ? rc : read_error_option(operation, &continues, err);
	rc = rc ? rc : read_test_option(operation, &test, err);
	rc = rc ? rc : rpc_comment(operation, &who, err);
	rc = rc ? rc : take_edit(session, continues, &edit, err);
	if (rc)
		return rc;
	if (test == TEST_ONLY)
		return rpc_await(session,
				 engine_test(session->server->options.engine, which, edit, &who,
					     rpc_done, session),
				 err);
	return carry_out(session, which, edit, test == TEST_THEN_SET, &who, err);
}

/* The datastore may come after <config>: it is looked at then. */
int rpc_edit_data_begin(const struct node *operation, enum edit_operation *ret, struct error *err)
{
	bool has_target = node_child(operation, "datastore", NAMESPACE_NMDA);
	enum engine_datastore which;
	int rc = has_target ? rpc_datastore_leaf(operation, &which, err) : 0;

	return rc ? rc : read_default_operation(operation, ret, err);
}

int rpc_edit_data(struct netconf_session *session, const struct node *operation, struct error *err)
{
	const struct engine_who who = rpc_who(session);
	enum engine_datastore which;
	struct edit *edit = NULL;
	int rc = rpc_datastore_leaf(operation, &which, err);

	rc = rc ? rc : check_order(operation, err);
	rc = rc ? rc : take_edit(session, false, &edit, err);
	return rc ? rc : carry_out(session, which, edit, false, &who, err);
}

/* <config> holds a whole configuration, which replaces the target. */
int rpc_replace_begin(const struct node *operation, enum edit_operation *ret, struct error *err)
{
	(void)operation, (void)err;
	*ret = EDIT_REPLACE;
	return 0;
}

int rpc_copy_config(struct netconf_session *session, const struct node *operation,
		    struct error *err)
{
	struct engine *engine = session->server->options.engine;
	struct engine_who who = rpc_who(session);
	const struct engine_confirm copy = {.copies = true};
	enum engine_datastore source, target;
	struct edit *edit = NULL;
	enum defaults unused; /* the copy is exact, whatever is asked for (RFC 6243 4.5.1) */
	int rc = rpc_datastore(operation, "target", false, &target, err);

	rc = rc ? rc : rpc_datastore(operation, "source", true, &source, err);
	rc = rc ? rc : defaults_read(operation, NAMESPACE_WITH_DEFAULTS, &unused, err);
	if (!rc && source == target)
		rc = rpc_refuse(err, ERROR_INVALID_VALUE, "source",
				"source and target are the same configuration");
	if (!rc && source == ENGINE_DATASTORES)
		rc = take_edit(session, false, &edit, err);
	if (rc)
		return rc;
	if (edit)
		return carry_out(session, target, edit, false, &who, err);
	return rpc_await(session,
			 target == ENGINE_CANDIDATE
				 ? engine_discard(engine, &who, rpc_done, session)
				 : engine_commit_staged(engine, &copy, &who, rpc_done, session),
			 err);
}

int rpc_delete_config(struct netconf_session *session, const struct node *operation,
		      struct error *err)
{
	const struct engine_who who = rpc_who(session);
	enum engine_datastore target;
	int rc = rpc_datastore(operation, "target", false, &target, err);
	struct edit *edit;

	if (!rc && target == ENGINE_RUNNING)
		rc = rpc_refuse(err, ERROR_UNSUPPORTED, "target",
				"running cannot be deleted (RFC 6241 section 7.4); to empty it, "
				"edit it with operation remove");
	if (rc)
		return rc;
	edit = edit_new();
	if (!edit)
		return error_set(err, ERROR_RESOURCE, "out of memory; try again later");
	edit->operation = EDIT_REMOVE;
	return carry_out(session, target, edit, false, &who, err);
}
