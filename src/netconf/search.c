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

#define PIECE 16384

/* The process's first words. */
struct verdict {
	int rc;
	struct error err; /* its pointers are to static storage, which is in the same place there */
};

struct search {
	struct netconf_session *session;
	struct search_options options;
	struct walk *walk;     /* looks how much there is, and refreshes counters; NULL: it has */
	bool prepared;         /* its filter is */
	struct writer measure; /* of what it writes */
	size_t size;
	pid_t pid; /* 0: none */
	int fd;    /* from the process; -1: none */
	struct event *readable;
	bool told; /* its verdict has come */
};

static int count_bytes(const char *bytes, size_t length, void *arg)
{
	struct search *search = arg;

	(void)bytes;
	search->size += length;
	return 0;
}

int search_open(struct search **ret, struct netconf_session *session,
		const struct search_options *options, struct error *err)
{
	struct search *search;
	int rc;

	if (session->server->searches >= SEARCHES_MAX)
		return error_set(err, ERROR_RESOURCE,
				 "%d searches by XPath are under way; try again, or use a subtree "
				 "filter or a path with keys",
				 SEARCHES_MAX);
	search = calloc(1, sizeof(*search));
	if (!search)
		return error_set(err, ERROR_RESOURCE, "out of memory");
	search->session = session;
	search->options = *options;
	policy_share(options->walk.policy);
	search->fd = -1;
	session->server->searches++;
	writer_init(&search->measure, count_bytes, search);
	rc = walk_open(&search->walk, &search->options.walk, err);
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
	if (search->pid) {
		kill(search->pid, SIGKILL);
		waitpid(search->pid, NULL, 0);
	}
	walk_close(search->walk);
	policy_drop(search->options.walk.policy);
	search->session->server->searches--;
	free(search);
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
					search->options.state, search->options.walk.defaults, 0);
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
}

static void run(struct search *search, struct walk *walk, int fd, pid_t parent)
{
	/* of processor time; our unit forbids setrlimit() */
	const struct itimerval limit = {.it_value.tv_sec = SEARCH_SECONDS};
	sigset_t others;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || dup2(fd, STDOUT_FILENO) < 0)
		_exit(1);
	sigfillset(&others); /* the daemon's handlers are not for here */
	sigdelset(&others, SIGPROF);
	sigprocmask(SIG_SETMASK, &others, NULL);
	close_range(STDERR_FILENO + 1, ~0U, 0);
	setitimer(ITIMER_PROF, &limit, NULL); /* its signal ends the process */
	setpriority(PRIO_PROCESS, 0, 5);
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
	return start(search, err);
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

/* The pipe is closed: did the process do all of it? */
static int finish(struct search *search, struct error *err)
{
	int status = 0;

	waitpid(search->pid, &status, 0);
	search->pid = 0;
	if (search->told && WIFEXITED(status) && !WEXITSTATUS(status))
		return SEARCH_ENDS;
	return error_set(err, ERROR_TOO_BIG,
			 "the XPath takes more than %d s, or more memory than there is; name "
			 "entries by their keys",
			 SEARCH_SECONDS);
}

int search_step(struct search *search, struct error *err)
{
	char piece[PIECE];
	ssize_t count;
	int rc;

	if (search->fd < 0)
		return measure(search, err);
	/* The verdict is written, and so read, as one: a pipe takes that many bytes at once. */
	count = read(search->fd, piece, search->told ? sizeof(piece) : sizeof(struct verdict));
	if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
		event_add(search->readable, NULL);
		return SEARCH_WAITS;
	}
	if (count <= 0)
		return finish(search, err);
	if (!search->told) {
		rc = take_verdict(piece, (size_t)count, err);
		search->told = true;
		return rc ? rc : SEARCH_FOUND;
	}
	write_bytes(search->options.writer ? search->options.writer : &search->session->writer,
		    piece, (size_t)count);
	return SEARCH_GOES_ON;
}
