#include "netconf/refusal.h"

#include <errno.h>

void refusal_explain(const struct netconf_limits *limits, enum refusal refusal, const char *user,
		     struct error *err)
{
	if (refusal == REFUSAL_USER)
		error_set(err, ERROR_RESOURCE,
			  "%s has %u sessions with l2tpv3d already, as many as a user may have, "
			  "and none of them is at rest; end one, or have root end one with "
			  "\"l2tpv3ctl kill\"",
			  user, limits->user_sessions);
	else if (refusal == REFUSAL_FULL)
		error_set(err, ERROR_RESOURCE,
			  "all %u places for sessions with l2tpv3d are taken, and none is at rest; "
			  "%u are kept for root, who sees by whom with \"l2tpv3ctl show clients\" "
			  "and can end one with \"l2tpv3ctl kill\"; try again later",
			  limits->sessions, limits->kept);
	else
		error_set_errno(err, ERROR_RESOURCE, EMFILE,
				"l2tpv3d can take no more clients; raise its LimitNOFILE, or try "
				"again later");
	err->protocol = true;
}
