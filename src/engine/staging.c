#include "engine/staging.h"

#include <errno.h>
#include <stdlib.h>

#include "store/overlay.h"

bool staging_dirty(const struct engine *engine)
{
	const struct staged *staged = engine->staging.staged;

	return staged && candidate_dirty(&staged->changes);
}

/* No edit uses it any more: free it once it has no readers. */
static void give_up(struct engine *engine, struct staged *staged)
{
	if (staged->readers)
		return;
	staged->next = engine->staging.spent;
	engine->staging.spent = staged;
	engine_schedule(engine);
}

void staging_clear(struct engine *engine)
{
	struct staged *staged = engine->staging.staged;

	engine->staging.unwanted = staged && engine->staging.edited;
	if (!staged || engine->staging.edited)
		return;
	engine->staging.staged = NULL;
	give_up(engine, staged);
}

void staging_finish(struct engine *engine)
{
	struct staged *copy = engine->staging.copy;

	engine->staging.edited = false;
	engine->staging.copy = NULL;
	if (copy) /* the edit failed before it was complete */
		give_up(engine, copy);
	if (engine->staging.unwanted || !staging_dirty(engine))
		staging_clear(engine);
}

/* ---- editing */

struct staging_edit {
	struct sequence sequence;
	struct engine *engine;
	struct edit *edit;
	struct error *err;
};

static int begun(struct cursor *cursor, struct cursor **ret)
{
	*ret = cursor;
	return cursor ? 0 : -ENOMEM;
}

static struct staged *staged_new(struct engine *engine, struct error *err)
{
	struct staged *staged = calloc(1, sizeof(*staged));

	if (!staged)
		overlay_no_memory(err);
	else
		candidate_open(&staged->changes, engine->store);
	return staged;
}

/* Provide an overlay to change: a new one if none is staged, a copy if others read it. */
static int begin_copy(struct sequence *sequence, struct cursor **ret)
{
	struct staging_edit *editing = (struct staging_edit *)sequence;
	struct staging *staging = &editing->engine->staging;
	const struct staged *now = staging->staged;

	if (now && !now->readers)
		return 0;
	staging->copy = staged_new(editing->engine, editing->err);
	if (!staging->copy)
		return -ENOMEM;
	staging->copy->followed = now ? now->followed : staging->commits;
	if (!now)
		return 0;
	return begun(candidate_copy_begin(&now->changes, &staging->copy->changes, editing->err),
		     ret);
}

static int begin_rebase(struct sequence *sequence, struct cursor **ret)
{
	struct staging_edit *editing = (struct staging_edit *)sequence;
	struct staging *staging = &editing->engine->staging;
	struct staged *old = staging->staged;

	if (staging->copy) {
		staging->staged = staging->copy;
		staging->copy = NULL;
		if (old)
			give_up(editing->engine, old);
	}
	if (staging->staged->followed == staging->commits)
		return 0;
	return begun(candidate_rebase_begin(&staging->staged->changes, editing->err), ret);
}

static int begin_apply(struct sequence *sequence, struct cursor **ret)
{
	struct staging_edit *editing = (struct staging_edit *)sequence;
	struct staging *staging = &editing->engine->staging;

	staging->staged->followed = staging->commits;
	return begun(candidate_apply_begin(&staging->staged->changes, editing->edit, editing->err),
		     ret);
}

struct cursor *staging_edit_begin(struct engine *engine, struct edit *edit, struct error *err)
{
	static sequence_part *const parts[] = {begin_copy, begin_rebase, begin_apply, NULL};
	struct staging_edit *editing = sequence_new(parts, sizeof(*editing));

	if (!editing) {
		overlay_no_memory(err);
		return NULL;
	}
	editing->engine = engine;
	editing->edit = edit;
	editing->err = err;
	engine->staging.edited = true;
	return &editing->sequence.cursor;
}

int staging_take(struct engine *engine, struct candidate *changes, struct error *err)
{
	struct staged *staged = staged_new(engine, err);

	if (!staged)
		return -ENOMEM;
	staging_clear(engine);
	candidate_move(&staged->changes, changes);
	staged->followed = engine->staging.commits;
	engine->staging.staged = staged;
	return 0;
}

/* ---- reading */

bool engine_candidate_settled(const struct engine *engine)
{
	return !engine->staging.edited;
}

const struct acm *engine_candidate_acm(const struct engine *engine)
{
	const struct staged *staged = engine->staging.staged;

	return staged ? candidate_acm(&staged->changes) : engine->store->acm;
}

struct staged *engine_candidate(struct engine *engine)
{
	struct staged *staged = engine->staging.staged;

	if (staged)
		staged->readers++;
	return staged;
}

void engine_candidate_drop(struct engine *engine, struct staged *staged)
{
	if (staged && --staged->readers == 0 && staged != engine->staging.staged)
		give_up(engine, staged);
}

/* ---- freeing */

int64_t staging_due(const struct engine *engine)
{
	return engine->staging.spent ? 0 : NEVER;
}

void staging_free_some(struct engine *engine)
{
	struct staged *staged = engine->staging.spent;

	engine->freed_much |= staged->changes.count >= MANY;
	do
		if (!overlay_clear_last(&staged->changes)) {
			engine->staging.spent = staged->next;
			free(staged);
			staged = engine->staging.spent;
		}
	while (staged && engine_may_go_on(engine));
}

void staging_close(struct engine *engine)
{
	struct staged *staged;

	engine->staging.unwanted = true;
	staging_finish(engine);
	while ((staged = engine->staging.spent) != NULL) {
		engine->staging.spent = staged->next;
		candidate_discard(&staged->changes);
		free(staged);
	}
}
