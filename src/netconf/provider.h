/*
 * Read-only data beside that of linux-l2tpv3: a small module is one provider,
 * a row in provider.c, which builds its data as a tree when a get asks for it.
 * The filter then selects of it (subtree.h).
 */
#ifndef NETCONF_PROVIDER_H
#define NETCONF_PROVIDER_H

#include "netconf/session.h"
#include "netconf/subtree.h"

struct provider {
	const char *name, *uri; /* of the top container */
	/* Its module is in the hello: a get without a filter has it too. Else one has to ask. */
	bool announced;
	const struct subtree_list *lists;
	/* Fill the empty @ret with what @session may see now. -ENOMEM. */
	int (*build)(const struct netconf_session *session, struct tree *ret);
};

/* The modules' own files. */
extern const struct provider provider_monitoring;

/* Is @filter (<filter>, or NULL) one that the providers can carry out? ERROR_TOO_BIG. */
int provider_check(const struct node *filter, struct error *err);
/* Write what they have that it asks for, by the session's writer. -ENOMEM: not all of it. */
int provider_write(struct netconf_session *session, const struct node *filter);

/* A container or a list entry below @parent; NULL: no memory, then or before (@parent NULL). */
struct node *provider_add(struct tree *tree, struct node *parent, const char *name);
/* A leaf; the node, or NULL as above. */
struct node *provider_leaf(struct tree *tree, struct node *parent, const char *name,
			   const char *format, ...) __attribute__((format(printf, 4, 5)));
/* yang:date-and-time, in UTC. */
struct node *provider_time(struct tree *tree, struct node *parent, const char *name,
			   const struct timespec *time);

#endif
