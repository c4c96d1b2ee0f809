#include "engine/resume.h"

#include <errno.h>

#include "engine/changes.h"
#include "engine/compare.h"
#include "engine/desired.h"
#include "model/codec.h"

/* Is the kernel's object as the commit makes it? */
static bool is_same(struct engine *engine, const struct candidate *changes,
		    const struct entry *entry)
{
	const struct key *key = &entry->key;
	const struct session *session = candidate_session(changes, key->tunnel_id, key->session_id);
	union config want, have;
	int rc;

	if (session && !candidate_tunnel(changes, key->tunnel_id)) {
		/* config.xml lost it since */
		want.session = *session;
		codec_complete(OBJECT_SESSION, &want.session);
		rc = want.session.enabled ? 0 : -ENOENT;
	} else {
		rc = want_entry(engine, changes, key, &want);
	}
	if (rc < 0) /* local-interface has no address now, but may have had one */
		return rc != -ENOENT;
	return !compare_kernel(entry_object(entry), &want, entry_actual(entry, &have), false);
}

/* The entry if the commit creates it and the kernel has it; else NULL. */
static const struct entry *created(const struct engine *engine, const struct change *c)
{
	const struct entry *entry =
		c->before ? NULL : datastore_entry(engine->store, c->tunnel_id, c->session_id);

	return entry && entry->in_kernel ? entry : NULL;
}

static int refuse_foreign(struct engine *engine, const struct candidate *changes,
			  const struct change *c, void *arg, struct error *err)
{
	const struct entry *entry = created(engine, c);

	(void)arg;
	if (!entry || is_same(engine, changes, entry))
		return 0;
	error_at_entry(err, c->tunnel_id, c->session_id, NULL);
	return error_set(err, ERROR_FOREIGN,
			 "the commit was interrupted, and someone else has taken the id since");
}

struct checking {
	struct sequence sequence;
	struct engine *engine;
	struct candidate *changes;
	struct error *err;
};

static int begin_validate(struct sequence *sequence, struct cursor **ret)
{
	struct checking *checking = (struct checking *)sequence;

	*ret = candidate_validate_begin(checking->changes, checking->err);
	return *ret ? 0 : -ENOMEM;
}

static int begin_foreign(struct sequence *sequence, struct cursor **ret)
{
	struct checking *checking = (struct checking *)sequence;

	*ret = changes_walk_begin(checking->engine, checking->changes, refuse_foreign, NULL,
				  checking->err);
	return *ret ? 0 : -ENOMEM;
}

struct cursor *resume_check_begin(struct engine *engine, struct candidate *changes,
				  struct error *err)
{
	static sequence_part *const parts[] = {begin_validate, begin_foreign, NULL};
	struct checking *checking = sequence_new(parts, sizeof(*checking));

	if (!checking) {
		error_set_errno(err, ERROR_RESOURCE, ENOMEM, "no memory for a commit");
		return NULL;
	}
	/* what the killed daemon created already is no conflict */
	changes->adopt = true;
	checking->engine = engine;
	checking->changes = changes;
	checking->err = err;
	return &checking->sequence.cursor;
}

static int collect_created(struct engine *engine, const struct candidate *changes,
			   const struct change *c, void *arg, struct error *err)
{
	const struct entry *entry = created(engine, c);
	struct keys *keys = arg;

	if (!entry || !is_same(engine, changes, entry) || keys_add(keys, &entry->key))
		return 0;
	return error_set_errno(err, ERROR_RESOURCE, ENOMEM, "no memory for the plan");
}

struct cursor *resume_created_begin(struct engine *engine, const struct candidate *changes,
				    struct keys *ret, struct error *err)
{
	return changes_walk_begin(engine, changes, collect_created, ret, err);
}
