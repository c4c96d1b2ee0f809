#include "netconf/provider.h"

#include <errno.h>

static const struct provider *const providers[] = {&provider_monitoring, &provider_yang_library,
						   &provider_modules_state, &provider_streams};

#define PROVIDERS (sizeof(providers) / sizeof(providers[0]))

int provider_check(const struct node *filter, struct error *err)
{
	int rc = 0;

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
		if (tree.broken)
			rc = -ENOMEM;
		else
			subtree_write(&session->writer, filter, tree.root, provider->lists,
				      max_depth);
		tree_free(&tree);
	}
	return rc;
}

unsigned int provider_keys(const char *top, const char *list)
{
	for (unsigned int i = 0; i < PROVIDERS; i++) {
		if (strcmp(providers[i]->name, top) != 0)
			continue;
		for (const struct subtree_list *at = providers[i]->lists; at->name; at++)
			if (!strcmp(at->name, list))
				return at->keys;
	}
	return 0;
}
