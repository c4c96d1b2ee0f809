#include "engine/report.h"

#include <syslog.h>

#include "engine/compare.h"
#include "engine/status.h"

/*
 * Report that others changed it, or changed it back. False: it is as configured, perhaps by a later
 * commit.
 */
static bool report(struct engine *engine, struct entry *entry)
{
	struct state *state = entry_state(entry);
	const struct row *row = compare_entry(engine, entry);
	bool before = state->externally_modified;
	char what[KEY_TEXT_MAX];

	state->externally_modified = row && engine->o.no_repair;
	if (!row != !before)
		engine_tell(engine,
			    &(struct engine_event){.type = ENGINE_DRIFT,
						   .entry = entry,
						   .drift = row ? DRIFT_DIFFERS : DRIFT_ENDED,
						   .row = row,
						   .restores = !engine->o.no_repair});
	if (row && !before)
		engine_log(engine, LOG_WARNING, "%s differs in the kernel: %s; %s",
			   key_text(&entry->key, what), row->leaf,
			   engine->o.no_repair ? "leaving it" : "restoring it");
	/* a missing bridge or VRF is no difference: the session waits for it */
	if (entry->key.session_id || before != state->externally_modified)
		status_derive(engine, entry);
	return row;
}

void report_changed(struct engine *engine)
{
	struct key key;

	do {
		struct entry *entry;
		bool differs = true; /* it vanished, which was logged already */

		if (!keys_next(&engine->agenda.changed, &key))
			return;
		entry = datastore_entry(engine->store, key.tunnel_id, key.session_id);
		if (entry && entry->in_kernel)
			differs = report(engine, entry);
		if (differs && !engine->o.no_repair)
			agenda_repair(&engine->agenda, &key);
	} while (engine_may_go_on(engine));
}
