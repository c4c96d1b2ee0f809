/*
 * The configuration of one entry: a value of its own, or one shared by running, candidates and
 * commits. A shared one never changes.
 */
#ifndef STORE_CONFIG_H
#define STORE_CONFIG_H

#include "model/entry.h"

/* Absent leaves are absent; presence bits come first in both. */
union config {
	uint64_t present;
	struct tunnel tunnel;
	struct session session;
};

#define CONFIG_MEMORY (sizeof(union config) + 24) /* bytes that one takes when it can be shared */

/* @config is of the object's own type, which may be smaller than the union. */
static inline void config_copy(enum object object, union config *ret, const void *config)
{
	if (object == OBJECT_TUNNEL)
		ret->tunnel = *(const struct tunnel *)config;
	else
		ret->session = *(const struct session *)config;
}

/*
 * A copy of @from (a struct tunnel or session, as the ids say) with these ids, to be shared. NULL:
 * no memory.
 */
const union config *config_new(uint32_t tunnel_id, uint32_t session_id, const void *from);
/* An empty one, which its only owner may fill in. NULL: no memory. */
union config *config_blank(void);
/* Add an owner; returns @config. Accepts NULL. */
const union config *config_share(const union config *config);
/* Remove an owner; the last one frees it. Accepts NULL. */
void config_drop(const union config *config);

#endif
