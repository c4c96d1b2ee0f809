#include "engine/resume.h"

#include <errno.h>

#include "engine/compare.h"
#include "engine/desired.h"
#include "model/codec.h"

/* Is the kernel's object as the commit makes it? */
static bool is_same(struct engine *engine, const struct candidate *changes,
		    const struct entry *entry)
{
	const struct key *key = &entry->key;
	const struct session *session = candidate_session(changes, key->tunnel_id, key->session_id);
	union config want;
	int rc;

	if (session && !candidate_tunnel(changes, key->tunnel_id)) {
		/* which config.xml has lost since */
		want.session = *session;
		codec_complete(OBJECT_SESSION, &want.session);
		rc = want.session.enabled ? 0 : -ENOENT;
	} else {
		rc = want_entry(engine, changes, key, &want);
	}
	if (rc < 0) /* local-interface has no address now: it may have had one */
		return rc != -ENOENT;
	return !compare_kernel(entry_object(entry), &want, entry_actual(entry), false);
}

/* What the commit creates and is in the kernel; NULL: it does not, or is not. */
static const struct entry *created(const struct engine *engine, const struct change *c)
{
	const struct entry *entry =
		c->before ? NULL : datastore_entry(engine->store, c->tunnel_id, c->session_id);

	return entry && entry->in_kernel ? entry : NULL;
}

int resume_refuse_foreign(struct engine *engine, const struct candidate *changes, struct error *err)
{
	for (struct change *c = candidate_first(changes); c; c = change_next(c)) {
		const struct entry *entry = created(engine, c);

		if (!entry || is_same(engine, changes, entry))
			continue;
		error_at_entry(err, c->tunnel_id, c->session_id, NULL);
		return error_set(err, ERROR_FOREIGN,
				 "the commit was interrupted, and someone else took the id since");
	}
	return 0;
}

int resume_created(struct engine *engine, const struct candidate *changes, struct keys *ret)
{
	for (struct change *c = candidate_first(changes); c; c = change_next(c)) {
		const struct entry *entry = created(engine, c);

		if (entry && is_same(engine, changes, entry) && !keys_add(ret, &entry->key))
			return -ENOMEM;
	}
	return 0;
}
