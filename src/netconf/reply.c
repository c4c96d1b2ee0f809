#include "netconf/reply.h"

#include <syslog.h>

#include "netconf/capabilities.h"
#include "netconf/encode.h"

static const char *prefix_of(const struct netconf_session *session)
{
	return session->message && session->message->tree.root ? session->message->prefix : "";
}

static void write_name(struct netconf_session *session, const char *name)
{
	const char *prefix = prefix_of(session);

	write_text(&session->writer, prefix);
	if (*prefix)
		write_bytes(&session->writer, ":", 1);
	write_text(&session->writer, name);
}

void reply_open(struct netconf_session *session, const char *name)
{
	write_bytes(&session->writer, "<", 1);
	write_name(session, name);
	write_bytes(&session->writer, ">", 1);
}

void reply_close(struct netconf_session *session, const char *name)
{
	write_bytes(&session->writer, "</", 2);
	write_name(session, name);
	write_bytes(&session->writer, ">", 1);
}

void reply_begin(struct netconf_session *session)
{
	const struct node *envelope = session->message ? session->message->tree.root : NULL;
	const struct declaration *ns = envelope ? envelope->declarations : NULL;
	const struct attribute *at = envelope ? envelope->attributes : NULL;
	struct writer *writer = &session->writer;

	write_bytes(writer, "<", 1);
	write_name(session, "rpc-reply");
	if (!envelope)
		write_declaration(writer, "", NAMESPACE_BASE);
	/* the envelope is the root, so it has the declarations that its attributes need */
	for (; ns; ns = ns->next)
		write_declaration(writer, ns->prefix, ns->uri);
	for (; at; at = at->next)
		write_attribute(writer, at->prefix, at->name, at->value, strlen(at->value));
	write_bytes(writer, ">", 1);
}

void reply_finish(struct netconf_session *session)
{
	const char *tail = framing_tail(session->version);

	writer_flush(&session->writer);
	bufferevent_write(session->transport, tail, strlen(tail));
}

void reply_end(struct netconf_session *session)
{
	reply_close(session, "rpc-reply");
	reply_finish(session);
}

void reply_ok(struct netconf_session *session)
{
	reply_begin(session);
	write_bytes(&session->writer, "<", 1);
	write_name(session, "ok");
	write_bytes(&session->writer, "/>", 2);
	reply_end(session);
}

static void element(struct netconf_session *session, const char *name, const char *text)
{
	if (!text || !*text)
		return;
	reply_open(session, name);
	write_escaped(&session->writer, text, strlen(text));
	reply_close(session, name);
}

static void error_path(struct netconf_session *session, const char *path)
{
	/* The client may use our prefix for the base namespace. */
	bool taken = !strcmp(prefix_of(session), PREFIX_MODULE);
	bool acm = !strncmp(path, "/nacm", 5);
	const char *prefix = acm ? PREFIX_ACM : taken ? PREFIX_MODULE "v3" : PREFIX_MODULE;

	if (!*path)
		return;
	write_bytes(&session->writer, "<", 1);
	write_name(session, "error-path");
	write_declaration(&session->writer, prefix, acm ? NAMESPACE_ACM : NAMESPACE_MODULE);
	write_bytes(&session->writer, ">", 1);
	write_path(&session->writer, path, prefix);
	reply_close(session, "error-path");
}

static void error_message(struct netconf_session *session, const char *text)
{
	if (!*text)
		return;
	write_bytes(&session->writer, "<", 1);
	write_name(session, "error-message");
	write_text(&session->writer, " xml:lang=\"en\">");
	write_escaped(&session->writer, text, strlen(text));
	reply_close(session, "error-message");
}

static void info_number(struct netconf_session *session, const struct error *err)
{
	reply_open(session, "session-id");
	write_number(&session->writer, err->session);
	reply_close(session, "session-id");
}

static void info_attribute(struct netconf_session *session, const struct error *err)
{
	element(session, "bad-attribute", err->info);
	element(session, "bad-element", err->info2);
}

/* The element's name, or, if the refusal has only a path, the last one in it. */
static void info_element(struct netconf_session *session, const struct error *err)
{
	const char *last = strrchr(err->path, '/');
	char name[sizeof(err->path)] = "";

	if (!err->info[0] && last)
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(last + 1, "["), last + 1);
	element(session, "bad-element", err->info[0] ? err->info : name);
}

static void info_namespace(struct netconf_session *session, const struct error *err)
{
	element(session, "bad-element", err->info);
	reply_open(session, "bad-namespace");
	write_escaped(&session->writer, err->info2, strlen(err->info2));
	reply_close(session, "bad-namespace");
}

static void yang_element(struct netconf_session *session, const char *name, const char *text)
{
	struct writer *writer = &session->writer;

	write_text(writer, "<");
	write_text(writer, name);
	write_declaration(writer, "", NAMESPACE_YANG);
	write_text(writer, ">");
	write_escaped(writer, text, strlen(text));
	write_text(writer, "</");
	write_text(writer, name);
	write_text(writer, ">");
}

static void info_choice(struct netconf_session *session, const struct error *err)
{
	yang_element(session, "missing-choice", err->info);
}

static void non_unique(struct netconf_session *session, const char *path)
{
	struct writer *writer = &session->writer;

	write_text(writer, "<non-unique");
	write_declaration(writer, "", NAMESPACE_YANG);
	write_declaration(writer, PREFIX_MODULE, NAMESPACE_MODULE);
	write_text(writer, ">");
	write_path(writer, path, PREFIX_MODULE);
	write_text(writer, "</non-unique>");
}

/* Each leaf that is not unique (RFC 7950 section 15.1). */
static void info_unique(struct netconf_session *session, const struct error *err)
{
	non_unique(session, err->path);
	non_unique(session, err->other);
}

/* What error-info contains, by error-tag (RFC 6241 appendix A), in this order. */
static const struct {
	const char *tag;
	enum error_code only; /* ERROR_NONE: whatever the code */
	void (*write)(struct netconf_session *session, const struct error *err);
} infos[] = {
	{"missing-attribute", ERROR_NONE, info_attribute},
	{"bad-attribute", ERROR_NONE, info_attribute},
	{"unknown-attribute", ERROR_NONE, info_attribute},
	{"missing-element", ERROR_NONE, info_element},
	{"bad-element", ERROR_NONE, info_element},
	{"unknown-element", ERROR_NONE, info_element},
	{"unknown-namespace", ERROR_NONE, info_namespace},
	{"lock-denied", ERROR_NONE, info_number},
	{"data-missing", ERROR_MISSING_CHOICE, info_choice},
	{"operation-failed", ERROR_NOT_UNIQUE, info_unique},
};

static void error_info(struct netconf_session *session, const struct error *err, const char *tag)
{
	for (unsigned int i = 0; i < sizeof(infos) / sizeof(infos[0]); i++) {
		if (strcmp(infos[i].tag, tag) != 0)
			continue;
		if (infos[i].only && infos[i].only != err->code)
			continue;
		reply_open(session, "error-info");
		infos[i].write(session, err);
		reply_close(session, "error-info");
	}
}

static void write_error(struct netconf_session *session, const struct error *err)
{
	const struct error_kind *kind = error_kind(err->code);

	reply_open(session, "rpc-error");
	element(session, "error-type", error_type(err));
	element(session, "error-tag", kind->tag);
	element(session, "error-severity", "error");
	element(session, "error-app-tag", error_app_tag(err));
	error_path(session, err->path);
	error_message(session, err->text);
	error_info(session, err, kind->tag);
	reply_close(session, "rpc-error");
}

void reply_error(struct netconf_session *session, const struct error *err)
{
	struct error concealed;

	session->counters.out_rpc_errors++;
	reply_begin(session);
	for (; err; err = err->next) {
		server_log(session->server, LOG_DEBUG,
			   "NETCONF session %u of %s: refused: %s: %s%s%s", session->id,
			   session->peer.user, error_kind(err->code)->name, err->path,
			   err->path[0] ? ": " : "", err->text);
		write_error(session, access_conceal(session, err, &concealed));
	}
	reply_end(session);
}

static void capability(struct writer *writer, const char *uri)
{
	write_text(writer, "<capability>");
	write_escaped(writer, uri, strlen(uri));
	write_text(writer, "</capability>");
}

static void open_hello(struct writer *writer)
{
	write_text(writer, "<hello xmlns=\"" NAMESPACE_BASE "\"><capabilities>");
}

static void close_hello(struct writer *writer, unsigned int id)
{
	write_text(writer, "</capabilities><session-id>");
	write_number(writer, id);
	write_text(writer, "</session-id></hello>");
}

void send_hello(struct netconf_session *session)
{
	const struct modules *modules = &session->server->modules;
	char uri[CAPABILITY_SIZE];

	open_hello(&session->writer);
	for (unsigned int i = 0; capability_at(modules, i, uri); i++)
		capability(&session->writer, uri);
	close_hello(&session->writer, session->id);
	reply_finish(session);
}

void reply_refusal(struct netconf_session *session, const struct error *err)
{
	const char *tail = framing_tail(FRAMING_END_OF_MESSAGE);

	open_hello(&session->writer);
	capability(&session->writer, CAPABILITY_1_0);
	close_hello(&session->writer, session->id);
	write_text(&session->writer, tail);
	reply_begin(session);
	write_error(session, err);
	reply_close(session, "rpc-reply");
	write_text(&session->writer, tail);
	writer_flush(&session->writer);
}
