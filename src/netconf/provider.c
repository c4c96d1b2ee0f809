#include "netconf/provider.h"

#include <errno.h>
#include <stdarg.h>
#include <time.h>

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

struct node *provider_add(struct tree *tree, struct node *parent, const char *name)
{
	return parent ? tree_add(tree, parent, name, parent->uri) : NULL;
}

struct node *provider_leaf(struct tree *tree, struct node *parent, const char *name,
			   const char *format, ...)
{
	struct node *leaf = provider_add(tree, parent, name);
	char text[256];
	va_list args;

	if (!leaf)
		return NULL;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	leaf->text = tree_text(tree, text, strlen(text));
	leaf->length = strlen(text);
	return leaf->text ? leaf : NULL;
}

struct node *provider_time(struct tree *tree, struct node *parent, const char *name,
			   const struct timespec *time)
{
	char text[40];
	struct tm tm;

	gmtime_r(&time->tv_sec, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return provider_leaf(tree, parent, name, "%s", text);
}
