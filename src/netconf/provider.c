#include "netconf/provider.h"

#include <errno.h>

static const struct provider *const providers[] = {&provider_monitoring, &provider_yang_library,
						   &provider_modules_state, &provider_streams};

/* of NACM's configuration */
static const struct subtree_list acm_lists[] = {
	{"group", 1}, {"rule-list", 1}, {"rule", 1}, {NULL, 0}};

#define PROVIDERS (sizeof(providers) / sizeof(providers[0]))

int provider_check(const struct node *filter, struct error *err)
{
	int rc = subtree_check(filter, acm_rows[ACM_NACM].name, NAMESPACE_ACM, err);

	for (unsigned int i = 0; i < PROVIDERS && !rc; i++)
		rc = subtree_check(filter, providers[i]->name, providers[i]->uri, err);
	return rc;
}

int provider_write(struct netconf_session *session, const struct node *filter,
		   unsigned int max_depth)
{
	int rc = 0;

	for (unsigned int i = 0; i < PROVIDERS && !rc; i++) {
		const struct provider *provider = providers[i];
		struct tree tree = {0};

		if (!subtree_asks(filter, provider->name, provider->uri))
			continue;
		provider->build(session, &tree);
		access_prune(session, &tree);
		if (tree.broken)
			rc = -ENOMEM;
		else if (tree.root)
			subtree_write(&session->writer, filter, tree.root, provider->lists,
				      max_depth);
		tree_free(&tree);
	}
	return rc;
}

unsigned int provider_keys(const char *top, const char *list)
{
	const struct subtree_list *at = !strcmp(top, acm_rows[ACM_NACM].name) ? acm_lists : NULL;

	for (unsigned int i = 0; i < PROVIDERS && !at; i++)
		at = !strcmp(top, providers[i]->name) ? providers[i]->lists : NULL;
	while (at && at->name && strcmp(at->name, list) != 0)
		at++;
	return at && at->name ? at->keys : 0;
}

int provider_write_acm(struct netconf_session *session, const struct node *filter,
		       const struct acm *acm, bool state, const struct acm_tree_options *options,
		       unsigned int max_depth)
{
	struct tree tree = {0};
	int rc = 0;

	if (!subtree_asks(filter, acm_rows[ACM_NACM].name, NAMESPACE_ACM) ||
	    (session->lines && !filter)) /* our shell asks for it if it wants it */
		return 0;
	acm_tree_build(acm, state ? &session->server->denied : NULL, options, &tree);
	access_prune(session, &tree);
	if (tree.broken)
		rc = -ENOMEM;
	else if (tree.root && tree.root->first)
		subtree_write(&session->writer, filter, tree.root, acm_lists, max_depth);
	tree_free(&tree);
	return rc;
}
