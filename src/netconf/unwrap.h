/*
 * A configuration as it is kept in files: the container l2tpv3 as root, or
 * inside <config>, <data>, or <rpc-reply> and <data>, as ncclient, yanglint and
 * others save it. One rule for config.xml, for l2tpv3d -n and for what
 * l2tpv3ctl pushes.
 */
#ifndef NETCONF_UNWRAP_H
#define NETCONF_UNWRAP_H

#include "netconf/reader.h"

/* A handler that passes on what is inside, to @inner with @arg. @arg of its functions is this. */
struct unwrap {
	const struct reader_handler *inner;
	void *arg;
	unsigned int wrappers; /* open ones */
	unsigned int depth;    /* open elements inside them */
};
extern const struct reader_handler unwrap_handler;

#endif
