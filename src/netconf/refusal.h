/* Why somebody gets no session. */
#ifndef NETCONF_REFUSAL_H
#define NETCONF_REFUSAL_H

#include "model/error.h"
#include "netconf/server.h"

enum refusal {
	REFUSAL_NONE,
	REFUSAL_FULL,          /* no place for anybody but whom some are kept for */
	REFUSAL_USER,          /* this user has all that he may have */
	REFUSAL_NO_DESCRIPTORS /* the process may open no more files */
};

/* Fill @err: why there is no place for that user, and the cure. */
void refusal_explain(const struct netconf_limits *limits, enum refusal refusal, const char *user,
		     struct error *err);

#endif
