#include "engine/recall.h"

#include <errno.h>
#include <stdlib.h>
#include <syslog.h>

#define EACH_NS  (NS_PER_S / 4096)
#define AGAIN_NS (30 * NS_PER_S) /* after a failure */

struct recall {
	struct identities *identities; /* NULL: nothing is stored (tests) */
	size_t written;                /* since everything was written */
	int64_t allowed_at;            /* when to write what is not urgent */
	bool at_once, failed;
};

static struct identities *identities_of(const struct engine *engine)
{
	return engine->recall->identities;
}

/* ---- writing */

void recall_release(struct engine *engine, const struct entry *entry)
{
	if (entry->slot)
		identities_release(identities_of(engine), entry->slot);
}

int recall_open(struct engine *engine)
{
	char warning[JOURNAL_WARNING_MAX] = "";
	int rc;

	engine->recall = calloc(1, sizeof(*engine->recall));
	if (!engine->recall)
		return -ENOMEM;
	if (!engine->o.journal)
		return 0;
	rc = identities_open(&engine->recall->identities, engine->o.journal,
			     engine->k->instance(engine->o.kernel), warning);
	if (rc < 0)
		return rc;
	if (warning[0])
		engine_log(engine, LOG_WARNING, "%s", warning);
	engine->last_change = identities_of_all(identities_of(engine))->last_commit;
	return 0;
}

/* Query a tunnel's socket only once, when it must be written or compared. */
static uint64_t object_of(struct engine *engine, struct entry *entry)
{
	struct tunnel_entry *tunnel = entry_tunnel(entry);

	if (!tunnel)
		return entry_session(entry)->state.if_index;
	if (entry->in_kernel && !tunnel->state.socket)
		tunnel->state.socket = engine->k->tunnel_socket(engine->o.kernel, &tunnel->actual);
	return tunnel->state.socket;
}

static bool fill(const struct key *key, struct identity *ret, void *arg)
{
	struct engine *engine = arg;
	struct entry *entry = datastore_entry(engine->store, key->tunnel_id, key->session_id);
	const struct state *state;

	if (!entry)
		return false;
	state = entry_state(entry);
	ret->oper_status = state->oper_status;
	ret->status_reason = state->status_reason;
	ret->status_errno = state->status_errno;
	ret->transmit_failing = state->transmit_failing;
	ret->peer_silent = state->peer_silent;
	ret->in_kernel = entry->in_kernel;
	ret->silenced = entry_session(entry) && entry_session(entry)->state.silenced;
	if (entry->in_kernel || entry->held)
		ret->object = object_of(engine, entry);
	else if (state->oper_status == OPER_REMOVING) /* released: the next one is another object */
		ret->oper_status = OPER_DOWN;
	ret->began = state->statistics.discontinuity_time;
	ret->last_change = state->last_change;
	ret->heard_time = state->heard_time;
	ret->rx_packets = state->statistics.rx_packets;
	ret->tx_packets = state->statistics.tx_packets;
	ret->tx_errors = state->statistics.tx_errors;
	return true;
}

/* False: done, or not possible now. */
static bool write_some(struct engine *engine)
{
	struct recall *recall = engine->recall;
	struct error err = ERROR_INIT;
	int rc = identities_write(recall->identities, fill, engine, &err);

	if (rc < 0) {
		if (!recall->failed)
			engine_log(engine, LOG_WARNING, "%s", err.text);
		recall->failed = true;
		recall->at_once = false;
		recall->allowed_at = clock_now() + AGAIN_NS;
		return false;
	}
	recall->failed = false;
	recall->written += (size_t)rc;
	if (identities_marked(recall->identities))
		return true;
	recall->allowed_at = clock_now() + (int64_t)recall->written * EACH_NS;
	recall->written = 0;
	recall->at_once = false;
	return false;
}

void recall_write(struct engine *engine)
{
	while (write_some(engine) && engine_may_go_on(engine))
		;
}

void recall_write_all(struct engine *engine)
{
	if (!identities_of(engine) || !identities_marked(identities_of(engine)))
		return;
	while (write_some(engine))
		;
}

int64_t recall_due(const struct engine *engine)
{
	const struct recall *recall = engine->recall;

	if (!recall->identities || !identities_marked(recall->identities))
		return NEVER;
	return recall->at_once || recall->written ? 0 : recall->allowed_at;
}

/* Do not retry a failure at once, for marks are frequent. */
void recall_mark(struct engine *engine, struct entry *entry, bool at_once)
{
	struct recall *recall = engine->recall;

	if (!recall->identities)
		return;
	if (!identities_mark(recall->identities, &entry->slot, &entry->key)) {
		agenda_forgot(&engine->agenda);
		return;
	}
	recall->at_once = recall->at_once || (at_once && !recall->failed);
	engine_schedule(engine);
}

void recall_mark_commit(struct engine *engine)
{
	if (!identities_of(engine))
		return;
	identities_change_all(identities_of(engine))->last_commit = engine->last_change;
	engine->recall->at_once = !engine->recall->failed;
	engine_schedule(engine);
}

int64_t engine_epoch(const struct engine *engine)
{
	return identities_of(engine) ? identities_of_all(identities_of(engine))->epoch : 0;
}

void engine_keep_epoch(struct engine *engine, int64_t epoch)
{
	if (!identities_of(engine) || engine_epoch(engine) == epoch)
		return;
	identities_change_all(identities_of(engine))->epoch = epoch;
	engine->recall->at_once = !engine->recall->failed;
	engine_schedule(engine);
}

/* Write the current counters of objects that nothing else identifies. */
static void mark_counted(struct engine *engine)
{
	struct entry *entry = datastore_entry_from(engine->store, 1, 0);

	for (; entry; entry = entry_next(entry))
		if (entry->in_kernel && !object_of(engine, entry))
			recall_mark(engine, entry, false);
}

void recall_close(struct engine *engine)
{
	if (!engine->recall)
		return;
	if (identities_of(engine)) {
		mark_counted(engine);
		recall_write_all(engine);
	}
	identities_close(identities_of(engine));
	free(engine->recall);
	engine->recall = NULL;
}

/* ---- reading */

static const struct identity *known_of(const struct engine *engine, const struct key *key)
{
	const struct identity *known =
		identities_of(engine) ? identities_from(identities_of(engine), key) : NULL;

	return known && key_compare(&known->key, key) == 0 ? known : NULL;
}

static bool has_link(const struct engine *engine, uint64_t index)
{
	return links_by_index(&engine->links, (unsigned int)index);
}

/* Do its sessions' interfaces tell? 1: one exists; -1: there were some; 0: there were none. */
static int ask_sessions(const struct engine *engine, uint32_t tunnel_id)
{
	struct key key = {tunnel_id, 1};
	const struct identity *known;
	int said = 0;

	while ((known = identities_from(identities_of(engine), &key)) != NULL &&
	       known->key.tunnel_id == tunnel_id) {
		if (known->object && has_link(engine, known->object))
			return 1;
		if (known->object && known->oper_status != OPER_REMOVING)
			said = -1;
		if (known->key.session_id == ID_MAX)
			break;
		key.session_id = known->key.session_id + 1;
	}
	return said;
}

static bool counters_went_back(const struct identity *known, const struct statistics *now)
{
	return now->rx_packets < known->rx_packets || now->tx_packets < known->tx_packets ||
	       now->tx_errors < known->tx_errors;
}

static bool is_same(struct engine *engine, struct entry *entry, const struct identity *known,
		    const struct statistics *statistics)
{
	const struct session_entry *session = entry_session(entry);
	uint64_t object = session ? 0 : object_of(engine, entry);
	int said = session ? 0 : ask_sessions(engine, entry->key.tunnel_id);

	if (session && known->object)
		return has_link(engine, known->object);
	if (known->object && object)
		return known->object == object;
	if (said)
		return said > 0;
	if (session &&
	    known->began.at < session->tunnel->state.common.statistics.discontinuity_time.at)
		return false;
	return !statistics || !counters_went_back(known, statistics);
}

static void take_over(struct engine *engine, struct entry *entry, const struct identity *known)
{
	entry->slot = identities_take(identities_of(engine), &entry->key);
	if (known->oper_status >= OPER_STATUSES || known->status_reason >= STATUS_REASONS)
		return; /* words of a later version */
	datastore_set_status(engine->store, entry, known->oper_status, known->status_reason,
			     known->status_errno, known->last_change);
	entry_state(entry)->last_change = known->last_change; /* even for the same status */
	entry_state(entry)->left_status = known->oper_status;
	entry_state(entry)->left_reason = known->status_reason;
}

void engine_tell_missed(struct engine *engine, engine_watch_cb *cb, void *arg)
{
	const struct entry *entry = datastore_entry_from(engine->store, 0, 0);

	for (; entry; entry = entry_next(entry)) {
		const struct state *state = entry_state(entry);

		if (state->left_status && state->left_status != state->oper_status)
			cb(&(struct engine_event){.type = ENGINE_STATE,
						  .entry = entry,
						  .old_status = state->left_status},
			   arg);
	}
}

const struct identity *recall_found(struct engine *engine, struct entry *entry,
				    const struct statistics *statistics)
{
	const struct identity *known = entry->slot ? NULL : known_of(engine, &entry->key);
	struct state *state = entry_state(entry);

	if (!known || (!known->in_kernel && known->oper_status != OPER_REMOVING) ||
	    !is_same(engine, entry, known, statistics))
		return NULL;
	take_over(engine, entry, known);
	state->transmit_failing = known->transmit_failing;
	state->peer_silent = known->peer_silent;
	state->heard_time = known->heard_time;
	state->statistics = (struct statistics){
		.rx_packets = known->rx_packets,
		.tx_packets = known->tx_packets,
		.tx_errors = known->tx_errors,
		.discontinuity_time = known->began,
	};
	state->statistics_time = 1; /* long ago, but still a reading to compare with */
	if (entry_session(entry))
		entry_session(entry)->state.silenced = known->silenced;
	if (entry_session(entry) && known->object)
		datastore_set_index(engine->store, entry_session(entry),
				    (unsigned int)known->object);
	return known;
}

void recall_absent(struct engine *engine, struct entry *entry)
{
	const struct identity *known = entry->slot ? NULL : known_of(engine, &entry->key);

	if (known && known->oper_status != OPER_UP && known->oper_status != OPER_PEER_SILENT &&
	    known->oper_status != OPER_REMOVING)
		take_over(engine, entry, known);
}

/* Move to the next possible key. False: there is none. */
static bool pass(struct key *key)
{
	if (key->session_id == ID_MAX && key->tunnel_id == ID_MAX)
		return false;
	*key = key->session_id == ID_MAX ? (struct key){key->tunnel_id + 1, 0}
					 : (struct key){key->tunnel_id, key->session_id + 1};
	return true;
}

const struct identity *recall_lingering(const struct engine *engine, const struct key *key)
{
	const struct identity *known;
	struct key from = *key;

	if (!identities_of(engine))
		return NULL;
	while (pass(&from) && (known = identities_from(identities_of(engine), &from)) != NULL) {
		if (known->oper_status == OPER_REMOVING && known->key.session_id && known->object &&
		    has_link(engine, known->object) &&
		    !datastore_session_by_index(engine->store, (unsigned int)known->object))
			return known;
		from = known->key;
	}
	return NULL;
}

void recall_end_start(struct engine *engine)
{
	if (identities_of(engine))
		identities_forget_rest(identities_of(engine));
	if (recall_due(engine) != NEVER)
		engine->recall->at_once = true;
}
