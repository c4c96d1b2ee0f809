/*
 * Read-only data beside that of linux-l2tpv3. A small module is one provider, an entry of the list
 * in provider.c; it builds its data as a tree when a get asks for it, and the filter then selects
 * from that (subtree.h).
 */
#ifndef NETCONF_PROVIDER_H
#define NETCONF_PROVIDER_H

#include "netconf/session.h"
#include "netconf/subtree.h"

struct provider {
	const char *name, *uri; /* of the top container */
	const struct subtree_list *lists;
	/* Fill the empty @ret with what @session may see now. */
	void (*build)(const struct netconf_session *session, struct tree *ret);
};

/* One per module, each in its own file. */
extern const struct provider provider_monitoring, provider_yang_library, provider_modules_state,
	provider_streams;

/* Can the providers carry out @filter (<filter>, or NULL)? If not: ERROR_TOO_BIG. */
int provider_check(const struct node *filter, struct error *err);
/*
 * Write what @filter asks them for, through the session's writer: @max_depth levels of what it
 * selects, 0: all. -ENOMEM: some is missing.
 */
int provider_write(struct netconf_session *session, const struct node *filter,
		   unsigned int max_depth);

/* How many of the first leaves of a list's entries are keys; 0: of none of theirs. */
unsigned int provider_keys(const char *top, const char *list);

/* The same for NACM's configuration @acm, with its counters if @state. */
int provider_write_acm(struct netconf_session *session, const struct node *filter,
		       const struct acm *acm, bool state, const struct acm_tree_options *options,
		       unsigned int max_depth);

/*
 * Add a container or a list entry below @parent; NULL: no memory, now or before (@parent NULL), and
 * the tree is broken.
 */
struct node *provider_add(struct tree *tree, struct node *parent, const char *name);
/* Add a leaf; returns the node, or NULL as above. */
struct node *provider_leaf(struct tree *tree, struct node *parent, const char *name,
			   const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Add a leaf of type identityref, for an identity of the module of @uri. */
struct node *provider_identity(struct tree *tree, struct node *parent, const char *name,
			       const char *prefix, const char *uri, const char *identity);
/* Add a leaf of type instance-identifier, in whose path @prefix stands for the module of @uri. */
struct node *provider_instance(struct tree *tree, struct node *parent, const char *name,
			       const char *prefix, const char *uri, const char *path);
/*
 * Add a leaf of type yang:xpath1.0: @from is the text, then prefixes with what each stands for,
 * then an empty one, each with its NUL. Returns what follows.
 */
const char *provider_select(struct tree *tree, struct node *parent, const char *name,
			    const char *from);
/* Add a leaf of type yang:date-and-time, in UTC. */
struct node *provider_time(struct tree *tree, struct node *parent, const char *name,
			   const struct timespec *time);

#endif
