/* Why a client gets no session. */
#ifndef NETCONF_REFUSAL_H
#define NETCONF_REFUSAL_H

#include "model/error.h"
#include "netconf/server.h"

enum refusal {
	REFUSAL_NONE,
	REFUSAL_FULL,          /* all places are taken but those kept for others */
	REFUSAL_USER,          /* this user has as many as a user may have */
	REFUSAL_NO_DESCRIPTORS /* the process cannot open more files */
};

/* Fill @err with why there is no place for that user, and the cure. */
void refusal_explain(const struct netconf_limits *limits, enum refusal refusal, const char *user,
		     struct error *err);

#endif
