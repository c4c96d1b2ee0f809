/*
 * Which leaves are reported that have their default (RFC 6243). Our basic mode is explicit: what a
 * client has set is reported, whatever its value, and nothing else is.
 */
#ifndef NETCONF_DEFAULTS_H
#define NETCONF_DEFAULTS_H

#include "netconf/node.h"
#include "netconf/view.h"

enum defaults {
	DEFAULTS_EXPLICIT,
	DEFAULTS_REPORT_ALL,
	DEFAULTS_REPORT_ALL_TAGGED, /* with an attribute on those that nobody has set */
	DEFAULTS_TRIM               /* none that has its default, even if it was set */
};

/*
 * Read the parameter with-defaults, in the namespace @uri. Explicit if it is not given;
 * ERROR_INVALID_VALUE if it is no mode.
 */
int defaults_read(const struct node *operation, const char *uri, enum defaults *ret,
		  struct error *err);

/* Have @view show what @mode says. It may point into @room afterwards. */
void defaults_apply(enum defaults mode, struct view *view, union config *room);

#endif
