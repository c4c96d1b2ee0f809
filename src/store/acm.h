/*
 * NACM's configuration (ietf-netconf-acm, RFC 8341): a small tree beside the tunnels, typed by a
 * table of its own. A tree never changes and is shared; an edit makes a new one. So running, a
 * candidate and a commit each have one pointer to it, and reading, undoing and going back cost
 * nothing. An edit costs what the tree has, which is bounded.
 */
#ifndef STORE_ACM_H
#define STORE_ACM_H

#include "base/arena.h"
#include "model/error.h"
#include "store/edit.h"

#define ACM_NODES_MAX 2048
#define ACM_DEPTH     5    /* of nodes, the root is at 0 */
#define ACM_TEXT_MAX  1024 /* bytes of a value, NUL included */

enum acm_item {
	ACM_NACM,
	ACM_ENABLE,
	ACM_READ_DEFAULT,
	ACM_WRITE_DEFAULT,
	ACM_EXEC_DEFAULT,
	ACM_EXTERNAL_GROUPS,
	ACM_DENIED_OPERATIONS,
	ACM_DENIED_DATA_WRITES,
	ACM_DENIED_NOTIFICATIONS,
	ACM_GROUPS,
	ACM_GROUP,
	ACM_GROUP_NAME,
	ACM_USER_NAME,
	ACM_RULE_LIST,
	ACM_RULE_LIST_NAME,
	ACM_RULE_LIST_GROUP,
	ACM_RULE,
	ACM_RULE_NAME,
	ACM_MODULE_NAME,
	ACM_RPC_NAME,
	ACM_NOTIFICATION_NAME,
	ACM_PATH,
	ACM_OPERATIONS,
	ACM_ACTION,
	ACM_COMMENT,
	ACM_ITEMS
};

enum acm_kind {
	ACM_IS_CONTAINER,
	ACM_IS_LIST,
	ACM_IS_KEY,
	ACM_IS_LEAF,
	ACM_IS_LEAF_LIST,
	ACM_IS_STATE
};

enum acm_type {
	ACM_TYPE_NONE,
	ACM_TYPE_BOOL,
	ACM_TYPE_ACTION,
	ACM_TYPE_NAME,       /* one character at least */
	ACM_TYPE_GROUP,      /* ... that does not begin with "*" */
	ACM_TYPE_GROUP_ANY,  /* ... or is "*" */
	ACM_TYPE_OPERATIONS, /* "*", or some of the words */
	ACM_TYPE_PATH,       /* "/{uri}name[{uri}key='value']..." */
	ACM_TYPE_TEXT
};

struct acm_row {
	const char *name; /* in the module */
	enum acm_item parent;
	enum acm_kind kind;
	enum acm_type type;
	const char *fallback; /* default, or NULL */
	bool choice;          /* of the choice rule-type: one at most */
	bool ordered;         /* a list that is ordered-by user */
};

extern const struct acm_row acm_rows[ACM_ITEMS];

/* ACM_ITEMS: there is none of that name in it. */
enum acm_item acm_item_in(enum acm_item parent, const char *name);

/* Where an edit puts an entry of an ordered list (RFC 7950 section 7.8.6). */
enum acm_place {
	ACM_PLACE_NONE, /* where it is; a new one at the end */
	ACM_PLACE_FIRST,
	ACM_PLACE_LAST,
	ACM_PLACE_BEFORE,
	ACM_PLACE_AFTER
};

/* In the order of the document. An entry of a list has its key as text, and no node for it. */
struct acm_node {
	struct acm_node *parent, *first, *last, *next;
	enum acm_item item;
	const char *text; /* "" of a container; set by acm_set_text() */
	uint32_t hash;    /* of the text */
	/* in an edit */
	enum edit_operation operation;
	enum acm_place place;
	const char *beside; /* the key of the entry that it goes before or after */
};

struct acm {
	unsigned int owners;
	struct arena arena;
	struct acm_node *root; /* ACM_NACM */
	size_t count;
};

struct acm *acm_new(void);                          /* NULL: no memory */
const struct acm *acm_share(const struct acm *acm); /* accepts NULL */
void acm_drop(const struct acm *acm);               /* accepts NULL */

/* What holds where nothing was ever configured: who may connect may change (the socket's group). */
const struct acm *acm_factory(void);

/* Append a node; NULL: no memory, or there are ACM_NODES_MAX. @text is copied. */
struct acm_node *acm_add(struct acm *acm, struct acm_node *parent, enum acm_item item,
			 const char *text);
/* Copy @text into the node. False: no memory. */
bool acm_set_text(struct acm *acm, struct acm_node *node, const char *text);
/* The first child of that item, and of that text unless it is NULL. NULL: none, or no @node. */
const struct acm_node *acm_find(const struct acm_node *node, enum acm_item item, const char *text);
/* The value of a leaf, or its default. */
const char *acm_text(const struct acm_node *node, enum acm_item item);
bool acm_equal(const struct acm *a, const struct acm *b);
/*
 * Its instance path, as in "/nacm/groups/group[name='x']". False: an entry has no key yet, or one
 * that does not fit or has both kinds of quotes; then it is the path of what that entry is in.
 */
bool acm_print_path(const struct acm_node *node, char *ret, size_t size);

/* Check and make canonical: @ret has room for ACM_TEXT_MAX. ERROR_INVALID_VALUE. */
int acm_parse(enum acm_item item, const char *text, size_t length, char *ret, struct error *err);

/*
 * Apply @edit, a tree with operations, to @now; RFC 6241 section 7.2. *ret has one owner. Each node
 * that would change, or move, needs the right of @policy.
 */
struct policy;
int acm_apply(const struct acm *now, const struct acm *edit, const struct policy *policy,
	      const struct acm **ret, struct error *err);

/* May a user carry out what leads from @before to @after? ERROR_DENIED. */
int acm_check(const struct acm *before, const struct acm *after, const struct policy *policy,
	      struct error *err);

#endif
