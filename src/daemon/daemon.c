#include "daemon/daemon.h"

#include <errno.h>
#include <event2/event.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/wait.h>
#include <syslog.h>

#include "agent.h"
#include "base/capability.h"
#include "base/clock.h"
#include "base/wipe.h"
#include "daemon/chronicle.h"
#include "daemon/log.h"
#include "daemon/ready.h"
#include "netconf/server.h"
#include "netconf/snapshot.h"

#define MB            (1024 * 1024)
#define SECONDS_A_DAY 86400

/* ---- loop and signals */

static void on_stop(evutil_socket_t signal, short what, void *arg)
{
	struct daemon *daemon = arg;

	(void)what;
	log_text(LOG_NOTICE, "stopping on signal %d; tunnels stay as they are", (int)signal);
	daemon->stopping = true;
	event_base_loopbreak(daemon->base);
}

static void on_child(evutil_socket_t signal, short what, void *arg)
{
	struct daemon *daemon = arg;
	struct error err = ERROR_INIT;

	(void)signal;
	(void)what;
	if (daemon->journal && journal_maintain(daemon->journal, false, &err) < 0)
		log_text(LOG_WARNING, "%s", err.text);
}

static void on_hangup(evutil_socket_t signal, short what, void *arg)
{
	struct daemon *daemon = arg;

	(void)signal;
	(void)what;
	log_text(LOG_NOTICE, "reading the kernel again");
	if (daemon->engine)
		engine_resync(daemon->engine, NULL, NULL);
}

static int start_loop(struct daemon *daemon, struct error *err)
{
	static const struct {
		int signal;
		event_callback_fn callback;
	} table[] = {
		{SIGTERM, on_stop},
		{SIGINT, on_stop},
		{SIGCHLD, on_child},
		{SIGHUP, on_hangup},
	};

	signal(SIGPIPE, SIG_IGN);
	event_set_mem_functions(malloc, realloc,
				wipe_any); /* for buffers hold what clients send and receive */
	daemon->base = event_base_new();
	if (!daemon->base)
		return error_set(err, ERROR_RESOURCE, "cannot create an event loop");
	log_attach(daemon->base);
	for (size_t i = 0; i < 4; i++) {
		daemon->signals[i] =
			evsignal_new(daemon->base, table[i].signal, table[i].callback, daemon);
		if (!daemon->signals[i] || event_add(daemon->signals[i], NULL) < 0)
			return error_set(err, ERROR_RESOURCE, "no memory for signals");
	}
	if (ready_watch(daemon->base, &daemon->watch) < 0)
		return error_set(err, ERROR_RESOURCE, "no memory for the watchdog");
	return 0;
}

static void stop_loop(struct daemon *daemon)
{
	log_detach();
	for (size_t i = 0; i < 4; i++)
		if (daemon->signals[i])
			event_free(daemon->signals[i]);
	if (daemon->watch)
		event_free(daemon->watch);
	if (daemon->base)
		event_base_free(daemon->base);
}

/* ---- kernel */

static int open_kernel(struct daemon *daemon, struct error *err)
{
	const char *which = daemon->options->kernel;

	if (strcmp(which, "real") == 0)
		return kernel_open_netlink(&daemon->kernel, daemon->options->netns, err);
	if (strcmp(which, "sim") == 0)
		return kernel_open_sim(&daemon->kernel, "6.12", err);
	if (strncmp(which, "sim:", 4) == 0)
		return kernel_open_sim(&daemon->kernel, which + 4, err);
	return error_set(err, ERROR_INVALID_VALUE,
			 "--kernel %s: give real, sim, sim:6.1 or sim:6.12", which);
}

/* The packet socket for keepalives is open: nothing else needs CAP_NET_RAW, ever. */
static int start_kernel(struct daemon *daemon, struct error *err)
{
	int rc = open_kernel(daemon, err), dropped;

	if (rc < 0)
		return rc;
	dropped = capability_drop(CAP_NET_RAW);
	if (dropped < 0)
		log_text(LOG_WARNING, "cannot give up CAP_NET_RAW: %s", strerror(-dropped));
	return 0;
}

static void stop_kernel(struct daemon *daemon)
{
	if (daemon->kernel)
		daemon->kernel->ops->close(daemon->kernel);
}

/* ---- state */

static void log_lines(int priority, char *lines)
{
	char *save = NULL;

	for (char *line = strtok_r(lines, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		log_text(priority, "%s", line);
}

static int start_state(struct daemon *daemon, struct error *err)
{
	char warning[JOURNAL_WARNING_MAX] = "";
	int rc;

	daemon->store = datastore_new();
	if (!daemon->store)
		return error_set(err, ERROR_RESOURCE, "no memory for the datastore");
	rc = journal_open(&daemon->journal, daemon->options->state_directory, daemon->store,
			  &snapshot_codec, warning, err);
	log_lines(LOG_WARNING, warning);
	if (rc == 0)
		journal_keep_history(daemon->journal, (uint64_t)daemon->options->history_size * MB,
				     (int64_t)daemon->options->history_age * SECONDS_A_DAY);
	if (rc == 0)
		log_text(LOG_INFO, "%zu tunnels and %zu sessions are configured",
			 datastore_counts(daemon->store)->configured_tunnels,
			 datastore_counts(daemon->store)->configured_sessions);
	return rc;
}

static void stop_state(struct daemon *daemon)
{
	struct error err = ERROR_INIT;

	if (journal_close(daemon->journal, &err) < 0)
		log_text(LOG_ERR, "%s", err.text);
	datastore_free(daemon->store);
}

/* ---- engine and doors */

static int start_engine(struct daemon *daemon, struct error *err)
{
	struct engine_options options = {
		.base = daemon->base,
		.kernel = daemon->kernel,
		.store = daemon->store,
		.journal = daemon->journal,
		.counter_age_ms = daemon->options->counter_age_ms,
		.no_repair = daemon->options->no_repair,
		.log = log_callback,
		.waits = ready_takes_time,
		.arg = (void *)(uintptr_t) "engine",
	};
	struct error unconnected = ERROR_INIT;

	if (daemon->kernel->ops->connect(daemon->kernel, &unconnected) < 0)
		log_text(LOG_WARNING, "%s", unconnected.text);
	return engine_open(&daemon->engine, &options, err);
}

static void stop_engine(struct daemon *daemon)
{
	engine_close(daemon->engine);
}

static int start_chronicle(struct daemon *daemon, struct error *err)
{
	return chronicle_open(&daemon->chronicle, daemon->base, daemon->engine, err);
}

static void stop_chronicle(struct daemon *daemon)
{
	chronicle_close(daemon->chronicle);
}

static bool is_resuming(const struct daemon *daemon)
{
	struct engine_info info;

	engine_info(daemon->engine, &info);
	return info.busy || info.undoing;
}

/*
 * The history already has a commit that a kill interrupted, so nobody may read a configuration
 * without it: finish it before the doors open. The same holds for undoing a
 * commit that was not confirmed.
 */
static int finish_interrupted(struct daemon *daemon, struct error *err)
{
	int64_t told = 0;

	(void)err;
	while (is_resuming(daemon) && !daemon->stopping) {
		if (clock_now() - told >= NS_PER_S) {
			ready_takes_time("completing or undoing an interrupted commit");
			told = clock_now();
		}
		event_base_loop(daemon->base, EVLOOP_ONCE);
	}
	ready_clear_status();
	return 0;
}

static void nothing(struct daemon *daemon)
{
	(void)daemon;
}

static unsigned int timeout(unsigned int seconds)
{
	return seconds ? seconds : NETCONF_NEVER;
}

static enum netconf_snmp snmp_state(void *arg)
{
	const struct daemon *daemon = arg;

	if (!daemon->agent)
		return NETCONF_SNMP_OFF;
	return agent_is_registered(daemon->agent) ? NETCONF_SNMP_CONNECTED : NETCONF_SNMP_WAITING;
}

static int start_netconf(struct daemon *daemon, struct error *err)
{
	struct netconf_options options = {
		.base = daemon->base,
		.engine = daemon->engine,
		.socket_path = daemon->options->socket_path,
		.yang_path = daemon->options->yang_path,
		.snmp = snmp_state,
		.snmp_arg = daemon,
		.limits = {.idle_timeout = timeout(daemon->options->idle_timeout),
			   .lock_timeout = timeout(daemon->options->lock_timeout)},
		.log = log_callback,
		.arg = (void *)(uintptr_t) "netconf",
	};

	return netconf_open(&daemon->netconf, &options, err);
}

static void stop_netconf(struct daemon *daemon)
{
	netconf_close(daemon->netconf);
}

static int start_agent(struct daemon *daemon, struct error *err)
{
	struct agent_options options = {
		.base = daemon->base,
		.engine = daemon->engine,
		.address = daemon->options->agentx_address,
		.context = daemon->options->context,
		.notify = daemon->options->notify,
		.notify_pseudowires = daemon->options->notify_pseudowires,
		.notify_rate = daemon->options->notify_rate,
		.notify_each = daemon->options->notify_each,
		.log = log_callback,
		.arg = (void *)(uintptr_t) "snmp",
	};

	if (daemon->options->no_snmp)
		return 0;
	return agent_open(&daemon->agent, &options, err);
}

static void stop_agent(struct daemon *daemon)
{
	struct agent *agent = daemon->agent;

	daemon->agent = NULL;
	if (agent)
		agent_close(agent);
}

static int start_requests(struct daemon *daemon, struct error *err)
{
	(void)daemon, (void)err;
	return 0;
}

/* Clients that wait for a reply get it before the doors close. */
static void stop_requests(struct daemon *daemon)
{
	engine_finish(daemon->engine);
	event_base_loop(daemon->base, EVLOOP_NONBLOCK);
}

const struct stage stages[] = {
	{"event loop", start_loop, stop_loop},
	{"kernel", start_kernel, stop_kernel},
	{"state", start_state, stop_state},
	{"engine", start_engine, stop_engine},
	{"log", start_chronicle, stop_chronicle},
	{"interrupted commit", finish_interrupted, nothing},
	{"NETCONF", start_netconf, stop_netconf},
	{"SNMP", start_agent, stop_agent},
	{"requests", start_requests, stop_requests},
	{NULL, NULL, NULL},
};

/* ---- -n */

int daemon_check(const char *path)
{
	struct datastore *empty = datastore_new();
	struct edit *edit = NULL;
	struct candidate candidate;
	struct error err = ERROR_INIT;
	int rc = empty ? snapshot_read(path, &edit, &err, NULL) : -ENOMEM;

	candidate_open(&candidate, empty);

	if (rc < 0) {
		/* the text already begins with file and line */
		fprintf(stderr, "l2tpv3d: %s%s%s%s\n", err.text, err.path[0] ? " (at " : "",
			err.path, err.path[0] ? ")" : "");
	} else {
		rc = candidate_prepare(&candidate, edit, NULL, NULL, &err);
		if (rc < 0)
			fprintf(stderr, "l2tpv3d: %s: %s%s%s\n", path, err.path,
				err.path[0] ? ": " : "", err.text);
	}
	edit_free(edit);
	candidate_discard(&candidate);
	datastore_free(empty);
	return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
