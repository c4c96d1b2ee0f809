#include "notice.h"

#include <stdlib.h>
#include <string.h>

#include "standard.h"

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
	TAILQ_INIT(&notices->lists[OBJECT_TUNNEL]);
	TAILQ_INIT(&notices->lists[OBJECT_SESSION]);
	RB_INIT(&notices->tree);
	RB_INIT(&notices->down);
	notices->count = 0;
}

static enum object object_of(const struct notice *notice)
{
	return notice->session_id ? OBJECT_SESSION : OBJECT_TUNNEL;
}

static struct notice *take(struct notices *notices, struct notice *notice)
{
	if (!notice)
		return NULL;
	TAILQ_REMOVE(&notices->lists[object_of(notice)], notice, order);
	RB_REMOVE(notice_tree, &notices->tree, notice);
	notices->count--;
	return notice;
}

static struct notice *take_oldest(struct notices *notices, enum object first, enum object then)
{
	struct notice *notice = TAILQ_FIRST(&notices->lists[first]);

	return take(notices, notice ? notice : TAILQ_FIRST(&notices->lists[then]));
}

struct notice *notices_take(struct notices *notices)
{
	return take_oldest(notices, OBJECT_TUNNEL, OBJECT_SESSION);
}

static struct notice pseudowire(uint32_t session_id)
{
	return (struct notice){.kind = NOTICE_PSEUDOWIRE, .session_id = session_id};
}

struct notice *notices_take_pseudowire(struct notices *notices, uint32_t session_id)
{
	struct notice key = pseudowire(session_id);

	return take(notices, RB_FIND(notice_tree, &notices->tree, &key));
}

unsigned int notices_due(const struct notices *notices, uint32_t session_id, long status)
{
	struct notice key = pseudowire(session_id);
	bool down = RB_FIND(notice_tree, (struct notice_tree *)(uintptr_t)&notices->down, &key);

	if (status == PW_DOWN || status == PW_LOWER_LAYER_DOWN)
		return down ? 0 : NOTIFICATION_PW_DOWN;
	return status == PW_UP && down ? NOTIFICATION_PW_UP : 0;
}

void notices_set_down(struct notices *notices, uint32_t session_id, bool down)
{
	struct notice key = pseudowire(session_id);
	struct notice *told = RB_FIND(notice_tree, &notices->down, &key);

	if (told && !down) {
		RB_REMOVE(notice_tree, &notices->down, told);
		free(told);
	} else if (!told && down && (told = malloc(sizeof(*told))) != NULL) {
		*told = key;
		RB_INSERT(notice_tree, &notices->down, told);
	}
}

void notices_clear(struct notices *notices)
{
	while (notices->count > 0)
		free(notices_take(notices));
}

void notices_free(struct notices *notices)
{
	struct notice *told;

	notices_clear(notices);
	while ((told = RB_ROOT(&notices->down)) != NULL) {
		RB_REMOVE(notice_tree, &notices->down, told);
		free(told);
	}
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

static void queue(struct notices *notices, struct notice what)
{
	struct notice *notice;

	if (RB_FIND(notice_tree, &notices->tree, &what))
		return;
	notice = malloc(sizeof(*notice));
	if (!notice) {
		notices->dropped++;
		return;
	}
	*notice = what;
	if (notices->count == NOTICES_MAX) {
		free(take_oldest(notices, OBJECT_SESSION, OBJECT_TUNNEL));
		notices->dropped++;
	}
	TAILQ_INSERT_TAIL(&notices->lists[object_of(notice)], notice, order);
	RB_INSERT(notice_tree, &notices->tree, notice);
	notices->count++;
}

void notices_add(struct notices *notices, unsigned int sets, const struct engine_event *event)
{
	struct notice what = {0};

	if (!notice_of(event, &what))
		return;
	if (sets & NOTICES_OURS)
		queue(notices, what);
	if (sets & NOTICES_PSEUDOWIRES && what.kind == NOTICE_SESSION_STATE)
		queue(notices, pseudowire(what.session_id));
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

static size_t below_pw(const oid *tail, size_t count, oid ret[MAX_OID_LEN])
{
	memcpy(ret, pw_region.root, pw_region.root_length * sizeof(oid));
	memcpy(ret + pw_region.root_length, tail, count * sizeof(oid));
	return pw_region.root_length + count;
}

size_t oid_of_pw_notification(unsigned int arc, oid ret[MAX_OID_LEN])
{
	return below_pw((const oid[]){0, arc}, 2, ret);
}

size_t oid_of_oper_status(uint32_t session_id, oid ret[MAX_OID_LEN])
{
	return below_pw((const oid[]){1, 2, 1, PW_COLUMN_OPER_STATUS, session_id}, 5, ret);
}
