/*
 * What XPaths select, where they must be evaluated. That is done in a process of its own,
 * over a tree of the data as of one moment: it may take seconds and a hundred times the memory of
 * what is there, which holds up nobody, and ends with it. The data to search is limited.
 */
#ifndef NETCONF_SEARCH_H
#define NETCONF_SEARCH_H

#include "netconf/session.h"
#include "netconf/walk.h"

#define SEARCH_DATA_MAX   (6U << 20) /* bytes of XML to search */
#define SEARCH_SECONDS    10         /* of CPU */
#define SEARCH_MEMORY_MAX (256U << 20)
#define SEARCHES_MAX      4 /* at once, of all sessions, ... */
#define SEARCHES_KEPT     1 /* ... of which one is kept for root and the daemon's user, ... */
#define SEARCHES_USER     2 /* ... and any other user may have two: one may not read its reply */

struct xpath_tree;

struct search_select {
	const char *expression;   /* checked: xpath_check() */
	const struct node *scope; /* where its prefixes are declared */
};

struct search_options {
	struct walk_options walk; /* all data; its filter says where to search */
	unsigned int max_depth;   /* levels of what is selected; 0: all */
	const struct search_select *selects;
	size_t count;
	const struct acm *acm;               /* the configuration of NACM ... */
	struct acm_tree_options acm_options; /* ... and what to show of it */
	bool state;                          /* the data of providers, too */
	/* In that process: write what is to be had of what is selected; NULL: that, as XML. */
	void (*write)(const struct xpath_tree *tree, struct writer *writer);
	struct writer *writer; /* here: gets that; NULL: the session's */
};

struct search;

/* What @options points to must stay in place. ERROR_RESOURCE: there is no place for it. */
int search_open(struct search **ret, struct netconf_session *session,
		const struct search_options *options, struct error *err);
void search_close(struct search *search); /* Accepts NULL. */
/* All are closed: wait until their processes have ended. */
void searches_end(struct netconf_server *server);

enum search_result {
	SEARCH_GOES_ON,
	SEARCH_WAITS, /* session_resume() will be called */
	SEARCH_FOUND, /* it is good: what is selected follows, through the writer */
	SEARCH_ENDS
};

/* Do a little. ERROR_TOO_BIG: there is too much to search, or it takes too much. */
int search_step(struct search *search, struct error *err);

#endif
