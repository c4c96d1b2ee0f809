#include "engine/keys.h"

#include <stdio.h>
#include <stdlib.h>

bool keys_add(struct keys *keys, const struct key *key)
{
	int order = keys->count ? key_compare(&keys->at[keys->count - 1], key) : -1;

	if (order == 0)
		return true;
	if (keys->count == keys->capacity) {
		size_t capacity = keys->capacity ? 2 * keys->capacity : 16;
		struct key *at = reallocarray(keys->at, capacity, sizeof(*at));

		if (!at)
			return false;
		keys->at = at;
		keys->capacity = capacity;
	}
	keys->at[keys->count++] = *key;
	keys->unsorted = keys->unsorted || order > 0;
	return true;
}

static int compare(const void *a, const void *b)
{
	return key_compare(a, b);
}

void keys_sort(struct keys *keys)
{
	size_t to = 0;

	if (keys->count == 0 || !keys->unsorted)
		return;
	keys->unsorted = false;
	qsort(keys->at, keys->count, sizeof(*keys->at), compare);
	for (size_t from = 1; from < keys->count; from++)
		if (compare(&keys->at[to], &keys->at[from]) != 0)
			keys->at[++to] = keys->at[from];
	keys->count = to + 1;
}

struct keys keys_take(struct keys *keys)
{
	struct keys taken = *keys;

	*keys = (struct keys){0};
	keys_sort(&taken);
	return taken;
}

void keys_free(struct keys *keys)
{
	free(keys->at);
	*keys = (struct keys){0};
}

const char *key_text(const struct key *key, char ret[KEY_TEXT_MAX])
{
	if (key->session_id)
		snprintf(ret, KEY_TEXT_MAX, "session %u/%u", key->tunnel_id, key->session_id);
	else
		snprintf(ret, KEY_TEXT_MAX, "tunnel %u", key->tunnel_id);
	return ret;
}
