#include "daemon/tally.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A change of a group that may get a line of its own. */
struct named {
	uint32_t tunnel_id, session_id;
	char text[TALLY_TEXT];
};

struct tunnel_count {
	uint32_t id;
	uint64_t count;
};

/* Changes that are alike. */
struct group {
	struct tally_change kind; /* session_id: 0, or 1 for sessions */
	uint64_t count;
	struct named named[TALLY_NAMED];
	struct tunnel_count tunnels[TALLY_TUNNELS];
	unsigned int tunnel_count;
	bool more_tunnels;
};

struct tally {
	void (*line)(int priority, const char *text, void *arg);
	void *arg;
	unsigned int count;
	struct group groups[TALLY_GROUPS];
};

struct tally *tally_new(void (*line)(int priority, const char *text, void *arg), void *arg)
{
	struct tally *tally = calloc(1, sizeof(*tally));

	if (!tally)
		return NULL;
	tally->line = line;
	tally->arg = arg;
	return tally;
}

void tally_free(struct tally *tally)
{
	free(tally);
}

bool tally_empty(const struct tally *tally)
{
	return !tally->count;
}

/* ---- telling */

__attribute__((format(printf, 3, 4))) static void
tell(const struct tally *tally, const struct group *group, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	tally->line(group->kind.priority, text, tally->arg);
}

static void tell_one(const struct tally *tally, const struct group *group,
		     const struct named *named)
{
	const char *why = named->text[0] ? named->text : group->kind.reason;
	const char *colon = *why ? ": " : "";

	if (named->session_id)
		tell(tally, group, "session %u/%u %s%s%s", named->tunnel_id, named->session_id,
		     group->kind.became, colon, why);
	else
		tell(tally, group, "tunnel %u %s%s%s", named->tunnel_id, group->kind.became, colon,
		     why);
}

/* @of: " of tunnel 7" or "". */
static void tell_many(const struct tally *tally, const struct group *group, uint64_t count,
		      const char *of)
{
	const char *reason = group->kind.reason;
	char number[COUNT_TEXT];

	tell(tally, group, "%s %s%s%s %s%s%s", count_text(count, number),
	     group->kind.session_id ? "session" : "tunnel", count == 1 ? "" : "s", of,
	     group->kind.became, *reason ? ": " : "", reason);
}

static void tell_by_tunnel(const struct tally *tally, const struct group *group)
{
	for (unsigned int i = 0; i < group->tunnel_count; i++) {
		char of[32];

		snprintf(of, sizeof(of), " of tunnel %u", group->tunnels[i].id);
		tell_many(tally, group, group->tunnels[i].count, of);
	}
}

static void tell_group(const struct tally *tally, const struct group *group)
{
	char of[48];

	if (group->count <= TALLY_NAMED) {
		for (unsigned int i = 0; i < group->count; i++)
			tell_one(tally, group, &group->named[i]);
	} else if (!group->kind.session_id) {
		tell_many(tally, group, group->count, "");
	} else if (!group->more_tunnels) {
		tell_by_tunnel(tally, group);
	} else {
		snprintf(of, sizeof(of), " of more than %d tunnels", TALLY_TUNNELS);
		tell_many(tally, group, group->count, of);
	}
}

void tally_flush(struct tally *tally)
{
	for (unsigned int i = 0; i < tally->count; i++)
		tell_group(tally, &tally->groups[i]);
	tally->count = 0;
}

/* ---- taking */

static bool alike(const struct tally_change *a, const struct tally_change *b)
{
	return !a->session_id == !b->session_id && !strcmp(a->became, b->became) &&
	       !strcmp(a->reason, b->reason);
}

static struct group *group_of(struct tally *tally, const struct tally_change *change)
{
	struct group *group;

	for (unsigned int i = 0; i < tally->count; i++)
		if (alike(&tally->groups[i].kind, change))
			return &tally->groups[i];
	if (tally->count == TALLY_GROUPS)
		tally_flush(tally);
	group = &tally->groups[tally->count++];
	*group = (struct group){.kind = *change};
	return group;
}

static void count_tunnel(struct group *group, uint32_t id)
{
	unsigned int i = group->tunnel_count;

	while (i && group->tunnels[i - 1].id != id)
		i--;
	if (!i && group->tunnel_count == TALLY_TUNNELS) {
		group->more_tunnels = true;
		return;
	}
	if (!i) {
		i = ++group->tunnel_count;
		group->tunnels[i - 1] = (struct tunnel_count){.id = id};
	}
	group->tunnels[i - 1].count++;
}

char *tally_add(struct tally *tally, const struct tally_change *change)
{
	struct group *group = group_of(tally, change);
	struct named *named;

	count_tunnel(group, change->tunnel_id);
	if (group->count++ >= TALLY_NAMED)
		return NULL;
	named = &group->named[group->count - 1];
	named->tunnel_id = change->tunnel_id;
	named->session_id = change->session_id;
	named->text[0] = '\0';
	return named->text;
}
