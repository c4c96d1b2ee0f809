#include "pending.h"

#include <stdlib.h>
#include <string.h>

#include "base/wipe.h"
#include "model/codec.h"
#include "model/rules.h"

static int compare(const struct pending_row *a, const struct pending_row *b)
{
	return entry_order(a->tunnel_id, a->session_id, b->tunnel_id, b->session_id);
}

/* RB_GENERATE_STATIC of libbsd says __unused, which Linux headers use as a name. */
RB_GENERATE_INTERNAL(pending_tree, pending_row, link, compare, static __attribute__((unused)))

void pending_init(struct pending *pending)
{
	RB_INIT(&pending->tunnels);
	RB_INIT(&pending->sessions);
	pending->count = 0;
}

static struct pending_tree *tree_of(const struct pending *pending, enum object object)
{
	struct pending *writable = (struct pending *)pending;

	return object == OBJECT_TUNNEL ? &writable->tunnels : &writable->sessions;
}

struct pending_row *pending_find(const struct pending *pending, enum object object,
				 uint32_t tunnel_id, uint32_t session_id)
{
	struct pending_row key = {.tunnel_id = tunnel_id, .session_id = session_id};

	return RB_FIND(pending_tree, tree_of(pending, object), &key);
}

struct pending_row *pending_from(const struct pending *pending, enum object object,
				 uint32_t tunnel_id, uint32_t session_id)
{
	struct pending_row key = {.tunnel_id = tunnel_id, .session_id = session_id};

	return RB_NFIND(pending_tree, tree_of(pending, object), &key);
}

struct pending_row *pending_new(enum object object, uint32_t tunnel_id, uint32_t session_id)
{
	struct pending_row *row = calloc(1, sizeof(*row));

	if (!row)
		return NULL;
	row->tunnel_id = tunnel_id;
	row->session_id = session_id;
	row->draft.object = object;
	return row;
}

void pending_put(struct pending *pending, struct pending_row *row)
{
	RB_INSERT(pending_tree, tree_of(pending, row->draft.object), row);
	pending->count++;
}

void pending_take(struct pending *pending, struct pending_row *row)
{
	RB_REMOVE(pending_tree, tree_of(pending, row->draft.object), row);
	pending->count--;
}

void pending_move_sessions(struct pending *from, uint32_t tunnel_id, struct pending *to)
{
	struct pending_row *row;

	while ((row = pending_from(from, OBJECT_SESSION, tunnel_id, 0)) != NULL &&
	       row->tunnel_id == tunnel_id) {
		pending_take(from, row);
		if (pending_find(to, OBJECT_SESSION, tunnel_id, row->session_id))
			wipe_free(row, sizeof(*row));
		else
			pending_put(to, row);
	}
}

static void expire(struct pending *pending, enum object object, int64_t before)
{
	struct pending_row *row, *next;

	RB_FOREACH_SAFE (row, pending_tree, tree_of(pending, object), next) {
		if (row->touched >= before)
			continue;
		pending_take(pending, row);
		wipe_free(row, sizeof(*row));
	}
}

void pending_expire(struct pending *pending, int64_t before)
{
	expire(pending, OBJECT_SESSION, before);
	expire(pending, OBJECT_TUNNEL, before);
}

void pending_clear(struct pending *pending)
{
	pending_expire(pending, INT64_MAX);
}

void pending_config(const struct pending_row *row, union config *ret)
{
	struct draft draft = row->draft;
	const struct row_set *set = &row_sets[draft.object];

	memset(ret, 0, sizeof(*ret));
	draft_resolve(&draft, ret, NULL, NULL);
	draft_apply(&draft, ret);
	codec_set_number(set->key, ret,
			 draft.object == OBJECT_TUNNEL ? row->tunnel_id : row->session_id, NULL);
}

int pending_check(const struct pending_row *row, struct error *err)
{
	union config config;

	pending_config(row, &config);
	if (row->draft.object == OBJECT_TUNNEL)
		return rules_check_tunnel(&config.tunnel, err);
	return rules_check_session(row->tunnel_id, &config.session, err);
}
