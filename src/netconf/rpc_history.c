/* The rpcs of linux-l2tpv3 about commits: history, commit-changes, rollback. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "netconf/reply.h"
#include "netconf/rpc_engine.h"
#include "netconf/rpc_table.h"
#include "store/overlay.h"

#define LATEST       50 /* commits that history answers with, unless told otherwise */
#define HISTORY_PAGE 16

static int no_memory(struct error *err)
{
	return error_set(err, ERROR_RESOURCE, "no memory for the answer");
}

/* A parameter that is a number, at least @least. Absent, @ret is left alone. */
static int read_number(const struct node *operation, const char *name, uint64_t least,
		       uint64_t *ret, struct error *err)
{
	const char *text = node_text(operation, name, NAMESPACE_MODULE);
	char *end = NULL;

	if (!text)
		return 0;
	errno = 0;
	*ret = strtoull(text, &end, 10);
	if (end != text && *end == '\0' && errno == 0 && *text != '-' && *ret >= least)
		return 0;
	return rpc_refuse(err, ERROR_INVALID_VALUE, name,
			  "%s is a number from %" PRIu64 " on, not %.40s", name, least, text);
}

/* The commit that an operation is about. */
static int read_commit(const struct node *operation, uint64_t *ret, struct error *err)
{
	if (!node_text(operation, "number", NAMESPACE_MODULE))
		return rpc_refuse(err, ERROR_MISSING_ELEMENT, "number",
				  "number is required: a commit of the history");
	return read_number(operation, "number", 0, ret, err);
}

/* ---- history */

static void write_leaf(struct writer *writer, const char *name, const char *text, size_t length)
{
	write_text(writer, "<");
	write_text(writer, name);
	write_text(writer, ">");
	write_escaped(writer, text, length);
	write_text(writer, "</");
	write_text(writer, name);
	write_text(writer, ">");
}

static void write_count(struct writer *writer, const char *name, uint64_t number)
{
	char text[24];
	int length = snprintf(text, sizeof(text), "%" PRIu64, number);

	write_leaf(writer, name, text, (size_t)length);
}

static void write_word(struct writer *writer, const char *name, const char *text)
{
	write_leaf(writer, name, text, strlen(text));
}

static void write_commit(struct writer *writer, const struct commit_info *info)
{
	char time[40];
	struct tm tm;

	gmtime_r(&info->time.tv_sec, &tm);
	strftime(time, sizeof(time), "%Y-%m-%dT%H:%M:%SZ", &tm);
	write_text(writer, "<commit xmlns=\"" NAMESPACE_MODULE "\">");
	write_count(writer, "number", info->number);
	write_word(writer, "time", time);
	write_word(writer, "door", info->door);
	write_word(writer, "user", info->user);
	write_word(writer, "comment", info->comment);
	write_count(writer, "tunnels", info->tunnels);
	write_count(writer, "sessions", info->sessions);
	write_text(writer, "</commit>");
}

/* Pages of the history: what commits make meanwhile, or prune, is not seen or not there. */
struct history {
	struct commit_info commits[HISTORY_PAGE];
	size_t count, at;
	uint64_t left; /* commits that the client wants after this page */
};

/* The next page, of those before commit @before (0: from the latest on). */
static int read_page(struct netconf_session *session, struct history *history, uint64_t before)
{
	struct journal *journal = engine_journal(session->server->options.engine);
	size_t max = history->left < HISTORY_PAGE ? (size_t)history->left : HISTORY_PAGE;
	int rc = journal ? journal_history(journal, before, history->commits, max) : 0;

	if (rc < 0)
		return rc;
	history->at = 0;
	history->count = (size_t)rc;
	history->left -= (size_t)rc;
	return 0;
}

static enum stream_step history_step(struct netconf_session *session, void *state)
{
	struct history *history = state;

	if (history->at == history->count) {
		if (read_page(session, history, history->commits[history->at - 1].number) < 0)
			session->dead = true; /* half of a reply is none */
		if (session->dead || history->count == 0)
			return STREAM_ENDS;
	}
	write_commit(&session->writer, &history->commits[history->at++]);
	return STREAM_GOES_ON;
}

static int begin_history(struct netconf_session *session, const struct node *operation,
			 struct history *history, struct error *err)
{
	uint64_t before = 0;
	int rc = read_number(operation, "before", 1, &before, err);

	history->left = LATEST;
	rc = rc ? rc : read_number(operation, "last", 1, &history->left, err);
	if (rc)
		return rc;
	rc = read_page(session, history, before);
	return rc < 0 ? error_set_errno(err, ERROR_STORAGE, -rc, "cannot read the history") : 0;
}

int rpc_history(struct netconf_session *session, const struct node *operation, struct error *err)
{
	struct history *history = malloc(sizeof(*history));
	int rc;

	if (!history)
		return no_memory(err);
	rc = begin_history(session, operation, history, err);
	if (rc || !history->count) { /* no output (RFC 7950 section 7.14.4) */
		free(history);
		return rc ? rc : RPC_OK;
	}
	reply_begin(session);
	session_stream(session, &(struct stream){history_step, free, history});
	return RPC_LATER;
}

/* ---- commit-changes */

/* A commit that is read as the client takes it: nothing but its record is held. */
struct changes {
	struct journal_reading *reading;
	FILE *file; /* into the line */
	char *line;
	size_t length;
	bool begun; /* the reply is, with a change that may be seen */
};

static void write_change(struct netconf_session *session, struct changes *changes,
			 const struct change *change)
{
	const struct policy *policy = access_policy(session);
	struct writer *writer = &session->writer;
	uint64_t readable = ~UINT64_C(0);

	if (change->tunnel_id)
		readable = policy_rows(policy, RIGHT_READ, change->tunnel_id, change->session_id);
	else if (policy)
		readable = 0; /* NACM's configuration is the superuser's */
	if (!(readable & ROW_SELF))
		return;
	if (change->before && change->after &&
	    !(readable & codec_difference(change_object(change), change->before, change->after)))
		return;
	rewind(changes->file);
	change_print(changes->file, change, ~readable);
	if (fflush(changes->file) != 0) {
		session->dead = true; /* half of a reply is none */
		return;
	}
	if (!changes->begun)
		reply_begin(session);
	changes->begun = true;
	write_text(writer, "<change xmlns=\"" NAMESPACE_MODULE "\">");
	write_escaped(writer, changes->line, changes->length - 1); /* not the end of the line */
	write_text(writer, "</change>");
}

static enum stream_step changes_step(struct netconf_session *session, void *state)
{
	struct changes *changes = state;
	const struct change *change;
	struct error err = ERROR_INIT;
	int rc = journal_read_change(changes->reading, &change, &err);

	if (rc < 0) {
		reply_error(session, &err);
		return STREAM_ANSWERED;
	}
	if (change)
		write_change(session, changes, change);
	if (rc == JOURNAL_MORE)
		return STREAM_GOES_ON;
	if (changes->begun)
		return STREAM_ENDS;
	reply_ok(session); /* no output, as above */
	return STREAM_ANSWERED;
}

static void changes_free(void *state)
{
	struct changes *changes = state;

	journal_read_end(changes->reading, NULL);
	if (changes->file)
		fclose(changes->file);
	free(changes->line);
	free(changes);
}

static int begin_changes(struct netconf_session *session, struct changes *changes, uint64_t number,
			 struct error *err)
{
	struct engine *engine = session->server->options.engine;
	int rc;

	if (!engine_journal(engine))
		return error_set(err, ERROR_UNSUPPORTED, "no history is kept");
	changes->file = open_memstream(&changes->line, &changes->length);
	if (!changes->file)
		return no_memory(err);
	rc = journal_read_begin(&changes->reading, engine_journal(engine), JOURNAL_CHANGES, number,
				engine_store(engine), err);
	if (rc < 0)
		return rc;
	return message_hold(session->message, journal_read_memory(changes->reading), err);
}

int rpc_commit_changes(struct netconf_session *session, const struct node *operation,
		       struct error *err)
{
	struct changes *changes;
	uint64_t number = 0;
	int rc = read_commit(operation, &number, err);

	if (rc)
		return rc;
	changes = calloc(1, sizeof(*changes));
	if (!changes)
		return no_memory(err);
	rc = begin_changes(session, changes, number, err);
	if (rc < 0) {
		changes_free(changes);
		return rc;
	}
	session_stream(session, &(struct stream){changes_step, changes_free, changes});
	return RPC_LATER;
}

/* ---- rollback */

int rpc_rollback(struct netconf_session *session, const struct node *operation, struct error *err)
{
	struct engine_who who = rpc_who(session);
	char comment[40];
	uint64_t number = 0;
	int rc = read_commit(operation, &number, err);

	if (rc)
		return rc;
	snprintf(comment, sizeof(comment), "rollback to %" PRIu64, number);
	who.comment = comment;
	return rpc_await(
		session,
		engine_rollback(session->server->options.engine, number, &who, rpc_done, session),
		err);
}
