/*
 * The phases of SET (RFC 2741 sections 7.2.4.1 to 7.2.4.4, by net-snmp's names): RESERVE1 and
 * RESERVE2 check, ACTION hands one edit to the engine and answers when that is done, COMMIT ends
 * it, UNDO takes it back, FREE drops it.
 *
 * An impatient master sends TestSet again (CommitSet and UndoSet too, but transport.c drops
 * those), or neither COMMIT nor UNDO: what the engine has done is durable and stands.
 */
#include "base/wipe.h"
#include "internal.h"

#include <inttypes.h>
#include <syslog.h>

#include "base/clock.h"
#include "varbinds.h"

#define FORGOTTEN_NS (60 * NS_PER_S)

enum set_state {
	SET_RESERVED, /* checked, or being checked */
	SET_ACTING,   /* the engine carries it out */
	SET_DONE,     /* in force, and may still be undone */
	SET_UNDOING,  /* the engine takes it back */
	SET_OVER      /* nothing left to undo */
};

struct set {
	TAILQ_ENTRY(set) link;
	struct agent *agent;
	long transid; /* the master's; -1: the master is gone */
	enum set_state state;
	struct varbinds *varbinds;
	unsigned int ticket; /* of the engine, 0 none */
	struct candidate inverse;
	netsnmp_delegated_cache *cache;
	int64_t since;
};

static struct set *find(struct agent *agent, long transid)
{
	struct set *set;

	TAILQ_FOREACH (set, &agent->sets, link) {
		if (set->transid == transid)
			return set;
	}
	return NULL;
}

static struct set *begin(struct agent *agent, long transid)
{
	struct set *set = calloc(1, sizeof(*set));

	if (!set)
		return NULL;
	set->varbinds = varbinds_new(&agent->mib);
	if (!set->varbinds) {
		free(set);
		return NULL;
	}
	set->agent = agent;
	set->transid = transid;
	set->since = clock_now();
	candidate_open(&set->inverse, agent->mib.store);
	TAILQ_INSERT_TAIL(&agent->sets, set, link);
	return set;
}

static void end(struct set *set)
{
	if (!set)
		return;
	TAILQ_REMOVE(&set->agent->sets, set, link);
	if (set->ticket)
		engine_forget(set->agent->options.engine, set->ticket);
	varbinds_free(set->varbinds);
	candidate_discard(&set->inverse);
	netsnmp_free_delegated_cache(set->cache);
	free(set);
}

static void finish(struct set *set)
{
	if (set && set->state == SET_DONE)
		varbinds_finish(set->varbinds);
	end(set);
}

/*
 * The master sent no COMMIT, UNDO or FREE: the manager was told of an error, or of nothing.
 */
static void finish_forsaken(struct set *set)
{
	if (set->state == SET_DONE)
		agent_log(set->agent, LOG_WARNING,
			  "the AgentX master abandoned a set request after it was carried out: it "
			  "stands, though the manager may have been told that it failed");
	finish(set);
}

static void remember(struct agent *agent, const struct error *err)
{
	snprintf(agent->mib.last_error, sizeof(agent->mib.last_error), "%s%s%s", err->path,
		 err->path[0] ? ": " : "", err->text);
}

/* ---- RESERVE1, RESERVE2 */

static struct varbind varbind_of(const netsnmp_request_info *request, oid name[MAX_OID_LEN])
{
	const netsnmp_variable_list *var = request->requestvb;
	struct varbind varbind = {
		.name = name,
		.name_length = oid_of_varbind(var, name),
		.type = var->type,
		.bytes = var->val.string ? (const void *)var->val.string : "",
		.length = var->val_len,
	};

	if (var->type == ASN_INTEGER || var->type == ASN_UNSIGNED)
		varbind.integer = *var->val.integer;
	return varbind;
}

/* The master sent the same request again before it was answered. */
void set_repeated(void *arg)
{
	struct agent *agent = arg;

	if (!agent->warned_retries)
		agent_log(agent, LOG_NOTICE,
			  "the AgentX master repeats a set request that is still under way; it "
			  "gives up after agentXTimeout x (agentXRetries + 1) seconds "
			  "(snmpd.conf), but the request is carried out all the same");
	agent->warned_retries = true;
}

static int reserve(struct agent *agent, netsnmp_agent_request_info *reqinfo,
		   netsnmp_request_info *requests)
{
	long transid = reqinfo->asp->pdu->transid;
	struct set *set = find(agent, transid);
	struct error err = ERROR_INIT;

	if (set) {
		set_repeated(agent);
		if (set->state != SET_RESERVED)
			return SNMP_ERR_GENERR;
		end(set);
	}
	set = begin(agent, transid);
	if (!set)
		return SNMP_ERR_RESOURCEUNAVAILABLE;
	for (; requests; requests = requests->next) {
		oid name[MAX_OID_LEN];
		struct varbind varbind = varbind_of(requests, name);
		int status = varbinds_add(set->varbinds, &varbind, &err);

		if (!status)
			continue;
		remember(agent, &err);
		agent_log(agent, LOG_DEBUG, "set request %ld: refused: %s", transid,
			  agent->mib.last_error);
		netsnmp_set_request_error(reqinfo, requests, status);
		break;
	}
	return SNMP_ERR_NOERROR;
}

static void refuse(netsnmp_agent_request_info *reqinfo, netsnmp_request_info *requests,
		   size_t number, int status)
{
	while (number-- > 0 && requests->next)
		requests = requests->next;
	netsnmp_set_request_error(reqinfo, requests, status);
}

static void check(struct set *set, netsnmp_agent_request_info *reqinfo,
		  netsnmp_request_info *requests)
{
	struct error err = ERROR_INIT;
	size_t number = 0;
	int status = varbinds_check(set->varbinds, &number, &err);

	if (!status)
		return;
	remember(set->agent, &err);
	agent_log(set->agent, LOG_DEBUG, "set request %ld: refused: %s", set->transid,
		  set->agent->mib.last_error);
	refuse(reqinfo, requests, number, status);
}

/* ---- ACTION, UNDO */

/* The engine answers later (awaited()). */
static void delegate(struct set *set, netsnmp_mib_handler *handler,
		     netsnmp_handler_registration *reginfo, netsnmp_agent_request_info *reqinfo,
		     netsnmp_request_info *requests)
{
	netsnmp_free_delegated_cache(set->cache);
	set->cache = netsnmp_create_delegated_cache(handler, reginfo, reqinfo, requests, set);
	for (; requests; requests = requests->next)
		requests->delegated = REQUEST_IS_DELEGATED;
}

/*
 * The requests that wait for the engine's answer, no longer delegated; NULL when nobody waits for
 * it any more.
 */
static netsnmp_delegated_cache *awaited(struct set *set)
{
	netsnmp_delegated_cache *cache = netsnmp_handler_check_cache(set->cache);
	netsnmp_request_info *request;

	for (request = cache ? cache->requests : NULL; request; request = request->next)
		request->delegated = REQUEST_IS_NOT_DELEGATED;
	return cache;
}

static void on_done(int rc, const struct error *err, void *arg)
{
	struct set *set = arg;
	struct agent *agent = set->agent;
	netsnmp_delegated_cache *cache = awaited(set);
	size_t number = 0;
	int status = rc ? varbinds_refuse(set->varbinds, err, &number) : 0;

	agent_log(agent, LOG_DEBUG, "set request %ld: %s%s%s%s", set->transid,
		  rc ? "refused: " : "done", rc ? err->path : "", rc && err->path[0] ? ": " : "",
		  rc ? err->text : "");
	set->ticket = 0;
	set->since = clock_now();
	set->state = rc ? SET_OVER : SET_DONE;
	if (rc)
		remember(agent, err);
	else
		varbinds_apply(set->varbinds);
	if (rc && cache)
		refuse(cache->reqinfo, cache->requests, number, status);
	if (!cache)
		finish_forsaken(set);
	loop_turn(agent->loop);
}

static void act(struct set *set, netsnmp_mib_handler *handler,
		netsnmp_handler_registration *reginfo, netsnmp_agent_request_info *reqinfo,
		netsnmp_request_info *requests)
{
	const struct engine_who who = {.door = "snmp", .user = ""};
	struct edit *edit = varbinds_edit(set->varbinds);

	if (!edit) {
		set->state = SET_DONE;
		varbinds_apply(set->varbinds);
		return;
	}
	agent_log(set->agent, LOG_DEBUG,
		  "set request %ld: handing an edit of %zu entries to the engine", set->transid,
		  edit->count);
	set->ticket = engine_edit_checked(set->agent->options.engine, edit,
					  varbinds_checked(set->varbinds), &who, on_done, set);
	if (!set->ticket) {
		set->state = SET_OVER;
		refuse(reqinfo, requests, 0, SNMP_ERR_RESOURCEUNAVAILABLE);
		return;
	}
	set->state = SET_ACTING;
	delegate(set, handler, reginfo, reqinfo, requests);
}

static void on_undone(int rc, const struct error *err, void *arg)
{
	struct set *set = arg;
	struct agent *agent = set->agent;
	netsnmp_delegated_cache *cache = awaited(set);

	set->ticket = 0;
	if (rc) {
		remember(agent, err);
		agent_log(agent, LOG_ERR, "cannot undo a set request: %s", agent->mib.last_error);
		if (cache)
			refuse(cache->reqinfo, cache->requests, 0, SNMP_ERR_UNDOFAILED);
	}
	end(set);
	loop_turn(agent->loop);
}

/* Another subagent failed in the same request, or the master gave up. */
static void undo(struct set *set, netsnmp_mib_handler *handler,
		 netsnmp_handler_registration *reginfo, netsnmp_agent_request_info *reqinfo,
		 netsnmp_request_info *requests)
{
	const struct engine_who who = {
		.door = "snmp", .user = "", .comment = "undo of a set request"};

	if (set->state == SET_DONE)
		varbinds_revert(set->varbinds);
	if (set->state != SET_DONE || !candidate_dirty(&set->inverse)) {
		end(set);
		return;
	}
	set->ticket =
		engine_commit(set->agent->options.engine, &set->inverse, &who, on_undone, set);
	if (!set->ticket) {
		refuse(reqinfo, requests, 0, SNMP_ERR_UNDOFAILED);
		end(set);
		return;
	}
	set->state = SET_UNDOING;
	delegate(set, handler, reginfo, reqinfo, requests);
}

/* ---- */

int set_handle(struct agent *agent, netsnmp_mib_handler *handler,
	       netsnmp_handler_registration *reginfo, netsnmp_agent_request_info *reqinfo,
	       netsnmp_request_info *requests)
{
	struct set *set;

	if (reqinfo->mode == MODE_SET_RESERVE1)
		return reserve(agent, reqinfo, requests);
	set = find(agent, reqinfo->asp->pdu->transid);
	if (!set)
		return reqinfo->mode == MODE_SET_RESERVE2 || reqinfo->mode == MODE_SET_ACTION
			       ? SNMP_ERR_GENERR
			       : SNMP_ERR_NOERROR;
	switch (reqinfo->mode) {
	case MODE_SET_RESERVE2:
		check(set, reqinfo, requests);
		break;
	case MODE_SET_ACTION:
		act(set, handler, reginfo, reqinfo, requests);
		break;
	case MODE_SET_UNDO:
		undo(set, handler, reginfo, reqinfo, requests);
		break;
	case MODE_SET_COMMIT:
		finish(set);
		break;
	default: /* FREE */
		end(set);
	}
	return SNMP_ERR_NOERROR;
}

static struct set *find_ticket(struct agent *agent, unsigned int ticket)
{
	struct set *set;

	TAILQ_FOREACH (set, &agent->sets, link) {
		if (set->ticket == ticket)
			return set;
	}
	return NULL;
}

/* Others made rows: these replace what was pending under the same index. */
static void forget_pending(struct pending *pending, const struct candidate *changes)
{
	struct change *change;

	for (change = candidate_first(changes); change && pending->count > 0;
	     change = change_next(change)) {
		struct pending_row *row =
			pending_find(pending, change->session_id ? OBJECT_SESSION : OBJECT_TUNNEL,
				     change->tunnel_id, change->session_id);

		if (!row || !change->after)
			continue;
		pending_take(pending, row);
		wipe_free(row, sizeof(*row));
	}
}

void set_commit_event(const struct engine_event *event, void *arg)
{
	struct agent *agent = arg;
	struct set *set;

	if (event->type != ENGINE_COMMIT)
		return;
	set = find_ticket(agent, event->ticket);
	if (!set)
		forget_pending(&agent->mib.pending, event->changes);
	else if (set->state == SET_ACTING && candidate_invert(event->changes, &set->inverse, NULL))
		agent_log(agent, LOG_WARNING, "no memory to undo a set request should it fail");
}

bool set_answering(void *arg)
{
	struct agent *agent = arg;
	struct set *set;

	TAILQ_FOREACH (set, &agent->sets, link) {
		if (set->ticket && set->transid != -1)
			return true;
	}
	return false;
}

void set_oversized(enum transport_size what, uint64_t size, unsigned int max, void *arg)
{
	static const char *const subjects[] = {
		[SIZE_OF_SET] = "given a request",
		[SIZE_OF_GET] = "given a request",
		[SIZE_OF_ANSWER] = "asked for a reply",
	};
	struct agent *agent = arg;
	struct error err = ERROR_INIT;

	error_set(&err, ERROR_RESOURCE,
		  "%s of %s%" PRIu64 " octets in AgentX; allowed %u: name fewer "
		  "variables at once",
		  subjects[what], what == SIZE_OF_ANSWER ? "more than " : "", size, max);
	if (what == SIZE_OF_SET)
		remember(agent, &err);
	agent_log(agent, LOG_WARNING, "refused a %s request: %s",
		  what == SIZE_OF_SET ? "set" : "get", err.text);
}

/* The master is gone: no COMMIT, UNDO or FREE will come. */
void set_disconnected(struct agent *agent)
{
	struct set *set, *next;

	for (set = TAILQ_FIRST(&agent->sets); set; set = next) {
		next = TAILQ_NEXT(set, link);
		if (set->ticket)
			set->transid = -1;
		else
			finish_forsaken(set);
	}
}

void set_tidy(struct agent *agent, int64_t now)
{
	struct set *set, *next;

	for (set = TAILQ_FIRST(&agent->sets); set; set = next) {
		next = TAILQ_NEXT(set, link);
		if (!set->ticket && now - set->since > FORGOTTEN_NS)
			finish_forsaken(set);
	}
}

void set_close(struct agent *agent)
{
	while (!TAILQ_EMPTY(&agent->sets))
		end(TAILQ_FIRST(&agent->sets));
}
