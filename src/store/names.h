/*
 * Names that we choose: l2tpeth<n>, as the kernel's own (net/l2tp/l2tp_eth.c);
 * l2tp<n> where the name of the 802.1Q link over it would get too long. A pool
 * is the set of numbers in use, a bit each, so that the lowest free one is
 * found without looking at the names.
 */
#ifndef STORE_NAMES_H
#define STORE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/model.h"

#define NAMES_MAX 1048576U /* numbers from here on are never chosen, so not noted */

struct name_pool {
	uint64_t *words;
	size_t count;
};

/* Note a name in use; names not of our making are no concern. -ENOMEM: not noted. */
int name_pool_add(struct name_pool *pool, const char *name);
void name_pool_remove(struct name_pool *pool, const char *name);
void name_pool_free(struct name_pool *pool);

/* The lowest number >= @from that is in neither pool; NAMES_MAX when there is none. */
uint32_t name_pool_next(const struct name_pool *a, const struct name_pool *b, uint32_t from);

/* @vlan_id: of the 802.1Q link that the interface will carry, 0 none. */
void name_print(uint32_t number, unsigned int vlan_id, char ret[IFNAME_LENGTH + 1]);

#endif
