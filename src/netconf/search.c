#include "netconf/search.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "netconf/provider.h"
#include "netconf/xpath_tree.h"

#define PIECE   16384
#define WAIT_MS 10 /* for the end of a process */

/* The last byte that the process writes if all went well; XML cannot contain it. */
#define LAST_BYTE '\0'

/* The first that the process writes. */
struct verdict {
	int rc;
	struct error err; /* its pointers are to static storage, which is in the same place there */
};

struct search {
	TAILQ_ENTRY(search) link;
	struct netconf_server *server;
	struct netconf_session *session; /* NULL: closed, and its process has not ended yet */
	uid_t uid;
	struct search_options options;
	struct walk *walk;     /* looks how much there is, and refreshes counters; NULL: it has */
	bool prepared;         /* its filter is */
	struct writer measure; /* of what it writes */
	size_t size;
	pid_t pid; /* 0: none */
	int fd;    /* from the process; -1: none */
	struct event *readable;
	struct event *timer;
	bool told; /* its verdict has come */
};

static int count_bytes(const char *bytes, size_t length, void *arg)
{
	struct search *search = arg;

	(void)bytes;
	search->size += length;
	return 0;
}

static unsigned int count_open(const struct netconf_server *server, uid_t uid, bool all)
{
	const struct search *search;
	unsigned int count = 0;

	TAILQ_FOREACH (search, &server->searches, link)
		count += search->session && (all || search->uid == uid);
	return count;
}

static int admit(const struct netconf_session *session, struct error *err)
{
	uid_t uid = session->peer.uid;
	bool privileged = peer_privileged(uid);
	unsigned int places = SEARCHES_MAX - (privileged ? 0 : SEARCHES_KEPT);

	if (count_open(session->server, uid, true) < places &&
	    (privileged || count_open(session->server, uid, false) < SEARCHES_USER))
		return 0;
	return error_set(
		err, ERROR_RESOURCE,
		"there are %d searches by XPath at once, and %d of one user; try again, or "
		"use a subtree filter or a path with keys",
		SEARCHES_MAX, SEARCHES_USER);
}

static void release(struct search *search)
{
	TAILQ_REMOVE(&search->server->searches, search, link);
	if (search->timer)
		event_free(search->timer);
	free(search);
}

static void wait_a_little(struct search *search)
{
	const struct timeval soon = {.tv_usec = WAIT_MS * 1000};

	evtimer_add(search->timer, &soon);
}

/* The search is closed, but its killed process may take a while to free its memory. */
static void reap(struct search *search)
{
	if (search->pid && !waitpid(search->pid, NULL, WNOHANG))
		wait_a_little(search);
	else
		release(search);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct search *search = arg;

	(void)fd, (void)what;
	if (search->session)
		session_resume(search->session);
	else
		reap(search);
}

int search_open(struct search **ret, struct netconf_session *session,
		const struct search_options *options, struct error *err)
{
	struct netconf_server *server = session->server;
	struct search *search;
	int rc = admit(session, err);

	if (rc)
		return rc;
	search = calloc(1, sizeof(*search));
	if (!search)
		return error_set(err, ERROR_RESOURCE, "out of memory");
	search->server = server;
	search->session = session;
	search->uid = session->peer.uid;
	search->options = *options;
	policy_share(options->walk.policy);
	search->fd = -1;
	TAILQ_INSERT_TAIL(&server->searches, search, link);
	writer_init(&search->measure, count_bytes, search);
	search->timer = evtimer_new(server->options.base, on_timer, search);
	rc = search->timer ? walk_open(&search->walk, &search->options.walk, err)
			   : error_set(err, ERROR_RESOURCE, "out of memory");
	if (rc)
		search_close(search);
	else
		*ret = search;
	return rc;
}

void search_close(struct search *search)
{
	if (!search)
		return;
	if (search->readable)
		event_free(search->readable);
	if (search->fd >= 0)
		close(search->fd);
	walk_close(search->walk);
	policy_drop(search->options.walk.policy);
	search->session = NULL;
	if (search->pid)
		kill(search->pid, SIGKILL);
	reap(search);
}

void searches_end(struct netconf_server *server)
{
	struct search *search;

	while ((search = TAILQ_FIRST(&server->searches))) {
		waitpid(search->pid, NULL, 0); /* it was killed */
		release(search);
	}
}

/* ---- in the process */

static int to_pipe(const char *bytes, size_t length, void *arg)
{
	(void)arg;
	while (length) {
		ssize_t count = write(STDOUT_FILENO, bytes, length);

		if (count < 0 && errno != EINTR)
			_exit(1);
		if (count > 0) {
			bytes += count;
			length -= (size_t)count;
		}
	}
	return 0;
}

static unsigned int keys_of(const char *top, const char *name, const char *uri)
{
	if (strcmp(uri, NAMESPACE_MODULE) != 0)
		return provider_keys(top, name);
	return !strcmp(name, row_sets[OBJECT_TUNNEL].name) ||
	       !strcmp(name, row_sets[OBJECT_SESSION].name);
}

/* Write everything into the tree. */
static int fill(struct search *search, struct walk *walk, struct xpath_tree *tree)
{
	struct netconf_session *session = search->session;
	struct writer *writer = &session->writer;
	struct error ignored;
	int rc;

	writer_init(writer, xpath_tree_feed, tree);
	do
		rc = walk_prepare(walk, &ignored);
	while (rc > 0);
	walk_detach(walk);
	while (!rc && walk_step(walk, writer))
		;
	if (!rc)
		rc = provider_write_acm(session, search->options.walk.filter, search->options.acm,
					search->options.state, &search->options.acm_options, 0);
	if (!rc && search->options.state)
		rc = provider_write(session, search->options.walk.filter, 0);
	rc = rc ? rc : writer_flush(writer);
	return rc ? rc : xpath_tree_finish(tree);
}

static void answer(struct search *search, struct walk *walk)
{
	const struct search_options *options = &search->options;
	struct verdict verdict = {0};
	struct xpath_tree *tree = xpath_tree_open();
	struct writer *writer = &search->session->writer;

	if (!tree || fill(search, walk, tree))
		verdict.rc = error_set(&verdict.err, ERROR_RESOURCE, "out of memory");
	for (size_t i = 0; i < options->count && verdict.rc >= 0; i++)
		verdict.rc = xpath_tree_select(tree, options->selects[i].expression,
					       options->selects[i].scope, &verdict.err);
	to_pipe((const char *)&verdict, sizeof(verdict), NULL);
	if (verdict.rc < 0)
		return;
	writer_init(writer, to_pipe, NULL);
	if (options->write)
		options->write(tree, writer);
	else
		xpath_tree_write(tree, writer, keys_of, options->max_depth);
	writer_flush(writer);
	to_pipe(&(const char){LAST_BYTE}, 1, NULL);
}

static void run(struct search *search, struct walk *walk, int fd, pid_t parent)
{
	/* of processor time; our unit forbids setrlimit() */
	const struct itimerval limit = {.it_value.tv_sec = SEARCH_SECONDS};
	sigset_t others;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || dup2(fd, STDOUT_FILENO) < 0)
		_exit(1);
	sigfillset(&others); /* the daemon's handlers must not run here */
	sigdelset(&others, SIGPROF);
	sigprocmask(SIG_SETMASK, &others, NULL);
	close_range(STDERR_FILENO + 1, ~0U, 0);
	setitimer(ITIMER_PROF, &limit, NULL); /* its signal ends the process */
	setpriority(PRIO_PROCESS, 0, 5);
	xpath_tree_limit(SEARCH_MEMORY_MAX);
	answer(search, walk);
	_exit(0);
}

/* ---- here */

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct search *search = arg;

	(void)fd, (void)what;
	session_resume(search->session);
}

static int no_process(struct error *err)
{
	return error_set_errno(err, ERROR_RESOURCE, errno, "cannot start a process to search");
}

static int start(struct search *search, struct error *err)
{
	struct netconf_session *session = search->session;
	struct walk *walk = NULL;
	pid_t parent = getpid();
	int ends[2], rc;

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK))
		return no_process(err);
	search->fd = ends[0];
	search->readable =
		event_new(session->server->options.base, ends[0], EV_READ, on_readable, search);
	rc = search->readable ? walk_open(&walk, &search->options.walk, err)
			      : error_set(err, ERROR_RESOURCE, "out of memory");
	fcntl(ends[1], F_SETFL, 0);
	if (!rc) {
		search->pid = fork();
		if (!search->pid)
			run(search, walk, ends[1], parent);
		if (search->pid < 0) {
			search->pid = 0;
			rc = no_process(err);
		}
	}
	walk_close(walk);
	close(ends[1]);
	return rc ? rc : SEARCH_GOES_ON;
}

/* Look at some of what is there. */
static int measure(struct search *search, struct error *err)
{
	struct walk *walk = search->walk;
	int rc;

	if (!search->prepared) {
		rc = walk_prepare(walk, err);
		search->prepared = !rc;
		return rc < 0 ? rc : SEARCH_GOES_ON;
	}
	if (walk_broken(walk))
		return error_set(err, ERROR_RESOURCE, "out of memory");
	if (walk_step(walk, &search->measure)) {
		if (search->size <= SEARCH_DATA_MAX)
			return SEARCH_GOES_ON;
		return error_set(err, ERROR_TOO_BIG,
				 "this XPath searches more than %u MB of data; begin it with the "
				 "path of an entry, as in /l2tp:l2tpv3/l2tp:tunnel[l2tp:tunnel-id="
				 "'1'], or use a subtree filter",
				 SEARCH_DATA_MAX >> 20);
	}
	walk_close(walk);
	search->walk = NULL;
	return SEARCH_GOES_ON;
}

/* Processes that were killed have their memory until they have ended. */
static bool too_many_processes(const struct netconf_server *server)
{
	const struct search *search;
	unsigned int count = 0;

	TAILQ_FOREACH (search, &server->searches, link)
		count += search->pid != 0;
	return count >= SEARCHES_MAX;
}

static int take_verdict(const char *bytes, size_t length, struct error *err)
{
	struct verdict verdict;

	if (length < sizeof(verdict))
		return error_set(err, ERROR_INTERNAL, "the process that searches has failed");
	memcpy(&verdict, bytes, sizeof(verdict));
	*err = verdict.err;
	return verdict.rc < 0 ? verdict.rc : 0;
}

int search_step(struct search *search, struct error *err)
{
	char piece[PIECE];
	ssize_t count;
	bool ends;
	int rc;

	if (search->walk)
		return measure(search, err);
	if (search->fd < 0 && too_many_processes(search->server)) {
		wait_a_little(search);
		return SEARCH_WAITS;
	}
	if (search->fd < 0)
		return start(search, err);
	/* The verdict is written, and so read, as one: a pipe takes that many bytes at once. */
	count = read(search->fd, piece, search->told ? sizeof(piece) : sizeof(struct verdict));
	if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
		event_add(search->readable, NULL);
		return SEARCH_WAITS;
	}
	if (count <= 0)
		return error_set(err, ERROR_TOO_BIG,
				 "the XPath takes more than %d s, or more than %u MB of memory; "
				 "name entries by their keys",
				 SEARCH_SECONDS, SEARCH_MEMORY_MAX >> 20);
	if (!search->told) {
		rc = take_verdict(piece, (size_t)count, err);
		search->told = true;
		return rc ? rc : SEARCH_FOUND;
	}
	ends = piece[count - 1] == LAST_BYTE;
	write_bytes(search->options.writer ? search->options.writer : &search->session->writer,
		    piece, (size_t)count - ends);
	return ends ? SEARCH_ENDS : SEARCH_GOES_ON;
}
