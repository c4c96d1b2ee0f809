#include "netconf/refusal.h"

#include <errno.h>

void refusal_explain(const struct netconf_limits *limits, enum refusal refusal, const char *user,
		     struct error *err)
{
	if (refusal == REFUSAL_USER)
		error_set(err, ERROR_RESOURCE,
			  "%s already has %u sessions with l2tpv3d, as many as a user may have, "
			  "and none of them is at rest; end one, or have root end one with "
			  "\"l2tpv3ctl kill\"",
			  user, limits->user_sessions);
	else if (refusal == REFUSAL_FULL)
		error_set(err, ERROR_RESOURCE,
			  "all %u places for sessions with l2tpv3d are taken, and no session is at "
			  "rest; %u are kept for root, who can list the sessions with \"l2tpv3ctl "
			  "show clients\" and end one with \"l2tpv3ctl kill\"; try again later",
			  limits->sessions, limits->kept);
	else
		error_set_errno(err, ERROR_RESOURCE, EMFILE,
				"l2tpv3d cannot take more clients; raise its LimitNOFILE, or try "
				"again later");
	err->protocol = true;
}
