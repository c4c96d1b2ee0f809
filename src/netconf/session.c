#include "base/clock.h"
#include "netconf/session.h"

#include <errno.h>
#include <event2/buffer.h>
#include <sys/socket.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/wipe.h"
#include "netconf/events.h"
#include "netconf/lines.h"
#include "netconf/reply.h"
#include "netconf/rpc.h"
#include "netconf/subscription.h"
#include "netconf/blank.h"

#define INPUT_MAX          65536        /* bytes of input held before the client must wait */
#define INPUT_STEP         4096         /* bytes handled between two looks at the clock */
#define OUTPUT_TURN        (256U << 10) /* bytes written in one turn, by all sessions ... */
#define OUTPUT_WRITE       (16U << 10)  /* ... and by one */
#define NOTIFICATIONS_STEP 64           /* sent before the next request is read */
#define REFUSAL_TIMEOUT    2            /* seconds for the request that a refusal answers */

static bool holds_lock(const struct netconf_session *session)
{
	return engine_holds_lock(session->server->options.engine, session->id);
}

static bool awaits_confirmation(const struct netconf_session *session)
{
	return engine_awaits_confirmation(session->server->options.engine, session->id);
}

/* Input. */

static void complain(struct netconf_session *session, const char *what)
{
	server_log(session->server, LOG_NOTICE, "NETCONF session %u of %s ends: %s", session->id,
		   session->peer.user, what);
}

/* What came is no message, or its hello is no hello (RFC 6022 section 2.1.5). */
static void count_bad(struct netconf_session *session)
{
	++*(session->greeted ? &session->counters.in_bad_rpcs : &session->server->bad_hellos);
}

/* Close once all output has gone out. */
static void close_gently(struct netconf_session *session)
{
	session->closing = true;
	bufferevent_disable(session->transport, EV_READ);
	bufferevent_setwatermark(session->transport, EV_WRITE, 0, 0);
	if (!evbuffer_get_length(bufferevent_get_output(session->transport)))
		session->dead = true;
}

/*
 * Input that cannot be parsed ends the session; answer it if the protocol can (base:1.0 has no
 * malformed-message).
 */
static void give_up(struct netconf_session *session, const struct error *err)
{
	complain(session, err->text);
	count_bad(session);
	session->ending = session->greeted ? "other" : "bad-hello";
	if (session->greeted &&
	    (err->code != ERROR_MALFORMED || session->version == FRAMING_CHUNKED))
		reply_error(session, err);
	close_gently(session);
}

static void give_up_framing(struct netconf_session *session, bool too_big)
{
	struct error err = ERROR_INIT;

	if (too_big) {
		error_set(&err, ERROR_TOO_BIG,
			  "a request may have at most %zu bytes; send it in parts",
			  session->framing.limit);
		give_up(session, &err);
		return;
	}
	complain(session, session->framing.reason);
	count_bad(session);
	session->ending = session->greeted ? "other" : "bad-hello";
	session->dead = true;
}

void session_resume(struct netconf_session *session)
{
	shares_add(&session->server->shares, session);
}

/* It may have notifications to send: look when there is time. */
static void notify_later(struct netconf_session *session)
{
	shares_add_notifications(&session->server->shares, session);
}

static void set_timer(struct netconf_session *session, unsigned int seconds)
{
	const struct timeval delay = {.tv_sec = (time_t)seconds};

	if (seconds != NETCONF_NEVER)
		evtimer_add(session->timer, &delay);
	else
		evtimer_del(session->timer);
}

/* The client asks for nothing now: limit how long it may do so. */
static void set_rest_timer(struct netconf_session *session)
{
	const struct netconf_limits *limits = &session->server->options.limits;

	if (session->refusal)
		set_timer(session, REFUSAL_TIMEOUT);
	else if (session->subscription)
		set_timer(session, NETCONF_NEVER);
	else
		set_timer(session,
			  holds_lock(session) ? limits->lock_timeout : limits->idle_timeout);
}

static void rest(struct netconf_session *session)
{
	session->rested = clock_now();
	set_rest_timer(session);
}

static bool has_capability(const struct node *element, const char *uri)
{
	size_t start = strspn(element->text, " \t\r\n");
	size_t length = strcspn(element->text + start, " \t\r\n");

	return length == strlen(uri) && !memcmp(element->text + start, uri, length);
}

static void take_hello(struct netconf_session *session)
{
	const struct node *hello = session->message->tree.root;
	const struct node *list = node_child(hello, "capabilities", NAMESPACE_BASE);
	bool old = false, new = false;
	char lines[LINES_CAPABILITY_MAX];

	lines_capability(lines);
	for (const struct node *at = list ? list->first : NULL; at; at = at->next) {
		old |= has_capability(at, CAPABILITY_1_0);
		new |= has_capability(at, CAPABILITY_1_1);
		if (has_capability(at, CAPABILITY_SHELL))
			session->door = "cli";
		session->lines |= has_capability(at, lines);
	}
	if (node_child(hello, "session-id", NAMESPACE_BASE) || !(old || new)) {
		count_bad(session);
		complain(session,
			 "its hello has no base capability that we have, or has a session-id");
		session->ending = "bad-hello";
		session->dead = true;
		return;
	}
	session->greeted = true;
	session->version = new ? FRAMING_CHUNKED : FRAMING_END_OF_MESSAGE;
	framing_switch(&session->framing, session->version);
	events_session_start(session);
	rest(session);
}

static void answer(struct netconf_session *session, int rc, const struct error *err)
{
	if (rc < 0)
		reply_error(session, err);
	else
		reply_ok(session);
	session_done(session);
}

static int run(struct netconf_session *session, struct error *err)
{
	struct message *message = session->message;
	const struct node *operation = message_operation(message);
	bool identified = node_attribute(message->tree.root, "message-id", "");

	session->counters.in_rpcs += identified;
	session->counters.in_bad_rpcs += !identified;
	*err = message->error;
	if (!err->code && !operation) {
		error_in_operation(
			err, error_set(err, ERROR_MISSING_ELEMENT, "an rpc has one operation"));
		snprintf(err->info, sizeof(err->info), "operation");
	}
	if (err->code)
		return -error_kind(err->code)->os_errno;
	return message->rpc->run(session, operation, err);
}

static void drop_message(struct netconf_session *session)
{
	message_close(session->message);
	session->message = NULL;
}

/*
 * Say why there is no place for it, in answer to its request or to none. Then give it a moment to
 * leave: ncclient loses a reply that the end of the session follows at once.
 */
static void refuse(struct netconf_session *session)
{
	struct error err = ERROR_INIT;

	refusal_explain(&session->server->options.limits, session->refusal, session->peer.user,
			&err);
	reply_error(session, &err);
	if (!session->told)
		set_timer(session, REFUSAL_TIMEOUT);
	session->told = true;
}

static void take_rpc(struct netconf_session *session)
{
	struct error err = ERROR_INIT;
	int rc;

	if (session->refusal &&
	    session->message->rpc !=
		    rpc_find(session->server->rpcs, "close-session", NAMESPACE_BASE)) {
		refuse(session);
		drop_message(session);
		return;
	}
	evtimer_del(session->timer);
	session->busy = true;
	session->began = clock_now();
	rc = run(session, &err);
	if (rc != RPC_LATER)
		answer(session, rc, &err);
}

static void end_message(struct netconf_session *session)
{
	struct error err = ERROR_INIT;

	/* Ignore an empty message: some clients send one after ]]>]]>. */
	if (!session->message || message_empty(session->message)) {
		drop_message(session);
		return;
	}
	if (message_finish(session->message, &err)) {
		give_up(session, &err);
	} else if (session->greeted) {
		take_rpc(session);
		return;
	} else {
		take_hello(session);
	}
	drop_message(session);
}

static void take_piece(struct netconf_session *session, const char *piece, size_t length)
{
	struct error err = ERROR_INIT;

	if (!session->message && blank_is(piece, length))
		return;
	if (!session->message) {
		access_refresh(session);
		session->message = message_open(session);
	}
	if (!session->message) {
		session->dead = true;
		return;
	}
	if (message_feed(session->message, piece, length, &err)) {
		give_up(session, &err);
		drop_message(session);
	}
}

/* Take input up to the end of a message; false when there is none left. */
static bool take_input(struct netconf_session *session, struct evbuffer *input)
{
	size_t extent = evbuffer_get_contiguous_space(input), left, length = 0;
	const char *data, *piece = NULL;
	enum framing_result result;

	if (!extent)
		return false;
	if (extent > INPUT_STEP)
		extent = INPUT_STEP;
	data = (const char *)evbuffer_pullup(input, (ev_ssize_t)extent);
	left = extent;
	do {
		result = framing_step(&session->framing, &data, &left, &piece, &length);
		if (result == FRAMING_DATA)
			take_piece(session, piece, length);
	} while (result == FRAMING_DATA && left && !session->closing && !session->dead);
	if (result == FRAMING_END)
		end_message(session);
	else if (result != FRAMING_MORE && result != FRAMING_DATA)
		give_up_framing(session, result == FRAMING_TOO_BIG);
	evbuffer_drain(input, extent - left);
	return true;
}

/* A client that does not read must not send either: replies to small requests would pile up. */
static bool reading(const struct netconf_session *session)
{
	return !session->busy && !session->finished && !session->closing && !session->dead &&
	       !session_output_full(session);
}

/* Has part of a request arrived? White space, which some clients send after one, is none. */
static bool amid_request(const struct netconf_session *session)
{
	return session->greeted && session->message && !message_empty(session->message);
}

bool session_at_rest(const struct netconf_session *session)
{
	return session->greeted && !session->refusal && !session->busy && !session->closing &&
	       !holds_lock(session) && !awaits_confirmation(session) && !amid_request(session) &&
	       !session->subscription;
}

static void read_on(struct netconf_session *session)
{
	struct evbuffer *input = bufferevent_get_input(session->transport);

	while (reading(session) && shares_has_time(&session->server->shares) &&
	       take_input(session, input))
		;
	if (session->dead || session->closing)
		return;
	if (session->finished) {
		close_gently(session);
	} else if (session->busy || session_output_full(session)) {
		bufferevent_disable(session->transport, EV_READ);
	} else if (evbuffer_get_length(input)) {
		session_resume(session);
	} else if (session->ended) {
		close_gently(session);
	} else {
		bufferevent_enable(session->transport, EV_READ);
		if (amid_request(session))
			set_timer(session, session->server->options.limits.input_timeout);
	}
}

/* Output. */

static void end_stream(struct netconf_session *session)
{
	if (session->stream.free)
		session->stream.free(session->stream.state);
	session->stream = (struct stream){0};
}

static void write_on(struct netconf_session *session)
{
	enum stream_step step;

	while (session->stream.step && !session->dead && !session_output_full(session)) {
		if (!shares_has_time(&session->server->shares)) {
			session_resume(session);
			return;
		}
		step = session->stream.step(session, session->stream.state);
		if (step == STREAM_GOES_ON)
			continue;
		if (step == STREAM_WAITS)
			return;
		end_stream(session);
		if (step == STREAM_LEAVES)
			return;
		if (step == STREAM_ENDS)
			reply_end(session);
		session_done(session);
	}
}

/* Between replies: send what its subscription has, as far as the client reads. */
static void notify_on(struct netconf_session *session)
{
	int left = NOTIFICATIONS_STEP;
	bool more = true;

	while (more && left-- && !session_output_full(session) &&
	       shares_has_time(&session->server->shares))
		more = subscription_step(session);
	if (more && !session_output_full(session)) /* else on_write() goes on */
		notify_later(session);
	if (!session->subscription && !session->busy)
		rest(session); /* it has come to its end */
}

void session_stream(struct netconf_session *session, const struct stream *stream)
{
	session->stream = *stream;
	session_resume(session);
}

static void tell_done(const struct netconf_session *session)
{
	const struct rpc *rpc = session->message ? session->message->rpc : NULL;

	server_log(session->server, LOG_DEBUG,
		   "NETCONF session %u of %s: answered %s after %lld us", session->id,
		   session->peer.user, rpc ? rpc->name : "an unknown operation",
		   (long long)((clock_now() - session->began) / 1000));
}

void session_done(struct netconf_session *session)
{
	tell_done(session);
	drop_message(session);
	session->busy = false;
	rest(session);
	session_resume(session);
}

static int to_transport(const char *bytes, size_t length, void *arg)
{
	struct netconf_session *session = arg;
	char head[FRAMING_HEAD_MAX];
	size_t count = framing_head(session->version, length, head);

	if (bufferevent_write(session->transport, head, count) ||
	    bufferevent_write(session->transport, bytes, length)) {
		session->dead = true;
		return -ENOMEM;
	}
	return 0;
}

/* Events. After any of them the session may be gone. */

void session_go_on(struct netconf_session *session, bool notify)
{
	bool replying = session->stream.step;

	if (replying && !session->dead)
		write_on(session);
	else if (notify && session_takes_notifications(session))
		notify_on(session);
	if (!replying && !session->busy && !session->closing)
		read_on(session);
	if (session->dead)
		session_close(session);
	else if (!notify && session_is_subscribed(session))
		notify_later(session); /* perhaps it could not while it was replying */
}

/* libevent reads 4 kB at a time: take what else there is, as far as there is room. */
static void read_more(struct bufferevent *transport)
{
	struct evbuffer *input = bufferevent_get_input(transport);
	size_t held = evbuffer_get_length(input);
	struct evbuffer_iovec room;
	ssize_t count;

	if (held >= INPUT_MAX)
		return;
	evbuffer_unfreeze(input, 0);
	if (evbuffer_reserve_space(input, (ev_ssize_t)(INPUT_MAX - held), &room, 1) == 1) {
		count = recv(bufferevent_getfd(transport), room.iov_base, INPUT_MAX - held,
			     MSG_DONTWAIT);
		room.iov_len = count > 0 ? (size_t)count : 0;
		evbuffer_commit_space(input, &room, 1);
	}
	evbuffer_freeze(input, 0);
}

static void on_read(struct bufferevent *transport, void *arg)
{
	read_more(transport);
	session_resume(arg);
}

static void on_write(struct bufferevent *transport, void *arg)
{
	struct netconf_session *session = arg;

	if (session->closing && !evbuffer_get_length(bufferevent_get_output(transport)))
		session_close(session);
	else if (session_is_subscribed(session) && !session->busy)
		notify_later(session);
	else
		session_resume(session);
}

static void on_event(struct bufferevent *transport, short what, void *arg)
{
	struct netconf_session *session = arg;

	(void)transport;
	if (what & BEV_EVENT_EOF) {
		/* A relay closes its half first; still carry out what it sent. */
		session->ended = true;
		session_resume(session);
	} else {
		if (what & BEV_EVENT_TIMEOUT) {
			complain(session, "it does not read what it was sent");
			session->ending = "timeout";
		}
		session_close(session);
	}
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct netconf_session *session = arg;

	(void)fd, (void)what;
	if (session->refusal && session->greeted && !session->told) {
		refuse(session);
		return;
	}
	if (session->refusal) {
		session_close(session);
		return;
	}
	if (awaits_confirmation(session) && !amid_request(session)) {
		set_rest_timer(session); /* the confirmed commit has a time of its own */
		return;
	}
	complain(session, !session->greeted       ? "no hello in time"
			  : amid_request(session) ? "the rest of its request does not arrive"
			  : holds_lock(session)   ? "it holds the lock and asks for nothing"
						  : "idle too long");
	session->ending = "timeout";
	session_close(session);
}

/* Life. */

static unsigned int new_id(struct netconf_server *server)
{
	const struct netconf_session *other;

	do {
		if (!++server->last_id)
			server->last_id = 1;
		TAILQ_FOREACH (other, &server->sessions, link)
			if (other->id == server->last_id)
				break;
	} while (other);
	return server->last_id;
}

/*
 * The kernel takes what sessions have to send outside their time (shares.h): in each turn so much
 * of all of them. A write costs a copy, and where clients are slow all have one to make.
 */
static void share_output(struct netconf_server *server)
{
	size_t count = server->count + server->refused, size = OUTPUT_TURN / (count ? count : 1);
	struct netconf_session *session;

	TAILQ_FOREACH (session, &server->sessions, link)
		if (session->transport)
			bufferevent_set_max_single_write(session->transport,
							 size < OUTPUT_WRITE ? size : OUTPUT_WRITE);
}

static bool open_transport(struct netconf_session *session, int fd)
{
	struct netconf_server *server = session->server;
	const struct timeval stall = {.tv_sec = (time_t)server->options.limits.stall_timeout};

	session->transport =
		bufferevent_socket_new(server->options.base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!session->transport) {
		close(fd);
		return false;
	}
	session->timer = evtimer_new(server->options.base, on_timer, session);
	bufferevent_setcb(session->transport, on_read, on_write, on_event, session);
	bufferevent_setwatermark(session->transport, EV_READ, 0, INPUT_MAX);
	bufferevent_setwatermark(session->transport, EV_WRITE, server->options.limits.output / 4,
				 0);
	bufferevent_set_timeouts(session->transport, NULL, &stall);
	share_output(server);
	return session->timer;
}

void session_open(struct netconf_server *server, int fd, const struct peer *peer,
		  enum refusal refusal)
{
	struct netconf_session *session = calloc(1, sizeof(*session));

	if (!session) {
		close(fd);
		return;
	}
	session->server = server;
	session->peer = *peer;
	session->refusal = refusal;
	session->id = new_id(server);
	session->door = "netconf";
	session->rested = clock_now();
	clock_gettime(CLOCK_REALTIME, &session->login);
	TAILQ_INSERT_TAIL(&server->sessions, session, link);
	++*(refusal ? &server->refused : &server->count);
	framing_init(&session->framing, server->options.limits.message_size);
	writer_init(&session->writer, to_transport, session);
	if (!open_transport(session, fd)) {
		session_close(session);
		return;
	}
	send_hello(session);
	set_timer(session, server->options.limits.hello_timeout);
	bufferevent_enable(session->transport, EV_READ | EV_WRITE);
	if (!refusal)
		server->opened++;
	server_log(server, LOG_DEBUG, "NETCONF session %u of %s (process %ld%s%s) begins",
		   session->id, peer->user, (long)peer->pid, peer->source[0] ? ", from " : "",
		   peer->source);
}

static void count_end(struct netconf_session *session)
{
	struct netconf_server *server = session->server;

	--*(session->refusal ? &server->refused : &server->count);
	server->counters.in_rpcs += session->counters.in_rpcs;
	server->counters.in_bad_rpcs += session->counters.in_bad_rpcs;
	server->counters.out_rpc_errors += session->counters.out_rpc_errors;
	server->counters.out_notifications += session->counters.out_notifications;
	server->dropped += !session->refusal && !session->finished;
	server_log(server, LOG_DEBUG, "NETCONF session %u of %s ends after %u requests",
		   session->id, session->peer.user, session->counters.in_rpcs);
}

void session_close(struct netconf_session *session)
{
	struct netconf_server *server = session->server;

	if (session->ticket)
		engine_forget(server->options.engine, session->ticket);
	engine_end_session(server->options.engine, session->id);
	events_session_end(session);
	end_stream(session);
	subscription_close(session);
	drop_message(session);
	if (session->timer)
		event_free(session->timer);
	if (session->presence)
		event_free(session->presence);
	if (session->transport)
		bufferevent_free(session->transport);
	access_close(session);
	shares_remove(session);
	TAILQ_REMOVE(&server->sessions, session, link);
	count_end(session);
	share_output(server);
	wipe_free(session, sizeof(*session)); /* its output too */
}
