#include "engine/internal.h"

#include <errno.h>

int keys_add(struct keys *keys, uint32_t tunnel_id, uint32_t session_id)
{
	struct key *last = keys->count ? &keys->at[keys->count - 1] : NULL;

	struct key key = {tunnel_id, session_id};
	int order = last ? key_compare(last, &key) : -1;

	if (order == 0)
		return 0;
	if (keys->count == keys->capacity) {
		size_t capacity = keys->capacity ? 2 * keys->capacity : 16;
		struct key *at = reallocarray(keys->at, capacity, sizeof(*at));

		if (!at)
			return -ENOMEM;
		keys->at = at;
		keys->capacity = capacity;
	}
	keys->at[keys->count++] = key;
	keys->unsorted = keys->unsorted || order > 0;
	return 0;
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

void keys_move(struct keys *to, struct keys *from)
{
	*to = *from;
	*from = (struct keys){0};
}

void keys_free(struct keys *keys)
{
	free(keys->at);
	*keys = (struct keys){0};
}
