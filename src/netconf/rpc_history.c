/* The rpcs of linux-l2tpv3 about commits: history, commit-changes, rollback. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "model/codec.h"
#include "netconf/reply.h"
#include "netconf/rpc_engine.h"
#include "netconf/rpc_table.h"
#include "netconf/view.h"
#include "store/overlay.h"

#define PIECE WRITER_BUFFER

/* A text made in one go, sent piece by piece as the client reads. */
struct text_stream {
	char *text;
	size_t length, at;
};

static enum stream_step text_step(struct netconf_session *session, void *state)
{
	struct text_stream *stream = state;
	size_t left = stream->length - stream->at;
	size_t piece = left < PIECE ? left : PIECE;

	write_bytes(&session->writer, stream->text + stream->at, piece);
	stream->at += piece;
	return stream->at < stream->length ? STREAM_GOES_ON : STREAM_ENDS;
}

static void text_free(void *state)
{
	struct text_stream *stream = state;

	free(stream->text);
	free(stream);
}

static int send_text(struct netconf_session *session, char *text, size_t length)
{
	struct stream stream = {text_step, text_free, NULL};
	struct text_stream *state = calloc(1, sizeof(*state));

	if (!state) {
		free(text);
		return -ENOMEM;
	}
	*state = (struct text_stream){text, length, 0};
	stream.state = state;
	reply_begin(session);
	session_stream(session, &stream);
	return RPC_LATER;
}

/* A writer into a growing text. */
struct text_writer {
	struct writer writer;
	FILE *file;
	char *text;
	size_t length;
};

static int to_file(const char *bytes, size_t length, void *arg)
{
	struct text_writer *out = arg;
	return fwrite(bytes, 1, length, out->file) == length ? 0 : -ENOMEM;
}

static int text_open(struct text_writer *out)
{
	*out = (struct text_writer){.text = NULL};
	out->file = open_memstream(&out->text, &out->length);
	if (!out->file)
		return -ENOMEM;
	writer_init(&out->writer, to_file, out);
	return 0;
}

static int text_close(struct text_writer *out)
{
	int result = writer_flush(&out->writer);

	if (fclose(out->file) != 0 && !result)
		result = -ENOMEM;
	if (result) {
		free(out->text);
		out->text = NULL;
	}
	return result;
}

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

static int no_memory(struct error *err)
{
	return error_set(err, ERROR_RESOURCE, "no memory for the answer");
}

int rpc_history(struct netconf_session *session, const struct node *operation, struct error *err)
{
	struct journal *journal = engine_journal(session->server->options.engine);
	struct commit_info history[HISTORY_LENGTH];
	size_t count = journal ? journal_history(journal, history) : 0;
	struct text_writer *out = malloc(sizeof(*out));
	int result = out ? text_open(out) : -ENOMEM;

	(void)operation;
	if (!result) {
		for (size_t i = 0; i < count; i++)
			write_commit(&out->writer, &history[i]);
		result = text_close(out);
	}
	if (!result)
		result = send_text(session, out->text, out->length);
	free(out);
	return result < 0 ? no_memory(err) : result;
}

static int read_number(const struct node *operation, uint64_t *ret, struct error *err)
{
	const char *text = node_text(operation, "number", NAMESPACE_MODULE);
	char *end = NULL;

	errno = 0;
	if (text)
		*ret = strtoull(text, &end, 10);
	if (text && end != text && *end == '\0' && errno == 0 && *text != '-')
		return 0;
	if (!text)
		error_set(err, ERROR_MISSING_ELEMENT,
			  "number is required: a commit of the history");
	else
		error_set(err, ERROR_INVALID_VALUE, "number is that of a commit, not %.40s", text);
	snprintf(err->info, sizeof(err->info), "number");
	return error_in_operation(err, -EINVAL);
}

static void write_changes(struct writer *writer, char *lines)
{
	char *save = NULL;

	for (char *line = strtok_r(lines, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		write_text(writer, "<change xmlns=\"" NAMESPACE_MODULE "\">");
		write_escaped(writer, line, strlen(line));
		write_text(writer, "</change>");
	}
}

/* The lines of a candidate's changes; the caller frees. */
static char *print_changes(const struct candidate *changes)
{
	char *text = NULL;
	size_t length = 0;
	FILE *file = open_memstream(&text, &length);

	if (!file)
		return NULL;
	changes_print(file, changes);
	if (fclose(file) == 0)
		return text;
	free(text);
	return NULL;
}

int rpc_commit_changes(struct netconf_session *session, const struct node *operation,
		       struct error *err)
{
	struct engine *engine = session->server->options.engine;
	struct text_writer *out;
	struct candidate changes;
	uint64_t number = 0;
	char *lines = NULL;
	int result = read_number(operation, &number, err);

	if (result)
		return result;
	if (!engine_journal(engine))
		return error_set(err, ERROR_UNSUPPORTED, "no history is kept");
	candidate_open(&changes, engine_store(engine));
	result = journal_changes(engine_journal(engine), number, engine_store(engine), &changes,
				 err);
	if (!result)
		lines = print_changes(&changes);
	candidate_discard(&changes);
	if (result)
		return result;
	out = malloc(sizeof(*out));
	result = lines && out ? text_open(out) : -ENOMEM;
	if (!result) {
		write_changes(&out->writer, lines);
		result = text_close(out);
	}
	if (!result)
		result = send_text(session, out->text, out->length);
	free(lines);
	free(out);
	return result < 0 ? no_memory(err) : result;
}

/* An entry that comes back may have the secrets it had: whoever may delete it may undo that. */
static int refuse_secrets(const struct candidate *changes, struct error *err)
{
	for (struct change *at = candidate_first(changes); at; at = change_next(at)) {
		enum object object = change_object(at);

		if (!at->before || !at->after ||
		    !(codec_difference(object, at->before, at->after) & view_secrets(object)))
			continue;
		error_at_entry(err, at->tunnel_id, at->session_id, NULL);
		return error_set(err, ERROR_DENIED,
				 "the rollback would change cookies, which are for the superuser "
				 "alone");
	}
	return 0;
}

/*
 * What was looked at is what is committed, leaf by leaf over what others commit
 * before its turn comes.
 */
static int rollback_without_secrets(struct netconf_session *session, uint64_t number,
				    const struct engine_who *who, struct error *err)
{
	struct engine *engine = session->server->options.engine;
	struct candidate changes;
	int result;

	if (!engine_journal(engine))
		return error_set(err, ERROR_UNSUPPORTED, "no history is kept");
	candidate_open(&changes, engine_store(engine));
	result = journal_rollback(engine_journal(engine), number, engine_store(engine), &changes,
				  err);
	if (!result)
		result = refuse_secrets(&changes, err);
	if (!result)
		result = rpc_await(session, engine_commit(engine, &changes, who, rpc_done, session),
				   err);
	candidate_discard(&changes);
	return result;
}

int rpc_rollback(struct netconf_session *session, const struct node *operation, struct error *err)
{
	struct engine_who who = rpc_who(session);
	char comment[40];
	uint64_t number = 0;
	int result = read_number(operation, &number, err);

	if (result)
		return result;
	snprintf(comment, sizeof(comment), "rollback to %" PRIu64, number);
	who.comment = comment;
	if (!netconf_may_see_secrets(session))
		return rollback_without_secrets(session, number, &who, err);
	return rpc_await(
		session,
		engine_rollback(session->server->options.engine, number, &who, rpc_done, session),
		err);
}
