/* Growing lists of keys. A leaf: anybody may call it. */
#ifndef ENGINE_KEYS_H
#define ENGINE_KEYS_H

#include <stddef.h>

#include "model/entry.h"

/* Sorted and without doubles once keys_sort() or keys_take() was called. */
struct keys {
	struct key *at;
	size_t count, capacity;
	bool unsorted;
};

bool keys_add(struct keys *keys, const struct key *key); /* false: no memory */
void keys_sort(struct keys *keys);
struct keys keys_take(struct keys *keys); /* sorted, @keys is left empty; the caller frees it */
void keys_free(struct keys *keys);

#define KEY_TEXT_MAX 40

/* "tunnel 1" or "session 1/2", for the log; returns @ret. */
const char *key_text(const struct key *key, char ret[KEY_TEXT_MAX]);

#endif
