/*
 * ietf-yang-library: yang-library (RFC 8525), and modules-state of RFC 7895 for older clients. Both
 * say what the table of modules.c does, and the features that the capabilities stand for.
 */
#include "model/names.h"
#include "netconf/capabilities.h"
#include "netconf/nmda.h"
#include "netconf/provider.h"

#define SET      "all"
#define MODULES  "module"
#define IMPORTED "import-only-module"

static struct node *add_module(struct tree *tree, struct node *parent, const char *list,
			       const struct module *module)
{
	struct node *entry = provider_add(tree, parent, list);

	provider_leaf(tree, entry, "name", "%s", module->name);
	provider_leaf(tree, entry, "revision", "%s", module->revision);
	provider_leaf(tree, entry, "namespace", "%s", module->uri);
	for (const char *const *at = module->features; at && *at; at++)
		if (strcmp(module->uri, NAMESPACE_BASE) != 0 || capability_has(*at))
			provider_leaf(tree, entry, "feature", "%s", *at);
	return entry;
}

static void add_datastore(struct tree *tree, struct node *library, const char *name)
{
	struct node *entry = provider_add(tree, library, "datastore");

	provider_identity(tree, entry, "name", "ds", NAMESPACE_DATASTORES, name);
	provider_leaf(tree, entry, "schema", SET);
}

static void add_content_id(struct tree *tree, struct node *parent, const char *name)
{
	char id[CONTENT_ID_SIZE];

	capability_content_id(id);
	provider_leaf(tree, parent, name, "%s", id);
}

static void build_library(const struct netconf_session *session, struct tree *ret)
{
	struct node *library = tree_add(ret, NULL, "yang-library", NAMESPACE_YANG_LIBRARY);
	struct node *set = provider_add(ret, library, "module-set");
	struct node *schema;

	(void)session;
	provider_leaf(ret, set, "name", SET);
	for (const struct module *at = netconf_modules; at->name; at++)
		add_module(ret, set, at->imported ? IMPORTED : MODULES, at);
	schema = provider_add(ret, library, "schema");
	provider_leaf(ret, schema, "name", SET);
	provider_leaf(ret, schema, "module-set", SET);
	for (const struct nmda_datastore *at = nmda_datastores; at->name; at++)
		add_datastore(ret, library, at->name);
	add_content_id(ret, library, "content-id");
}

static void build_state(const struct netconf_session *session, struct tree *ret)
{
	struct node *state = tree_add(ret, NULL, "modules-state", NAMESPACE_YANG_LIBRARY);

	(void)session;
	add_content_id(ret, state, "module-set-id");
	for (const struct module *at = netconf_modules; at->name; at++)
		provider_leaf(ret, add_module(ret, state, MODULES, at), "conformance-type",
			      at->imported ? "import" : "implement");
}

static const struct subtree_list library_lists[] = {
	{"module-set", 1}, {MODULES, 1}, {IMPORTED, 2}, {"schema", 1}, {"datastore", 1}, {NULL, 0},
};
static const struct subtree_list state_lists[] = {{MODULES, 2}, {NULL, 0}};

const struct provider provider_yang_library = {
	.name = "yang-library",
	.uri = NAMESPACE_YANG_LIBRARY,
	.lists = library_lists,
	.build = build_library,
};

const struct provider provider_modules_state = {
	.name = "modules-state",
	.uri = NAMESPACE_YANG_LIBRARY,
	.lists = state_lists,
	.build = build_state,
};
