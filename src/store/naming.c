/* Interface names chosen by us. */
#include <errno.h>

#include "model/codec.h"
#include "store/overlay.h"

struct naming {
	struct candidate *candidate;
	struct name_pool used; /* in the overlay; the datastore has a pool of running's */
	bool (*taken)(const char *name, void *arg);
	void *arg;
	uint32_t next; /* every number below is in use */
};

static const struct row *name_row(void)
{
	return &row_sets[OBJECT_SESSION].rows[SESSION_INTERFACE_NAME];
}

static bool lacks_name(const struct change *change)
{
	return change->session_id != 0 && change->has &&
	       !codec_present(name_row(), &change->after) &&
	       codec_applies(name_row(), &change->after);
}

static int note_used(struct naming *naming)
{
	struct change *at = candidate_first(naming->candidate);
	int result = 0;

	for (; at != NULL && result == 0; at = change_next(at)) {
		if (at->session_id != 0 && at->has)
			result = name_pool_add(&naming->used, at->after.session.interface_name);
	}
	return result;
}

static bool is_free(const struct naming *naming, const char *name)
{
	return datastore_named(naming->candidate->running, name) == NULL &&
	       (naming->taken == NULL || !naming->taken(name, naming->arg));
}

static int choose(struct naming *naming, struct session *session)
{
	const struct name_pool *running = &naming->candidate->running->pool;

	for (;; naming->next++) {
		naming->next = name_pool_next(running, &naming->used, naming->next);
		if (naming->next >= NAMES_MAX)
			return -ENOSPC;
		name_print(naming->next, session->vlan_id, session->interface_name);
		if (is_free(naming, session->interface_name))
			break;
	}
	naming->next++;
	session->present |= BIT(SESSION_INTERFACE_NAME);
	return 0;
}

static int name_change(struct naming *naming, struct change *change)
{
	if (!lacks_name(change))
		return 0;
	if (change->had && codec_present(name_row(), &change->before)) {
		codec_copy(name_row(), &change->after, &change->before);
		return 0;
	}
	return choose(naming, &change->after.session);
}

static int name_touched(struct naming *naming)
{
	struct change *at = candidate_first(naming->candidate), *next;
	int result = 0;

	for (; at != NULL && result == 0; at = next) {
		result = name_change(naming, at);
		next = change_next(at);
		if (change_is_nothing(at))
			overlay_remove(naming->candidate, at);
	}
	return result;
}

/* The kernel may have the session all the same: keep the name there, unless it is another's. */
static void keep_name(struct candidate *candidate, const struct session_entry *entry,
		      struct change *change)
{
	if (lacks_name(change) && entry->entry.in_kernel && *entry->actual.interface_name != '\0' &&
	    datastore_session_by_name(candidate->running, entry->actual.interface_name) == NULL)
		codec_copy(name_row(), &change->after, &entry->actual);
}

/* Those that a config.xml written by hand leaves without. */
static int touch_nameless(struct candidate *candidate, const struct tunnel_entry *tunnel)
{
	const struct session_entry *at = tunnel_session_from(tunnel, 0);
	struct change *change;

	for (; at != NULL; at = session_next(at)) {
		if (!at->entry.configured || *session_name(at) != '\0' ||
		    !codec_applies(name_row(), &at->config))
			continue;
		change =
			overlay_touch(candidate, at->entry.key.tunnel_id, at->entry.key.session_id);
		if (change == NULL)
			return -ENOMEM;
		keep_name(candidate, at, change);
	}
	return 0;
}

static int touch_all_nameless(struct candidate *candidate)
{
	const struct tunnel_entry *at = NULL;
	int result = 0;

	if (candidate->running->nameless > 0)
		at = datastore_tunnel_from(candidate->running, 0);
	for (; at != NULL && result == 0; at = tunnel_next(at))
		result = touch_nameless(candidate, at);
	return result;
}

int candidate_choose_names(struct candidate *candidate, bool (*taken)(const char *name, void *arg),
			   void *arg, struct error *err)
{
	struct naming naming = {.candidate = candidate, .taken = taken, .arg = arg};
	int result = touch_all_nameless(candidate);

	if (result == 0)
		result = note_used(&naming);
	if (result == 0)
		result = name_touched(&naming);
	name_pool_free(&naming.used);
	if (result == -ENOSPC)
		return error_set(err, ERROR_RESOURCE,
				 "no free interface name below l2tpeth%u; give an interface-name",
				 NAMES_MAX);
	if (result != 0)
		return error_set_errno(err, ERROR_RESOURCE, ENOMEM,
				       "out of memory; make the edit smaller");
	return 0;
}
