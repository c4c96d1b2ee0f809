#include "internal.h"

#include <errno.h>
#include <event2/event.h>
#include <syslog.h>

#include "base/clock.h"
#include "model/names.h"
#include "pdu.h"

#define NAME              "l2tpv3d"
#define RECONNECT_S       1  /* doubled each time there is no master ... */
#define RECONNECT_MAX_S   15 /* ... up to this */
#define REGISTER_S        2  /* doubled each time there is no answer ... */
#define REGISTER_MAX_S    TRANSPORT_DELAY_MAX
#define TIDY_S            5
#define AGENTX_TIMEOUT_US 330000 /* for Notify; nobody waits for its answer */
#define AGENTX_VERSION_1  0xc1   /* not in a public header of net-snmp */
#define NEVER_S           (24 * 3600)
#define CAPABILITIES_TEXT "l2tpv3d: LINUX-L2TPV3-MIB; PW-STD-MIB and PW-ENET-STD-MIB, read-only"
#define CONTEXT_MAX       32 /* octets: vacmContextName, RFC 3415 */

/* net-snmp logs its own affairs: we tell the operator what matters. */
static int on_log(int major, int minor, void *message, void *arg)
{
	const struct snmp_log_message *log = message;
	char text[256];

	(void)major, (void)minor;
	snprintf(text, sizeof(text), "%s", log->msg);
	text[strcspn(text, "\n")] = '\0';
	agent_log(arg, log->priority <= LOG_CRIT ? log->priority : LOG_DEBUG, "net-snmp: %s", text);
	return 0;
}

/*
 * Only for AgentX sessions: the one inside net-snmp, through which it calls handlers, passes here
 * too and needs its 30 seconds. (Its version is -1, which net-snmp's own test of the high bits
 * takes for AgentX.)
 */
static int on_session(int major, int minor, void *session, void *arg)
{
	netsnmp_session *s = session;

	(void)major, (void)minor, (void)arg;
	if (s && s->version == AGENTX_VERSION_1) {
		s->timeout = AGENTX_TIMEOUT_US;
		s->retries = 0;
	}
	return 0;
}

static void set_ping_interval(int seconds)
{
	netsnmp_ds_set_int(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_AGENTX_PING_INTERVAL,
			   seconds);
}

static void retry_in(struct agent *agent, int seconds)
{
	const struct timeval delay = {.tv_sec = seconds};

	evtimer_add(agent->retry, &delay);
}

static void retry_later(struct agent *agent)
{
	retry_in(agent, agent->register_delay);
}

/*
 * Connected. net-snmp will think that it registers now, then ping the master at its reconnect
 * interval and wait for each answer. Never ping: a socket reports a dead master by itself, and a
 * busy one is no reason to disconnect. after() restores the interval.
 */
static int on_start(int major, int minor, void *session, void *arg)
{
	struct agent *agent = arg;

	(void)major, (void)minor, (void)session;
	agent->connected = true;
	agent->registered = agent->asked = false;
	agent->region = agent->table = 0;
	agent->followed_at = 0;
	agent->unreachable = -1;
	agent->rest = 0;
	loop_rest(agent->loop, 0);
	agent->register_delay = REGISTER_S;
	set_ping_interval(NEVER_S);
	retry_in(agent, 0);
	return 0;
}

static int on_stop(int major, int minor, void *session, void *arg)
{
	struct agent *agent = arg;

	(void)major, (void)minor, (void)session;
	evtimer_del(agent->retry);
	if (agent->connected)
		agent_log(agent, LOG_NOTICE,
			  "lost the AgentX master at %s; trying again within %d s", agent->address,
			  RECONNECT_MAX_S);
	agent->connected = agent->registered = false;
	agent->refused = 0;
	set_disconnected(agent);
	return 0;
}

/* Look now and then, as long as there is something to forget. */
static void tidy_later(struct agent *agent)
{
	const struct timeval delay = {.tv_sec = TIDY_S};

	if ((!TAILQ_EMPTY(&agent->sets) || agent->mib.pending.count ||
	     mappings_kept(&agent->mib.mappings)) &&
	    !evtimer_pending(agent->tidy, NULL))
		evtimer_add(agent->tidy, &delay);
}

static void after(void *arg)
{
	set_ping_interval(RECONNECT_S);
	tidy_later(arg);
}

static const char *explain(unsigned int error)
{
	switch (error) {
	case PDU_DUPLICATE_REGISTRATION:
		return "another subagent has registered it";
	case PDU_REQUEST_DENIED:
		return "the master denied the request";
	default:
		return "the master refused";
	}
}

/* Ours is asked for again; a standard one that another subagent has stays its. */
static void on_refused(struct agent *agent, unsigned int error)
{
	const char *name = regions[agent->region]->name;

	if (agent->registered) {
		agent_log(agent, LOG_NOTICE,
			  "the AgentX master at %s refuses to register %s for us: %s (error %u); "
			  "we do not serve it",
			  agent->address, name, explain(error), error);
		agent->region++;
		retry_in(agent, 0);
		return;
	}
	agent->register_delay = REGISTER_S;
	retry_later(agent);
	if (error != agent->refused) {
		agent->refused = error;
		agent_log(agent, LOG_WARNING,
			  "the AgentX master at %s refuses our registration: %s (error %u); "
			  "trying again every %d s",
			  agent->address, explain(error), error, REGISTER_S);
	}
}

/* The next of its tables, or the next region. */
static void advance(struct agent *agent)
{
	const struct region *region = regions[agent->region];

	do
		agent->table++;
	while (agent->table <= region->table_count &&
	       region->tables[agent->table - 1].index == INDEX_SCALAR);
	if (agent->table > region->table_count) {
		agent->region++;
		agent->table = 0;
	}
}

/* What is registered now, as one number. */
static unsigned int registration_mark(const struct agent *agent)
{
	return (unsigned int)(agent->region << 16 | agent->table) + 1;
}

static void on_registered(unsigned int mark, unsigned int error, void *arg)
{
	struct agent *agent = arg;

	if (mark != registration_mark(agent))
		return; /* asked again meanwhile, and answered twice */
	agent->asked = false;
	if (error != 0 && agent->table == 0) {
		on_refused(agent, error);
		return;
	}
	advance(agent);
	retry_in(agent, 0);
	if (agent->registered)
		return;
	agent->registered = true;
	agent->refused = 0;
	agent_log(agent, LOG_INFO, "connected to the AgentX master at %s", agent->address);
	notify_connected(agent);
}

bool agent_is_registered(const struct agent *agent)
{
	return agent->registered;
}

static const char *cure(int os_errno)
{
	switch (os_errno) {
	case EACCES:
		return " (agentXPerms in snmpd.conf gives access)";
	case ENOENT:
	case ECONNREFUSED:
		return " (snmpd has to run, with \"master agentx\" in snmpd.conf)";
	default:
		return "";
	}
}

/* Nobody listens, or not to us: that ends when somebody makes the socket, or changes its mode. */
static void rest(struct agent *agent, int os_errno)
{
	if (os_errno != ENOENT && os_errno != ECONNREFUSED && os_errno != EACCES)
		agent->rest = 0;
	else if (agent->rest == 0)
		agent->rest = RECONNECT_S;
	else
		agent->rest = 2 * agent->rest < RECONNECT_MAX_S ? 2 * agent->rest : RECONNECT_MAX_S;
	if (agent->rest)
		arrival_watch(agent->arrival);
	loop_rest(agent->loop, agent->rest);
}

static void on_arrival(void *arg)
{
	struct agent *agent = arg;

	agent->rest = 0;
	loop_rest(agent->loop, 0);
	loop_turn(agent->loop);
}

static void on_unreachable(int os_errno, void *arg)
{
	struct agent *agent = arg;

	rest(agent, os_errno);
	if (os_errno == agent->unreachable)
		return;
	agent->unreachable = os_errno;
	if (os_errno == 0)
		agent_log(agent, LOG_WARNING,
			  "the AgentX master at %s accepts the connection but does not answer; "
			  "trying again "
			  "within %d s",
			  agent->address, TRANSPORT_DELAY_MAX);
	else
		agent_log(agent, LOG_NOTICE,
			  "no AgentX master at %s: %s%s; trying again within %d s", agent->address,
			  strerror(os_errno), cure(os_errno),
			  os_errno == ETIMEDOUT ? TRANSPORT_DELAY_MAX : RECONNECT_MAX_S);
}

static void on_malformed(unsigned int type, const char *ends, void *arg)
{
	struct agent *agent = arg;

	if (ends)
		agent_log(agent, LOG_WARNING,
			  "the AgentX master at %s sent a PDU that %s (type %u): ending the "
			  "connection",
			  agent->address, ends, type);
	else if (!agent->warned_malformed)
		agent_log(agent, LOG_WARNING,
			  "the AgentX master at %s sent a malformed PDU of type %u: refused it "
			  "with parseError; further ones are refused without a log line",
			  agent->address, type);
	agent->warned_malformed = agent->warned_malformed || !ends;
}

static void on_handed(void *arg)
{
	struct agent *agent = arg;

	loop_feed(agent->loop);
}

/* What register_mib() does. */
static void ask_to_register(struct agent *agent)
{
	const struct region *region = regions[agent->region];
	oid name[MAX_OID_LEN];
	struct register_parameters parameters = {
		.name = name,
		.priority = DEFAULT_MIB_PRIORITY,
		.timeout = PDU_TIMEOUT_S,
		.contextName = agent->options.context,
	};

	memcpy(name, region->root, region->root_length * sizeof(oid));
	parameters.namelen = region->root_length;
	if (agent->table > 0)
		parameters.namelen = oid_of_table(region, &region->tables[agent->table - 1], name);
	agent->asked = true;
	transport_pass_registers(agent->transport, registration_mark(agent));
	snmp_call_callbacks(SNMP_CALLBACK_APPLICATION, SNMPD_CALLBACK_REGISTER_OID, &parameters);
	transport_pass_registers(agent->transport, 0);
	loop_turn(agent->loop);
}

/*
 * The roots alone would do. But what a manager's view excludes snmpd skips instance by instance,
 * within one request, unless it is a registration of its own. (It asks the view about what the
 * first and the last OID of a registration have in common: of a table's entry that is the table,
 * of a table it is all tables. netsnmp_add_varbind_to_cache, 5.9.)
 */
static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	struct agent *agent = arg;
	int delay = 2 * agent->register_delay;

	(void)fd, (void)what;
	if (!agent->connected || agent->region == region_count)
		return;
	if (!agent->registered) {
		if (agent->asked) {
			agent->register_delay = delay < REGISTER_MAX_S ? delay : REGISTER_MAX_S;
			on_unreachable(0, agent);
		}
		retry_later(agent);
	}
	ask_to_register(agent);
}

static void on_pace(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	notify_some(arg);
}

static void on_tidy(evutil_socket_t fd, short what, void *arg)
{
	struct agent *agent = arg;
	int64_t now = clock_now();

	(void)fd, (void)what;
	set_tidy(agent, now);
	pending_expire(&agent->mib.pending, now - PENDING_AGE_S * NS_PER_S);
	mappings_expire(&agent->mib.mappings, now - MAPPING_AGE_S * NS_PER_S);
	tidy_later(agent);
}

/* net-snmp shall read and write no files, parse no MIB, and print nothing. */
static void configure_library(struct agent *agent)
{
	setenv("MIBS", "", 1);
	setenv("MIBDIRS", "", 1);
	setenv("SNMP_PERSISTENT_DIR", "/dev/null", 1); /* or it makes directories */
	netsnmp_enable_subagent();
	netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_PERSIST_STATE, 1);
	netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_READ_CONFIGS, 1);
	netsnmp_ds_set_boolean(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_NO_CONNECTION_WARNINGS,
			       1);
	netsnmp_ds_set_string(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_X_SOCKET,
			      TRANSPORT_ADDRESS);
	snmp_disable_log();
	snmp_enable_calllog();
	snmp_register_callback(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_LOGGING, on_log, agent);
	snmp_register_callback(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_SESSION_INIT, on_session,
			       agent);
	snmp_register_callback(SNMP_CALLBACK_APPLICATION, SNMPD_CALLBACK_INDEX_START, on_start,
			       agent);
	snmp_register_callback(SNMP_CALLBACK_APPLICATION, SNMPD_CALLBACK_INDEX_STOP, on_stop,
			       agent);
}

/* Before snmp_shutdown(), which frees the arguments of callbacks that it finds. */
static void release_library(struct agent *agent)
{
	snmp_unregister_callback(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_LOGGING, on_log, agent, 1);
	snmp_unregister_callback(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_SESSION_INIT, on_session,
				 agent, 1);
	snmp_unregister_callback(SNMP_CALLBACK_APPLICATION, SNMPD_CALLBACK_INDEX_START, on_start,
				 agent, 1);
	snmp_unregister_callback(SNMP_CALLBACK_APPLICATION, SNMPD_CALLBACK_INDEX_STOP, on_stop,
				 agent, 1);
}

static int no_memory(struct error *err)
{
	return error_set(err, ERROR_RESOURCE, "no memory for the SNMP agent");
}

static const char *address_of(const struct agent *agent)
{
	return agent->options.address ? agent->options.address : AGENTX_ADDRESS;
}

/* pwTable is indexed by session id, which is unique but for what others make. */
static void watch_ids(const struct engine_event *event, void *arg)
{
	const struct session_entry *first;
	const struct entry *entry = event->entry;
	struct agent *agent = arg;

	if (event->type != ENGINE_FOREIGN || entry->key.session_id == 0 || agent->warned_same_id)
		return;
	first = datastore_session_by_id(agent->mib.store, entry->key.session_id);
	if (!first || !session_same_id(first))
		return;
	agent->warned_same_id = true;
	agent_log(agent, LOG_NOTICE,
		  "session %u of tunnel %u has the id of a session of another tunnel: PW-STD-MIB "
		  "shows one of the two; further ones are left out without a log line",
		  entry->key.session_id, entry->key.tunnel_id);
}

/* What we can do, in sysORTable (RFC 3418): l2tpv3Agent of mibs/L2TPV3D-CAPABILITIES-MIB. */
static bool tell_capabilities(void)
{
	oid name[ROOT_LENGTH_MAX + 3];

	memcpy(name, mib_root, mib_root_length * sizeof(oid));
	memcpy(name + mib_root_length, (const oid[]){2, 3, 1}, 3 * sizeof(oid));
	return register_sysORTable(name, mib_root_length + 3, CAPABILITIES_TEXT) ==
	       SYS_ORTABLE_REGISTERED_OK;
}

static int start_library(struct agent *agent, struct error *err)
{
	if (init_agent(NAME) || handler_register(agent) || !tell_capabilities())
		return error_set(err, ERROR_INTERNAL, "net-snmp cannot be initialized");
	if (engine_watch(agent->options.engine, set_commit_event, agent) ||
	    engine_watch(agent->options.engine, watch_ids, agent) ||
	    engine_watch(agent->options.engine, notify_event, agent))
		return no_memory(err);
	notify_begin(agent);
	set_ping_interval(RECONNECT_S); /* init_agent() has set its own */
	init_snmp(NAME);                /* tries to connect */
	loop_turn(agent->loop);
	return 0;
}

static int check_context(const char *name, struct error *err)
{
	if (!name || strlen(name) <= CONTEXT_MAX)
		return 0;
	return error_set(err, ERROR_INVALID_VALUE,
			 "given an SNMP context of %zu octets; allowed %d", strlen(name),
			 CONTEXT_MAX);
}

static bool prepare(struct agent *agent, const struct endpoint *endpoint)
{
	const struct transport_events events = {
		.asked = handler_asked,
		.handed = on_handed,
		.registered = on_registered,
		.unreachable = on_unreachable,
		.answering = set_answering,
		.repeated = set_repeated,
		.oversized = set_oversized,
		.malformed = on_malformed,
		.arg = agent,
	};
	struct event_base *base = agent->options.base;

	agent->address = strdup(address_of(agent));
	agent->retry = evtimer_new(base, on_retry, agent);
	agent->tidy = evtimer_new(base, on_tidy, agent);
	agent->pace = evtimer_new(base, on_pace, agent);
	agent->transport = transport_open(base, endpoint, &events);
	if (!agent->address || !agent->retry || !agent->tidy || !agent->pace || !agent->transport)
		return false;
	agent->arrival = arrival_new(base, endpoint, on_arrival, agent);
	agent->loop = loop_new(base, agent->transport, after, agent);
	return agent->loop;
}

static void release(struct agent *agent)
{
	transport_close(agent->transport);
	arrival_free(agent->arrival);
	loop_free(agent->loop);
	if (agent->retry)
		event_free(agent->retry);
	if (agent->tidy)
		event_free(agent->tidy);
	if (agent->pace)
		event_free(agent->pace);
	notices_free(&agent->notices);
	mib_clear(&agent->mib);
	free(agent->address);
	free(agent);
}

int agent_open(struct agent **ret, const struct agent_options *options, struct error *err)
{
	struct agent *agent = calloc(1, sizeof(*agent));
	struct endpoint endpoint;
	int rc;

	if (!agent)
		return no_memory(err);
	TAILQ_INIT(&agent->sets);
	notices_init(&agent->notices, options->notify_each ? options->notify_each : NOTIFY_EACH);
	agent->options = *options;
	if (options->context && !options->context[0])
		agent->options.context = NULL; /* as net-snmp calls the default one */
	agent->unreachable = -1;
	mib_init(&agent->mib, options->engine, engine_store(options->engine));
	agent->mib.notify = options->notify;
	agent->mib.notify_pseudowires = options->notify_pseudowires;
	agent->mib.notify_rate = options->notify_rate ? options->notify_rate : NOTIFY_RATE;
	rc = check_context(agent->options.context, err);
	if (!rc)
		rc = endpoint_parse(address_of(agent), &endpoint, err);
	if (!rc && !prepare(agent, &endpoint))
		rc = no_memory(err);
	if (rc) {
		release(agent);
		return rc;
	}
	configure_library(agent);
	rc = start_library(agent, err);
	if (rc) {
		agent_close(agent);
		return rc;
	}
	*ret = agent;
	return 0;
}

void agent_close(struct agent *agent)
{
	if (!agent)
		return;
	agent->connected = false; /* we leave: do not log it as lost */
	engine_unwatch(agent->options.engine, agent);
	set_close(agent);
	release_library(agent);
	snmp_shutdown(NAME);
	set_close(agent); /* requests that came meanwhile */
	release(agent);
}
