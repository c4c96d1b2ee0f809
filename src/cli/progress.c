#include "cli/progress.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "model/names.h"

#define ASK_MS   200 /* between two looks */
#define BAR      24  /* characters */
#define PATIENCE (30 * NS_PER_S)

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

/* ---- asking */

static const char question[] =
	"<get><filter type=\"subtree\"><netconf-state xmlns=\"" NAMESPACE_MONITORING
	"\"><datastores/><sessions><session><session-id>%u</session-id></session></sessions>"
	"</netconf-state></filter></get>";

/* What the daemon says of the latest change. */
struct latest {
	bool connected; /* the session that waits is */
	char stage[16]; /* "": none */
	unsigned int session;
	unsigned long objects, done;
};

static unsigned long number_of(const struct node *entry, const char *leaf)
{
	const char *text = node_text(entry, leaf, NAMESPACE_CLIENTS);

	return text ? strtoul(text, NULL, 10) : 0;
}

static void read_latest(const struct tree *reply, struct latest *ret)
{
	const struct node *data = node_child(reply->root, "data", NAMESPACE_BASE);
	const struct node *state = node_child(data, "netconf-state", NAMESPACE_MONITORING);
	const struct node *list = node_child(state, "datastores", NAMESPACE_MONITORING);
	const struct node *store = list ? list->first : NULL; /* running */
	const struct node *change = node_child(store, "latest-change", NAMESPACE_CLIENTS);
	const char *stage = node_text(change, "stage", NAMESPACE_CLIENTS);

	snprintf(ret->stage, sizeof(ret->stage), "%s", stage ? stage : "");
	ret->connected = node_child(state, "sessions", NAMESPACE_MONITORING);
	ret->session = (unsigned int)number_of(change, "session-id");
	ret->objects = number_of(change, "objects");
	ret->done = number_of(change, "objects-done");
}

/* False: no second session is to be had. */
static bool ask(struct progress *progress, struct latest *ret)
{
	struct error err = ERROR_INIT;
	struct tree reply = {0};
	char operation[sizeof(question) + 16];

	snprintf(operation, sizeof(operation), question, progress->session);
	if (!progress->watcher && client_open(&progress->watcher, progress->options->socket, &err))
		return false;
	if (client_rpc(progress->watcher, operation, &reply, &err))
		return false;
	read_latest(&reply, ret);
	tree_free(&reply);
	return true;
}

/* ---- showing */

static bool is_under_way(const struct latest *latest)
{
	static const char *const stages[] = {"checking", "recording", "applying", "undoing"};

	for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++)
		if (!strcmp(latest->stage, stages[i]))
			return true;
	return false;
}

static void show_bar(struct progress *progress, const struct latest *latest)
{
	static const char full[] = "########################", empty[] = "........................";
	int filled = (int)(latest->done * BAR / latest->objects);
	int64_t now = clock_now(), took;
	unsigned long rate;

	if (strcmp(progress->stage, latest->stage) != 0) {
		memcpy(progress->stage, latest->stage, sizeof(progress->stage));
		progress->done = latest->done;
		progress->since = now;
	}
	took = (now - progress->since) / (NS_PER_S / 1000);
	rate = took ? (unsigned long)((int64_t)(latest->done - progress->done) * 1000 / took) : 0;
	fprintf(stderr, " [%.*s%.*s] %lu of %lu", filled, full, BAR - filled, empty, latest->done,
		latest->objects);
	if (rate)
		fprintf(stderr, ", %lu a second, %lu s left", rate,
			(latest->objects - latest->done) / rate);
}

static void show(struct progress *progress)
{
	struct latest latest;

	if (!ask(progress, &latest)) {
		progress->terminal = false;
		return;
	}
	if (!is_under_way(&latest))
		return;
	fprintf(stderr, "\r%s%s",
		latest.session == progress->session ? "" : "after another change: ", latest.stage);
	if (latest.objects)
		show_bar(progress, &latest);
	fputs("\033[K", stderr); /* erase what is left of the line before */
	fflush(stderr);
}

static bool on_wait(void *arg)
{
	struct progress *progress = arg;

	if (interrupted)
		return false;
	if (progress->terminal)
		show(progress);
	return true;
}

/* ---- beginning and ending */

void progress_begin(struct progress *progress, const struct cli_options *options,
		    struct client *client)
{
	/* once: a second interrupt means that the user does not want to wait for an explanation */
	struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};

	*progress = (struct progress){.options = options,
				      .client = client,
				      .session = client_session_id(client),
				      .terminal = isatty(STDERR_FILENO)};
	interrupted = 0;
	if (signal(SIGINT, SIG_IGN) != SIG_IGN) /* as a script's background job has it */
		sigaction(SIGINT, &action, NULL);
	client_on_wait(client, ASK_MS, on_wait, progress);
}

/* The session has ended. Until the change is decided, that aborts it (RFC 6241 section 7.9). */
static const char *explain(struct progress *progress)
{
	const struct timespec pause = {.tv_nsec = 20000000};
	int64_t until = clock_now() + PATIENCE;
	struct latest latest;

	while (progress->decides && clock_now() < until) {
		if (!ask(progress, &latest))
			break;
		if (latest.connected) {
			nanosleep(&pause, NULL);
			continue;
		}
		/* what had to wait for another's turn was dropped */
		if (latest.session != progress->session || !strcmp(latest.stage, "refused"))
			return "interrupted: nothing was changed";
		if (!strcmp(latest.stage, "done"))
			return "interrupted too late: the change has been made; see \"l2tpv3ctl "
			       "history\"";
		if (!strcmp(latest.stage, "applying"))
			return "interrupted too late: the change is decided, and is being carried "
			       "out; see \"l2tpv3ctl history\"";
		nanosleep(&pause, NULL);
	}
	return progress->decides ? "interrupted; the change may have been made: see \"l2tpv3ctl "
				   "history\""
				 : "interrupted: nothing was changed";
}

int progress_end(struct progress *progress, int rc, struct error *err)
{
	if (progress->terminal && progress->watcher)
		fputs("\r\033[K", stderr);
	if (rc && interrupted && client_unanswered(progress->client)) {
		client_hang_up(progress->client);
		rc = error_set(err, ERROR_BUSY, "%s", explain(progress));
		err->path[0] = '\0';
	}
	client_on_wait(progress->client, 0, NULL, NULL);
	client_close(progress->watcher);
	return rc;
}
