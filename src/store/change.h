/* A change of one entry: what it was and what it shall be. Many make a candidate (candidate.h). */
#ifndef STORE_CHANGE_H
#define STORE_CHANGE_H

#include <bsd/sys/tree.h>

#include "store/config.h"

struct entry;

struct change {
	RB_ENTRY(change) link;              /* in its candidate, by tunnel, then session */
	uint32_t tunnel_id, session_id;     /* session_id 0: the tunnel itself */
	const union config *before, *after; /* held; NULL: it is not there */
	unsigned int edit;   /* number of the edit that touched it last; in that it was ... */
	bool given : 1;      /* named */
	bool replaced : 1;   /* and replaced */
	bool fresh : 1;      /* not in the candidate before */
	bool refused : 1;    /* a check has found fault with it */
	bool indexed : 1;    /* in an index of what is published (index.h) */
	struct entry *entry; /* in running, while it is attached there; else NULL */
	union {
		struct {                          /* while an edit is applied */
			struct change *earlier;   /* touched by the edit */
			const union config *kept; /* `after` before the edit */
		};
		RB_ENTRY(change) by_claim; /* while indexed: by name or endpoint */
	};
};

RB_HEAD(change_tree, change);

#endif
