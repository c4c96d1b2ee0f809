/* Chooses interface names. */
#include <errno.h>

#include "model/codec.h"
#include "store/overlay.h"

struct naming {
	struct cursor cursor;
	struct candidate *candidate;
	const struct phase *phase;
	struct key key;        /* where it is in running */
	struct change *at;     /* ... in the overlay; NULL: at its end */
	struct name_pool used; /* in the overlay; the datastore has a pool of running's */
	bool lacking;          /* some change of the overlay needs a name */
	uint32_t next;         /* every number below is in use */
	bool (*taken)(const char *name, void *arg);
	void *arg;
	struct error *err;
};

static const struct row *name_row(void)
{
	return &row_sets[OBJECT_SESSION].rows[SESSION_INTERFACE_NAME];
}

static bool lacks_name(const union config *config)
{
	return config && !codec_present(name_row(), config) && codec_applies(name_row(), config);
}

static bool is_free(const struct naming *naming, const char *name)
{
	return !datastore_named(naming->candidate->running, name) &&
	       (!naming->taken || !naming->taken(name, naming->arg));
}

/*
 * In phases, each over the entries of running or of the overlay: a unit returns 1 while there is
 * more of the phase, 0 when it is over, or a negative errno.
 */

/*
 * If the kernel has the session, keep its name there, unless another session is configured with
 * it.
 */
static int keep_name(struct naming *naming, const struct session_entry *entry,
		     struct change *change)
{
	union config named;

	if (!lacks_name(change->after) || !entry->entry.in_kernel ||
	    *entry->actual->session.interface_name == '\0' ||
	    datastore_session_by_name(naming->candidate->running,
				      entry->actual->session.interface_name))
		return 0;
	named = *change->after;
	codec_copy(name_row(), &named, entry->actual);
	return change_set(change, &named);
}

/* Touch entries that running has without a name, as from a config.xml written by hand. */
static int touch_nameless(struct naming *naming)
{
	const struct datastore *running = naming->candidate->running;
	const struct entry *entry;
	struct change *change;

	if (datastore_counts(running)->nameless == 0)
		return 0;
	entry = datastore_entry_from(running, naming->key.tunnel_id, naming->key.session_id);
	if (!entry)
		return 0;
	if (entry->key.session_id != 0 && lacks_name(entry_config(entry))) {
		change = overlay_touch(naming->candidate, entry->key.tunnel_id,
				       entry->key.session_id);
		if (!change || keep_name(naming, entry_session(entry), change) != 0)
			return -ENOMEM;
	}
	entry = entry_next(entry);
	if (!entry)
		return 0;
	naming->key = entry->key;
	return 1;
}

static int go_to_first(struct naming *naming)
{
	naming->at = candidate_first(naming->candidate);
	return 0;
}

static int note_used(struct naming *naming)
{
	const struct change *at = naming->at;

	if (!at)
		return 0;
	naming->at = change_next(naming->at);
	if (at->session_id == 0 || !at->after)
		return 1;
	naming->lacking |= lacks_name(at->after);
	return name_pool_add(&naming->used, at->after->session.interface_name) == 0 ? 1 : -ENOMEM;
}

/* Try the next number: puts the name into @session; returns whether it is free. */
static int try_number(struct naming *naming, struct session *session)
{
	uint32_t number =
		name_pool_next(&naming->candidate->running->pool, &naming->used, naming->next);

	if (number >= NAMES_MAX)
		return -ENOSPC;
	naming->next = number + 1;
	name_print(number, session->vlan_id, session->interface_name);
	session->present |= BIT(SESSION_INTERFACE_NAME);
	return is_free(naming, session->interface_name);
}

static int name_change(struct naming *naming, struct change *change)
{
	union config named = *change->after;
	int rc = 1;

	if (change->before && codec_present(name_row(), change->before))
		codec_copy(name_row(), &named, change->before);
	else
		rc = try_number(naming, &named.session);
	return rc > 0 && change_set(change, &named) != 0 ? -ENOMEM : rc;
}

static int name_next(struct naming *naming)
{
	struct change *at = naming->at;
	int rc = 1;

	if (!at || !naming->lacking)
		return 0;
	if (at->session_id != 0 && lacks_name(at->after))
		rc = name_change(naming, at);
	if (rc <= 0)
		return rc == 0 ? 1 : rc; /* the name is in use: try the next */
	naming->at = change_next(at);
	if (change_is_nothing(at))
		overlay_remove(naming->candidate, at);
	return 1;
}

static const struct phase {
	int (*unit)(struct naming *naming);
} phases[] = {{touch_nameless}, {go_to_first}, {note_used}, {go_to_first}, {name_next}};

static int refuse(const struct naming *naming, int rc)
{
	if (rc == -ENOSPC)
		return error_set(naming->err, ERROR_RESOURCE,
				 "no free interface name below l2tpeth%u; give an interface-name",
				 NAMES_MAX);
	return overlay_no_memory(naming->err);
}

static int naming_forth(struct cursor *cursor)
{
	struct naming *naming = (struct naming *)cursor;
	int rc = naming->phase->unit(naming);

	if (rc < 0)
		return refuse(naming, rc);
	return rc == 0 && ++naming->phase < phases + sizeof(phases) / sizeof(phases[0]) ? 1 : rc;
}

static void naming_close(struct cursor *cursor)
{
	name_pool_free(&((struct naming *)cursor)->used);
}

struct cursor *candidate_choose_names_begin(struct candidate *candidate,
					    bool (*taken)(const char *name, void *arg), void *arg,
					    struct error *err)
{
	static const struct cursor_kind kind = {.forth = naming_forth, .close = naming_close};
	struct naming *naming = cursor_new(&kind, sizeof(*naming));

	if (!naming) {
		overlay_no_memory(err);
		return NULL;
	}
	naming->candidate = candidate;
	naming->phase = phases;
	naming->taken = taken;
	naming->arg = arg;
	naming->err = err;
	return &naming->cursor;
}

int candidate_choose_names(struct candidate *candidate, bool (*taken)(const char *name, void *arg),
			   void *arg, struct error *err)
{
	return cursor_run(candidate_choose_names_begin(candidate, taken, arg, err));
}
