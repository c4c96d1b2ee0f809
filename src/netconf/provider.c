#include "netconf/provider.h"

static const struct provider *const providers[] = {&provider_monitoring};

#define PROVIDERS (sizeof(providers) / sizeof(providers[0]))

static bool is_asked(const struct provider *provider, const struct node *filter)
{
	return filter ? subtree_asks(filter, provider->name, provider->uri) : provider->announced;
}

int provider_check(const struct node *filter, struct error *err)
{
	int result = 0;

	for (unsigned int i = 0; i < PROVIDERS && !result; i++)
		result = subtree_check(filter, providers[i]->name, providers[i]->uri, err);
	return result;
}

int provider_write(struct netconf_session *session, const struct node *filter)
{
	int result = 0;

	for (unsigned int i = 0; i < PROVIDERS && !result; i++) {
		struct tree tree = {0};

		if (!is_asked(providers[i], filter))
			continue;
		result = providers[i]->build(session, &tree);
		if (!result)
			subtree_write(&session->writer, filter, tree.root, providers[i]->lists);
		tree_free(&tree);
	}
	return result;
}
