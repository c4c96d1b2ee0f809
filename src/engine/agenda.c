#include "engine/agenda.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define LATER_NS       (NS_PER_S / 2)
#define RETRY_FIRST_NS NS_PER_S
#define RETRY_SOON_NS  (20 * (NS_PER_S / 1000))
#define RETRY_MOST_NS  (300 * NS_PER_S) /* for changes without events: a module, a port */
#define NO_MEMORY_NS   (2 * NS_PER_S)
#define SLEEPERS       64 /* that may be on the list twice */

/* ---- lists of keys */

bool keys_add(struct keys *keys, const struct key *key)
{
	bool first = keys->count == keys->taken;
	int order = first ? -1 : key_compare(&keys->at[keys->count - 1], key);

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

bool keys_next(struct keys *keys, struct key *ret)
{
	if (keys->taken == keys->count) {
		keys_free(keys);
		return false;
	}
	if (keys->unsorted) { /* keys were added since */
		keys->count -= keys->taken;
		memmove(keys->at, &keys->at[keys->taken], keys->count * sizeof(*keys->at));
		keys->taken = 0;
		keys_sort(keys);
	}
	*ret = keys->at[keys->taken++];
	return true;
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

/* ---- the agenda */

void agenda_init(struct agenda *agenda)
{
	*agenda = (struct agenda){.stirred_first = NEVER, .retry_delay = RETRY_FIRST_NS / 2};
}

void agenda_free(struct agenda *agenda)
{
	keys_free(&agenda->look);
	keys_free(&agenda->later[0]);
	keys_free(&agenda->later[1]);
	keys_free(&agenda->changed);
	keys_free(&agenda->repair);
	keys_free(&agenda->wait);
	keys_free(&agenda->asleep);
	keys_free(&agenda->trying);
	keys_free(&agenda->removing);
}

void agenda_forgot(struct agenda *agenda)
{
	agenda->forgot = true;
	agenda_read_all(agenda, clock_now() + NO_MEMORY_NS);
}

static bool put(struct agenda *agenda, struct keys *keys, const struct key *key)
{
	if (keys_add(keys, key))
		return true;
	agenda_forgot(agenda);
	return false;
}

void agenda_look(struct agenda *agenda, const struct key *key)
{
	put(agenda, &agenda->look, key);
}

static void begin_later(struct agenda *agenda)
{
	if (agenda_later_due(agenda) == NEVER)
		agenda->later_at = clock_now() + LATER_NS;
}

void agenda_look_later(struct agenda *agenda, const struct key *key)
{
	begin_later(agenda);
	put(agenda, &agenda->later[1], key);
}

void agenda_look_twice(struct agenda *agenda, const struct key *key)
{
	agenda_look(agenda, key);
	agenda_look_later(agenda, key);
}

void agenda_recheck_twice(struct agenda *agenda)
{
	begin_later(agenda);
	agenda->recheck_later[1] = true;
	agenda->recheck |= clock_now() - agenda->rechecked_at >= LATER_NS;
}

void agenda_changed(struct agenda *agenda, const struct key *key)
{
	put(agenda, &agenda->changed, key);
}

void agenda_repair(struct agenda *agenda, const struct key *key)
{
	put(agenda, &agenda->repair, key);
}

bool agenda_wait(struct agenda *agenda, const struct key *key)
{
	return put(agenda, &agenda->wait, key);
}

/* One that is changed again and again, and goes to sleep after each try, must not fill the list. */
bool agenda_sleep(struct agenda *agenda, const struct key *key)
{
	struct keys *asleep = &agenda->asleep;

	if (asleep->count > 2 * agenda->asleep_once + SLEEPERS) {
		keys_sort(asleep);
		agenda->asleep_once = asleep->count;
	}
	return put(agenda, asleep, key);
}

void agenda_removing(struct agenda *agenda, const struct key *key)
{
	put(agenda, &agenda->removing, key);
}

void agenda_read_all(struct agenda *agenda, int64_t at)
{
	agenda->read_all = true;
	if (at > agenda->read_all_at)
		agenda->read_all_at = at;
}

void agenda_try_now(struct agenda *agenda)
{
	agenda->woken = true;
	agenda->retry_at = clock_now();
}

void agenda_try_soon(struct agenda *agenda)
{
	agenda->retry_delay = RETRY_FIRST_NS / 2;
	agenda->retry_at = clock_now() + RETRY_SOON_NS;
}

void agenda_stirred(struct agenda *agenda, int64_t at)
{
	agenda->stirred_at = at;
	if (agenda->stirred_first == NEVER)
		agenda->stirred_first = at;
}

void agenda_stir(struct agenda *agenda)
{
	agenda_stirred(agenda, clock_now());
	agenda_try_soon(agenda);
	agenda->woken = true;
}

int64_t agenda_later_due(const struct agenda *agenda)
{
	for (int i = 0; i < 2; i++)
		if (agenda->later[i].count || agenda->recheck_later[i])
			return agenda->later_at;
	return NEVER;
}

int64_t agenda_try_due(const struct agenda *agenda)
{
	if (agenda->trying.count)
		return 0;
	return agenda->wait.count || (agenda->woken && agenda->asleep.count) ? agenda->retry_at
									     : NEVER;
}

void agenda_later_to_look(struct agenda *agenda)
{
	struct keys *due = &agenda->later[0];

	for (size_t i = 0; i < due->count; i++)
		agenda_look(agenda, &due->at[i]);
	keys_free(due);
	*due = keys_take(&agenda->later[1]);
	agenda->recheck |= agenda->recheck_later[0];
	agenda->recheck_later[0] = agenda->recheck_later[1];
	agenda->recheck_later[1] = false;
	agenda->later_at = clock_now() + LATER_NS;
}

void agenda_begin_recheck(struct agenda *agenda)
{
	agenda->recheck = false;
	agenda->rechecked_at = clock_now();
	agenda_stir(agenda);
}

void agenda_begin_try(struct agenda *agenda)
{
	int64_t delay = agenda->retry_delay * 2;

	for (size_t i = 0; agenda->woken && i < agenda->asleep.count; i++)
		agenda_wait(agenda, &agenda->asleep.at[i]);
	if (agenda->woken) {
		keys_free(&agenda->asleep);
		agenda->asleep_once = 0;
	}
	agenda->woken = false;
	agenda->trying = keys_take(&agenda->wait);
	agenda->retry_delay = delay > RETRY_MOST_NS ? RETRY_MOST_NS : delay;
	agenda->retry_at = clock_now() + agenda->retry_delay;
}

size_t agenda_next_tried(struct agenda *agenda, const struct key **ret)
{
	struct keys *trying = &agenda->trying;
	size_t first = trying->taken;

	if (first == trying->count) {
		keys_free(trying);
		return 0;
	}
	*ret = &trying->at[first];
	while (trying->taken < trying->count &&
	       trying->at[trying->taken].tunnel_id == (*ret)->tunnel_id)
		trying->taken++;
	return trying->taken - first;
}
