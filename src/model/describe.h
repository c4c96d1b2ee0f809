/* A change of an entry, for people: "~ session 1/2 mtu 1400 -> 1500". */
#ifndef MODEL_DESCRIBE_H
#define MODEL_DESCRIBE_H

#include <stdio.h>

#include "model/codec.h"

/*
 * Print it, without the end of the line. @before, @after: struct tunnel or session; NULL: there
 * was, or is, none. Leaves of @hidden are left out, and values of secrets.
 */
void describe_change(FILE *file, enum object object, uint32_t tunnel_id, uint32_t session_id,
		     const void *before, const void *after, uint64_t hidden);

#endif
