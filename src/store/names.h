/*
 * Names that we choose: l2tpeth<n>, like the kernel's own (net/l2tp/l2tp_eth.c); l2tp<n> if the
 * name of the 802.1Q link over it would be too long. A pool is the set of numbers in use, one bit
 * each, so the lowest free one is found without looking at names.
 */
#ifndef STORE_NAMES_H
#define STORE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/model.h"

#define NAMES_MAX 1048576U /* never choose or note numbers from here on */

struct name_pool {
	uint64_t *words;
	size_t count;
};

/* Note a name in use; ignores names of another form. -ENOMEM: not noted. */
int name_pool_add(struct name_pool *pool, const char *name);
void name_pool_remove(struct name_pool *pool, const char *name);
bool name_pool_has(const struct name_pool *pool, const char *name);
void name_pool_free(struct name_pool *pool);

/* The lowest number >= @from that is in neither pool; NAMES_MAX when there is none. */
uint32_t name_pool_next(const struct name_pool *a, const struct name_pool *b, uint32_t from);

/* @vlan_id: of the 802.1Q link that the interface will carry; 0: none. */
void name_print(uint32_t number, unsigned int vlan_id, char ret[IFNAME_LENGTH + 1]);

#endif
