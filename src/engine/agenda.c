#include "engine/agenda.h"

#include "base/clock.h"

#define LATER_NS       (NS_PER_S / 2)
#define RETRY_FIRST_NS NS_PER_S
#define RETRY_SOON_NS  (20 * (NS_PER_S / 1000))
#define NO_MEMORY_NS   (2 * NS_PER_S)

void agenda_init(struct agenda *agenda)
{
	*agenda = (struct agenda){.retry_delay = RETRY_FIRST_NS / 2};
}

void agenda_free(struct agenda *agenda)
{
	keys_free(&agenda->look);
	keys_free(&agenda->later[0]);
	keys_free(&agenda->later[1]);
	keys_free(&agenda->changed);
	keys_free(&agenda->repair);
	keys_free(&agenda->wait);
	keys_free(&agenda->removing);
}

static bool put(struct agenda *agenda, struct keys *keys, const struct key *key)
{
	if (keys_add(keys, key))
		return true;
	agenda->forgot = true;
	agenda_read_all(agenda, clock_now() + NO_MEMORY_NS);
	return false;
}

void agenda_look(struct agenda *agenda, const struct key *key)
{
	put(agenda, &agenda->look, key);
}

void agenda_look_later(struct agenda *agenda, const struct key *key)
{
	if (agenda_later_due(agenda) == NEVER)
		agenda->later_at = clock_now() + LATER_NS;
	put(agenda, &agenda->later[1], key);
}

void agenda_look_twice(struct agenda *agenda, const struct key *key)
{
	agenda_look(agenda, key);
	agenda_look_later(agenda, key);
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

void agenda_retry_soon(struct agenda *agenda)
{
	agenda->retry_delay = RETRY_FIRST_NS / 2;
	agenda->retry_at = clock_now() + RETRY_SOON_NS;
}

int64_t agenda_later_due(const struct agenda *agenda)
{
	return agenda->later[0].count || agenda->later[1].count ? agenda->later_at : NEVER;
}

void agenda_later_to_look(struct agenda *agenda)
{
	struct keys *due = &agenda->later[0];

	for (size_t i = 0; i < due->count; i++)
		agenda_look(agenda, &due->at[i]);
	keys_free(due);
	*due = keys_take(&agenda->later[1]);
	agenda->later_at = clock_now() + LATER_NS;
}

void agenda_wait_to_repair(struct agenda *agenda, int64_t most)
{
	for (size_t i = 0; i < agenda->wait.count; i++)
		agenda_repair(agenda, &agenda->wait.at[i]);
	agenda->wait.count = 0;
	agenda->retry_delay = agenda->retry_delay * 2 > most ? most : agenda->retry_delay * 2;
	agenda->retry_at = clock_now() + agenda->retry_delay;
}
