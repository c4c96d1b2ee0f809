/*
 * A configuration as files have it: the container l2tpv3 as root, or inside <config>, <data>, or
 * <rpc-reply> and <data>, as ncclient, yanglint and others save it. One rule for config.xml, for
 * l2tpv3d -n and for l2tpv3ctl push.
 */
#ifndef NETCONF_UNWRAP_H
#define NETCONF_UNWRAP_H

#include "netconf/reader.h"

/*
 * A handler that passes what is inside to @inner with @arg. @arg of its functions is this struct.
 */
struct unwrap {
	const struct reader_handler *inner;
	void *arg;
	unsigned int wrappers; /* open wrappers */
	unsigned int depth;    /* open elements inside them */
};
extern const struct reader_handler unwrap_handler;

#endif
