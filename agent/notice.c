#include "notice.h"

#include <stdlib.h>
#include <string.h>

/* The OBJECTS clauses of the MIB, by leaf. */
struct clause {
	enum mib_table table;
	const char *leaves[NOTICE_OBJECTS_MAX + 1];
};
/* clang-format off */
static const struct clause clauses[] = {
	[NOTICE_TUNNEL_STATE]  = { MIB_TUNNEL,  { "oper-status", "status-reason", "status-text" } },
	[NOTICE_SESSION_STATE] = { MIB_SESSION, { "interface-name", "oper-status", "status-reason",
						  "status-text" } },
	[NOTICE_FOREIGN]       = { MIB_TUNNEL,  { "origin" } },
};
/* clang-format on */

static int compare(const struct notice *a, const struct notice *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return entry_order(a->tunnel_id, a->session_id, b->tunnel_id, b->session_id);
}

RB_GENERATE_INTERNAL(notice_tree, notice, key, compare, static __attribute__((unused)))

void notices_init(struct notices *notices)
{
	TAILQ_INIT(&notices->list);
	RB_INIT(&notices->tree);
	notices->count = 0;
}

struct notice *notices_take(struct notices *notices)
{
	struct notice *notice = TAILQ_FIRST(&notices->list);

	if (!notice)
		return NULL;
	TAILQ_REMOVE(&notices->list, notice, order);
	RB_REMOVE(notice_tree, &notices->tree, notice);
	notices->count--;
	return notice;
}

void notices_clear(struct notices *notices)
{
	while (notices->count > 0)
		free(notices_take(notices));
}

static bool notice_of(const struct engine_event *event, struct notice *ret)
{
	switch (event->type) {
	case ENGINE_STATE:
		ret->session_id = event->entry->key.session_id;
		ret->kind = ret->session_id ? NOTICE_SESSION_STATE : NOTICE_TUNNEL_STATE;
		break;
	case ENGINE_FOREIGN:
		ret->kind = NOTICE_FOREIGN;
		break;
	default:
		return false;
	}
	ret->tunnel_id = event->entry->key.tunnel_id;
	return true;
}

void notices_add(struct notices *notices, const struct engine_event *event)
{
	struct notice what = {0}, *notice;

	if (!notice_of(event, &what) || RB_FIND(notice_tree, &notices->tree, &what))
		return;
	notice = malloc(sizeof(*notice));
	if (!notice) {
		notices->dropped++;
		return;
	}
	*notice = what;
	if (notices->count == NOTICES_MAX) {
		free(notices_take(notices));
		notices->dropped++;
	}
	TAILQ_INSERT_TAIL(&notices->list, notice, order);
	RB_INSERT(notice_tree, &notices->tree, notice);
	notices->count++;
}

void notice_objects(const struct notice *notice, struct notice_objects *ret)
{
	const struct clause *clause = &clauses[notice->kind];
	enum object object = clause->table == MIB_TUNNEL ? OBJECT_TUNNEL : OBJECT_SESSION;

	memcpy(ret->trap, mib_root, mib_root_length * sizeof(oid));
	ret->trap[mib_root_length] = 0; /* l2tpv3Notifications */
	ret->trap[mib_root_length + 1] = notice->kind;
	ret->trap_length = mib_root_length + 2;
	for (ret->count = 0; clause->leaves[ret->count]; ret->count++) {
		const char *leaf = clause->leaves[ret->count];
		const struct row *row = row_by_leaf(object, leaf, strlen(leaf));
		struct instance *instance = &ret->instances[ret->count];

		instance->column = column_find(clause->table, row->mib_column);
		instance->index = (struct index){{notice->tunnel_id, notice->session_id}};
	}
}
