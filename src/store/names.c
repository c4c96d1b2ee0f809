#include "store/names.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHORT  "l2tp"
#define PREFIX SHORT "eth"

/* The number of an l2tpeth<n>, as the kernel would print it; NAMES_MAX for any other name. */
static uint32_t name_number(const char *name)
{
	uint32_t number = 0;

	if (strncmp(name, SHORT, strlen(SHORT)) != 0)
		return NAMES_MAX;
	name += strncmp(name, PREFIX, strlen(PREFIX)) == 0 ? strlen(PREFIX) : strlen(SHORT);
	if (*name == '\0' || (name[0] == '0' && name[1] != '\0'))
		return NAMES_MAX;
	for (; *name >= '0' && *name <= '9' && number < NAMES_MAX; name++)
		number = number * 10 + (uint32_t)(*name - '0');
	return *name == '\0' && number < NAMES_MAX ? number : NAMES_MAX;
}

static int grow(struct name_pool *pool, size_t count)
{
	uint64_t *words;

	if (count <= pool->count)
		return 0;
	count = count < 2 * pool->count ? 2 * pool->count : count;
	words = realloc(pool->words, count * sizeof(*words));
	if (!words)
		return -ENOMEM;
	memset(words + pool->count, 0, (count - pool->count) * sizeof(*words));
	pool->words = words;
	pool->count = count;
	return 0;
}

int name_pool_add(struct name_pool *pool, const char *name)
{
	uint32_t number = name_number(name);

	if (number == NAMES_MAX)
		return 0;
	if (grow(pool, number / 64 + 1) < 0)
		return -ENOMEM;
	pool->words[number / 64] |= UINT64_C(1) << (number % 64);
	return 0;
}

void name_pool_remove(struct name_pool *pool, const char *name)
{
	uint32_t number = name_number(name);

	if (number / 64 < pool->count)
		pool->words[number / 64] &= ~(UINT64_C(1) << (number % 64));
}

bool name_pool_has(const struct name_pool *pool, const char *name)
{
	uint32_t number = name_number(name);

	return number / 64 < pool->count && pool->words[number / 64] >> (number % 64) & 1;
}

void name_pool_free(struct name_pool *pool)
{
	free(pool->words);
	*pool = (struct name_pool){0};
}

static uint64_t word_at(const struct name_pool *pool, size_t n)
{
	return n < pool->count ? pool->words[n] : 0;
}

uint32_t name_pool_next(const struct name_pool *a, const struct name_pool *b, uint32_t from)
{
	uint64_t below = (UINT64_C(1) << (from % 64)) - 1;
	uint64_t used;

	for (uint32_t n = from / 64; n < NAMES_MAX / 64; n++, below = 0) {
		used = word_at(a, n) | word_at(b, n) | below;
		if (used != UINT64_MAX)
			return n * 64 + (uint32_t)__builtin_ctzll(~used);
	}
	return NAMES_MAX;
}

void name_print(uint32_t number, unsigned int vlan_id, char ret[IFNAME_LENGTH + 1])
{
	int length = vlan_id != 0 ? snprintf(NULL, 0, PREFIX "%u.%u", number, vlan_id) : 0;

	snprintf(ret, IFNAME_LENGTH + 1, "%s%u", length <= IFNAME_LENGTH ? PREFIX : SHORT, number);
}
