/*
 * Carrying out a job, a slice at a time: phase after phase, in each phase batch
 * after batch of the items that have something to do in it.
 */
#include "engine/internal.h"

#include <errno.h>

#define BLOCKED_NS (3 * NS_PER_S)	 /* how long an id or name may stay taken ... */
#define BLOCKED_EACH_NS (60 * 1000000LL) /* ... and for each object still being torn down */

struct batch {
	struct item *items[BATCH_MAX];
	size_t count;
	struct kernel_request requests[2 * BATCH_MAX];
	size_t requested;
	union config want[BATCH_MAX], found[BATCH_MAX];
	struct kernel_link links[BATCH_MAX];
};

enum outcome { OUTCOME_DONE, OUTCOME_AGAIN, OUTCOME_REFUSED }; /* from good to bad */

/* Of a batch every result counts, also those behind a refusal: they were carried out. */
static enum outcome worse(enum outcome a, enum outcome b)
{
	return a > b ? a : b;
}

bool engine_connect(struct engine *engine, struct error *err)
{
	int rc;

	if (engine->connected)
		return true;
	rc = engine->k->connect(engine->o.kernel, err);
	engine->connected = rc == 0;
	if (err)
		err->os_errno = -rc;
	return engine->connected;
}

int engine_submit(struct engine *engine, struct kernel_request *requests, size_t count,
		  size_t objects)
{
	int64_t begin = engine_now(), took;
	int rc = engine->k->submit(engine->o.kernel, requests, count);

	took = engine_now() - begin;
	if (took > BATCH_NS && engine->batch > 1)
		engine->batch /= 2;
	else if (took < BATCH_NS / 3 && objects >= engine->batch && engine->batch < BATCH_MAX)
		engine->batch *= 2;
	return rc;
}

/* ---- outcomes */

static enum status_reason address_reason(struct engine *engine, const struct tunnel *tunnel)
{
	enum kernel_address_state state =
		engine->k->address_state(engine->o.kernel, &tunnel->local_address);

	return state == ADDRESS_TENTATIVE ? REASON_ADDRESS_TENTATIVE : REASON_NO_LOCAL_ADDRESS;
}

/* What the surroundings lack and may yet provide, by errno; 0: the configuration is at fault. */
static enum status_reason reason_to_wait(struct engine *engine, const struct tunnel *tunnel,
					 int os_errno, bool strict)
{
	switch (os_errno) {
	case ENETUNREACH:
	case EHOSTUNREACH:
		return REASON_NO_ROUTE;
	case EADDRNOTAVAIL:
		return tunnel ? address_reason(engine, tunnel) : REASON_NO_LOCAL_ADDRESS;
	case EPROTONOSUPPORT:
	case EAFNOSUPPORT:
	case ENOENT:
		return REASON_MODULE_MISSING;
	case EPERM:
		return REASON_NO_PERMISSION;
	case EADDRINUSE:
		return strict ? 0 : REASON_ADDRESS_IN_USE;
	default:
		return 0;
	}
}

static void wait_for(struct item *item, enum status_reason reason, int os_errno)
{
	item->reason = (uint8_t)reason;
	item->os_errno = (int16_t)os_errno;
}

static enum outcome refuse(struct job *job, struct item *item, enum error_code code, int os_errno,
			   const char *text)
{
	wait_for(item, REASON_KERNEL_ERROR, os_errno);
	if (!job->strict)
		return OUTCOME_DONE;
	if (job->error.code)
		return OUTCOME_REFUSED; /* the first refusal is the one to tell */
	error_at_entry(&job->error, item->key.tunnel_id, item->key.session_id, NULL);
	error_set(&job->error, code, "%s", text);
	job->error.os_errno = os_errno;
	return OUTCOME_REFUSED;
}

static enum outcome refuse_kernel(struct job *job, struct item *item,
				  const struct kernel_request *request)
{
	char text[KERNEL_EXPLAIN_MAX];

	kernel_explain(request->verb, request->result, request->tunnel, request->session, text);
	return refuse(job, item,
		      request->result == -EEXIST || request->result == -EADDRINUSE ?
			      ERROR_FOREIGN : ERROR_KERNEL,
		      -request->result, text);
}

static bool still_patient(const struct engine *engine, const struct job *job)
{
	int64_t patience = BLOCKED_NS + (int64_t)engine->removing.count * BLOCKED_EACH_NS;

	return job->blocked_since == 0 || engine_now() - job->blocked_since < patience;
}

static enum outcome judge_create(struct engine *engine, struct job *job, struct item *item,
				 const struct kernel_request *request)
{
	int os_errno = -request->result;
	enum status_reason reason;

	if (os_errno == EEXIST || os_errno == ENODEV ||
	    (os_errno == EADDRINUSE && engine->removing.count)) {
		if (still_patient(engine, job))
			return OUTCOME_AGAIN;
		if (os_errno == ENODEV) {
			wait_for(item, REASON_TUNNEL_NOT_UP, os_errno);
			return OUTCOME_DONE;
		}
	}
	reason = reason_to_wait(engine, request->tunnel, os_errno, job->strict);
	if (reason == 0)
		return refuse_kernel(job, item, request);
	wait_for(item, reason, os_errno);
	return OUTCOME_DONE;
}

/* The kernel answers 0 to what it ignores: compare what came back. */
static enum outcome judge_read_back(struct job *job, struct item *item, enum object object,
				    const struct kernel_request *get, const void *want,
				    const void *found)
{
	const struct row_set *set = &row_sets[object];
	char text[160];

	if (get->result < 0) {
		snprintf(text, sizeof(text), "the kernel took it, and does not show it (%s)",
			 strerror(-get->result));
		return refuse(job, item, ERROR_KERNEL, -get->result, text);
	}
	for (unsigned int i = 0; i < set->config_count; i++) {
		const struct row *row = &set->rows[i];

		if (row->wire == WIRE_NONE || codec_same_in_kernel(row, want, found))
			continue;
		snprintf(text, sizeof(text), "the kernel took it, but not its %s", row->leaf);
		return refuse(job, item, ERROR_KERNEL, EPROTO, text);
	}
	return OUTCOME_DONE;
}

/* ---- gathering a batch */

static bool in_phase(const struct item *item, uint8_t action, bool sessions)
{
	return (item->todo & action) && !(item->done & action) && item->reason == 0 &&
	       (item->key.session_id != 0) == sessions;
}

static struct item *next_item(struct job *job, uint8_t action, bool sessions)
{
	while (job->cursor < job->count && !in_phase(&job->items[job->cursor], action, sessions))
		job->cursor++;
	return job->cursor < job->count ? &job->items[job->cursor] : NULL;
}

static struct kernel_request *add_request(struct batch *batch, enum kernel_verb verb,
					  const struct item *item)
{
	struct kernel_request *request = &batch->requests[batch->requested++];

	*request = (struct kernel_request){ .verb = verb,
					    .tunnel_id = item->key.tunnel_id,
					    .session_id = item->key.session_id };
	return request;
}

/* ---- deleting */

static enum outcome finish_delete(struct engine *engine, struct job *job, struct item *item,
				  const struct kernel_request *request)
{
	if (request->result < 0 && request->result != -ENODEV)
		return refuse_kernel(job, item, request);
	item->done |= ACTION_DELETE;
	settle_deleted(engine, &item->key);
	for (struct item *next = item + 1; item->key.session_id == 0 &&
	     next < job->items + job->count && next->key.tunnel_id == item->key.tunnel_id; next++)
		if (next->todo & ACTION_CASCADE) {
			next->done |= ACTION_CASCADE;
			settle_deleted(engine, &next->key);
		}
	return OUTCOME_DONE;
}

static enum outcome phase_delete(struct engine *engine, struct job *job, bool sessions)
{
	struct batch *batch = job->batch;
	enum outcome outcome = OUTCOME_DONE;
	struct item *item = NULL;

	while (batch->count < engine->batch &&
	       (item = next_item(job, ACTION_DELETE, sessions)) != NULL) {
		add_request(batch, sessions ? KERNEL_SESSION_DELETE : KERNEL_TUNNEL_DELETE, item);
		batch->items[batch->count++] = item;
		job->cursor++;
	}
	engine_submit(engine, batch->requests, batch->requested, batch->count);
	for (size_t i = 0; i < batch->count; i++)
		outcome = worse(outcome, finish_delete(engine, job, batch->items[i],
						       &batch->requests[i]));
	return outcome;
}

/* ---- creating tunnels */

/* Add create and read-back; false: it is settled that the item waits. */
static bool request_tunnel(struct engine *engine, struct job *job, struct item *item)
{
	struct batch *batch = job->batch;
	struct tunnel *want = &batch->want[batch->count].tunnel;
	int rc = want_tunnel(engine, job->to, item->key.tunnel_id, want);
	struct kernel_request *request;

	if (rc < 0) {
		wait_for(item, REASON_NO_INTERFACE_ADDRESS, -rc);
		return false;
	}
	request = add_request(batch, KERNEL_TUNNEL_CREATE, item);
	request->tunnel = want;
	request = add_request(batch, KERNEL_TUNNEL_GET, item);
	request->ret_tunnel = &batch->found[batch->count].tunnel;
	batch->items[batch->count++] = item;
	return true;
}

static bool tunnel_blocked(const struct engine *engine, const struct item *item)
{
	const struct tunnel_entry *entry = datastore_tunnel(engine->store, item->key.tunnel_id);
	return entry && entry->held;
}

static enum outcome finish_created(struct engine *engine, struct job *job, size_t i,
				   enum object object)
{
	struct batch *batch = job->batch;
	struct item *item = batch->items[i];

	if (batch->requests[2 * i].result < 0)
		return judge_create(engine, job, item, &batch->requests[2 * i]);
	item->done |= ACTION_CREATE;
	job->blocked_since = 0;
	return judge_read_back(job, item, object, &batch->requests[2 * i + 1], &batch->want[i],
			       &batch->found[i]);
}

/* The cursor goes back to the first item that must be tried again. */
static enum outcome finish_batch(struct engine *engine, struct job *job, enum object object)
{
	enum outcome all = OUTCOME_DONE;
	size_t again = job->cursor;

	for (size_t i = 0; i < job->batch->count; i++) {
		size_t place = (size_t)(job->batch->items[i] - job->items);
		enum outcome one = finish_created(engine, job, i, object);

		if (one == OUTCOME_AGAIN && place < again)
			again = place;
		all = worse(all, one);
	}
	job->cursor = again;
	return all;
}

static enum outcome phase_create_tunnels(struct engine *engine, struct job *job)
{
	struct batch *batch = job->batch;
	struct item *item = NULL;

	while (batch->count < engine->batch &&
	       (item = next_item(job, ACTION_CREATE, false)) != NULL) {
		if (tunnel_blocked(engine, item) && still_patient(engine, job))
			break;
		request_tunnel(engine, job, item);
		job->cursor++;
	}
	if (batch->count == 0)
		return item ? OUTCOME_AGAIN : OUTCOME_DONE;
	engine_submit(engine, batch->requests, batch->requested, batch->count);
	return finish_batch(engine, job, OBJECT_TUNNEL);
}

/* ---- creating sessions */

static bool tunnel_there(struct engine *engine, struct job *job, uint32_t tunnel_id)
{
	const struct item *item = job_item(job, tunnel_id, 0);
	const struct tunnel_entry *entry;

	if (item && (item->todo & ACTION_CREATE))
		return (item->done & ACTION_CREATE) && item->reason == 0;
	entry = datastore_tunnel(engine->store, tunnel_id);
	return entry && entry->in_kernel;
}

/* Is the id or the name of the session still being torn down? */
static bool session_blocked(const struct engine *engine, const struct item *item,
			    const struct session *want)
{
	const struct session_entry *entry = datastore_session(
		engine->store, item->key.tunnel_id, item->key.session_id);
	const struct kernel_link *link;

	if (entry && entry->held)
		return true;
	if (!(want->present & BIT(SESSION_INTERFACE_NAME)))
		return false;
	link = links_by_name(&engine->links, want->interface_name);
	entry = link ? datastore_session_by_index(engine->store, link->index) : NULL;
	return entry && entry->held;
}

static void request_session(struct job *job, struct item *item)
{
	struct batch *batch = job->batch;
	struct kernel_request *request;

	request = add_request(batch, KERNEL_SESSION_CREATE, item);
	request->session = &batch->want[batch->count].session;
	request = add_request(batch, KERNEL_SESSION_GET, item);
	request->ret_session = &batch->found[batch->count].session;
	batch->items[batch->count++] = item;
}

/* false: stop gathering, something blocks. */
static bool gather_session(struct engine *engine, struct job *job, struct item *item)
{
	struct session *want = &job->batch->want[job->batch->count].session;

	if (want_session(job->to, item->key.tunnel_id, item->key.session_id, want) < 0) {
		item->todo &= (uint8_t)~ACTION_CREATE;
		return true;
	}
	if (!tunnel_there(engine, job, item->key.tunnel_id)) {
		wait_for(item, REASON_TUNNEL_NOT_UP, 0);
		return true;
	}
	if (session_blocked(engine, item, want) && still_patient(engine, job))
		return false;
	request_session(job, item);
	return true;
}

/* The link work of one session into the batch's second round of requests. */
static void request_link(struct engine *engine, struct job *job, struct item *item,
			 const struct session *want, const struct session *before)
{
	const struct kernel_link *have = links_by_name(&engine->links, want->interface_name);
	struct kernel_link unknown = { .index = 0 };
	const struct tunnel *tunnel = candidate_tunnel(job->to, item->key.tunnel_id);
	struct kernel_request *request;
	struct kernel_link set;
	unsigned int bits;

	memcpy(unknown.name, want->interface_name, sizeof(unknown.name));
	if (!tunnel || want->pseudowire_type == PSEUDOWIRE_PPP)
		return;
	bits = want_link(engine, tunnel, before, want, have ? have : &unknown, &set);
	if (want->pseudowire_type == PSEUDOWIRE_ETHERNET_VLAN)
		bits &= ~(unsigned int)LINK_MASTER;
	if (item->saved && (item->done & ACTION_CREATE)) {
		unsigned int lost = item->saved->set & ~bits;

		if (want->present & BIT(SESSION_MAC_ADDRESS))
			lost &= ~(unsigned int)LINK_MAC;
		if (lost & LINK_MAC)
			set.mac = item->saved->link.mac;
		if (lost & LINK_MTU)
			set.mtu = item->saved->link.mtu;
		if (lost & LINK_MASTER)
			set.master = item->saved->link.master;
		bits |= lost;
	}
	if (!bits)
		return;
	request = add_request(job->batch, KERNEL_LINK_SET, item);
	request->link = set;
	request->link_set = bits;
}

/* The 802.1Q link of an ethernet-vlan session: its bridge, its state. */
static int make_vlan(struct engine *engine, const struct session *want)
{
	const struct kernel_link *parent = links_by_name(&engine->links, want->interface_name);
	const struct kernel_link *bridge = (want->present & BIT(SESSION_BRIDGE)) ?
		links_by_name(&engine->links, want->bridge) : NULL;
	struct kernel_request requests[2] = {
		{ .verb = KERNEL_VLAN_CREATE },
		{ .verb = KERNEL_LINK_SET, .link_set = LINK_UP },
	};

	if (!parent)
		return -ENODEV;
	rules_vlan_name(want, requests[0].link.name);
	requests[0].link.parent = parent->index;
	requests[0].link.vlan_id = want->vlan_id;
	memcpy(requests[1].link.name, requests[0].link.name, sizeof(requests[1].link.name));
	requests[1].link.up = want->link_enabled;
	if (bridge) {
		requests[1].link.master = bridge->index;
		requests[1].link_set |= LINK_MASTER;
	}
	engine_submit(engine, requests, 2, 1);
	if (requests[0].result < 0 && requests[0].result != -EEXIST)
		return requests[0].result;
	return requests[1].result;
}

static enum outcome finish_link(struct engine *engine, struct job *job, struct item *item,
				const struct session *want, int result)
{
	char text[192];

	if (result == 0 && want_vlan(engine, want, 0))
		result = make_vlan(engine, want);
	if (result == 0) {
		item->done |= item->todo & ACTION_LINK;
		return OUTCOME_DONE;
	}
	snprintf(text, sizeof(text), "interface %s cannot be set up as configured: %s",
		 want->interface_name, strerror(-result));
	return refuse(job, item, ERROR_KERNEL, -result, text);
}

/* Second round: set up the interfaces of the sessions in the batch that are there. */
static enum outcome set_links(struct engine *engine, struct job *job, uint8_t action)
{
	struct batch *batch = job->batch;
	enum outcome outcome = OUTCOME_DONE;
	size_t place[BATCH_MAX];

	observe_drain(engine);
	batch->requested = 0;
	for (size_t i = 0; i < batch->count; i++) {
		struct item *item = batch->items[i];
		struct session before;
		bool had = action == ACTION_LINK &&
			   want_session(job->from, item->key.tunnel_id, item->key.session_id,
					&before) == 0;
		size_t was = batch->requested;

		if ((item->done & ACTION_CREATE) || action == ACTION_LINK)
			request_link(engine, job, item, &batch->want[i].session,
				     had ? &before : NULL);
		place[i] = batch->requested > was ? was : SIZE_MAX;
	}
	if (batch->requested)
		engine_submit(engine, batch->requests, batch->requested, batch->count);
	observe_drain(engine);
	for (size_t i = 0; i < batch->count; i++)
		if (((batch->items[i]->done & ACTION_CREATE) || action == ACTION_LINK) &&
		    batch->want[i].session.pseudowire_type != PSEUDOWIRE_PPP)
			outcome = worse(outcome,
					finish_link(engine, job, batch->items[i],
						    &batch->want[i].session,
						    place[i] == SIZE_MAX ?
							    0 : batch->requests[place[i]].result));
	return outcome;
}

static enum outcome phase_create_sessions(struct engine *engine, struct job *job)
{
	struct batch *batch = job->batch;
	enum outcome outcome, links;
	struct item *item = NULL;

	while (batch->count < engine->batch &&
	       (item = next_item(job, ACTION_CREATE, true)) != NULL) {
		if (!gather_session(engine, job, item))
			break;
		job->cursor++;
	}
	if (batch->count == 0)
		return item ? OUTCOME_AGAIN : OUTCOME_DONE;
	engine_submit(engine, batch->requests, batch->requested, batch->count);
	outcome = finish_batch(engine, job, OBJECT_SESSION);
	if (outcome == OUTCOME_REFUSED)
		return outcome;
	links = set_links(engine, job, ACTION_CREATE);
	return worse(outcome, links);
}

/* ---- changing in place */

static enum outcome phase_modify(struct engine *engine, struct job *job)
{
	struct batch *batch = job->batch;
	enum outcome outcome = OUTCOME_DONE;
	struct item *item = NULL;

	while (batch->count < engine->batch &&
	       (item = next_item(job, ACTION_MODIFY, true)) != NULL) {
		struct session *want = &batch->want[batch->count].session;

		job->cursor++;
		if (want_session(job->to, item->key.tunnel_id, item->key.session_id, want) < 0)
			continue;
		add_request(batch, KERNEL_SESSION_MODIFY, item)->session = want;
		batch->items[batch->count++] = item;
	}
	engine_submit(engine, batch->requests, batch->requested, batch->count);
	for (size_t i = 0; i < batch->count; i++) {
		if (batch->requests[i].result < 0)
			outcome = worse(outcome, refuse_kernel(job, batch->items[i],
							       &batch->requests[i]));
		else
			batch->items[i]->done |= ACTION_MODIFY;
	}
	return outcome;
}

static enum outcome phase_link(struct engine *engine, struct job *job)
{
	struct batch *batch = job->batch;
	struct item *item = NULL;

	while (batch->count < engine->batch &&
	       (item = next_item(job, ACTION_LINK, true)) != NULL) {
		job->cursor++;
		if (want_session(job->to, item->key.tunnel_id, item->key.session_id,
				 &batch->want[batch->count].session) == 0)
			batch->items[batch->count++] = item;
	}
	return set_links(engine, job, ACTION_LINK);
}

/* ---- slices */

static enum outcome run_batch(struct engine *engine, struct job *job)
{
	job->batch->count = job->batch->requested = 0;
	switch (job->phase) {
	case PHASE_DELETE_SESSIONS:
		return phase_delete(engine, job, true);
	case PHASE_DELETE_TUNNELS:
		return phase_delete(engine, job, false);
	case PHASE_CREATE_TUNNELS:
		return phase_create_tunnels(engine, job);
	case PHASE_CREATE_SESSIONS:
		return phase_create_sessions(engine, job);
	case PHASE_MODIFY:
		return phase_modify(engine, job);
	case PHASE_LINK:
		return phase_link(engine, job);
	case PHASE_END:
		break;
	}
	return OUTCOME_DONE;
}

/* No family, no work: everything that should be created waits for the module. */
static void wait_for_module(struct engine *engine, struct job *job)
{
	struct error err = ERROR_INIT;
	enum status_reason reason;

	if (engine_connect(engine, &err))
		return;
	reason = err.os_errno == EPERM ? REASON_NO_PERMISSION : REASON_MODULE_MISSING;
	for (size_t i = 0; i < job->count; i++)
		wait_for(&job->items[i], reason, err.os_errno);
}

static void next_phase(struct job *job)
{
	job->phase++;
	job->cursor = 0;
	job->blocked_since = 0;
}

bool job_slice(struct engine *engine, struct job *job)
{
	int64_t begin = engine_now();

	if (!job->batch)
		job->batch = calloc(1, sizeof(*job->batch));
	if (!job->batch) {
		error_set(&job->error, ERROR_RESOURCE, "no memory for kernel requests");
		return true;
	}
	wait_for_module(engine, job);
	while (job->phase != PHASE_END) {
		switch (run_batch(engine, job)) {
		case OUTCOME_REFUSED:
			return true;
		case OUTCOME_AGAIN:
			if (job->blocked_since == 0)
				job->blocked_since = engine_now();
			return false;
		case OUTCOME_DONE:
			break;
		}
		if (job->cursor >= job->count)
			next_phase(job);
		if (engine_now() - begin > SLICE_NS)
			return job->phase == PHASE_END;
	}
	return true;
}
