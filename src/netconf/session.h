/*
 * What the server's files share: a session, its message and its reply.
 *
 *   server.c   the socket, accepting
 *   peer.c     who is at the other end
 *   places.c   who gets a session; refusal.c says why somebody gets none
 *   shares.c   each session's part of a turn of the loop
 *   session.c  a session's life: input, framing, the order of requests, output
 *   message.c  a request while it is read: its envelope becomes a tree, its <config> an edit
 *   reply.c    rpc-reply and rpc-error
 *   access.c   what the user may do
 *   rpc.c      finds an operation and checks its parameters; rpc_table.c lists them all,
 *              rpc_*.c carry them out
 *   xpath.c    XPath without evaluating it; search.c evaluates, in a process of its own
 *   subscription.c  notifications, as the client reads; events.c makes them, event_filter.c says
 *              which are wanted
 *   provider.c read-only data beside ours, one file per module: monitoring.c, streams.c,
 *              yang_library.c
 *   modules.c  the YANG modules, of which capabilities.c makes the hello, and their texts
 */
#ifndef NETCONF_SESSION_H
#define NETCONF_SESSION_H

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "netconf/access.h"
#include "netconf/acm_tree.h"
#include "netconf/framing.h"
#include "netconf/message.h"
#include "netconf/modules.h"
#include "netconf/peer.h"
#include "netconf/refusal.h"
#include "netconf/server.h"
#include "netconf/shares.h"
#include "netconf/writer.h"

enum stream_step {
	STREAM_GOES_ON,
	STREAM_WAITS,    /* for an event, upon which session_resume() is called */
	STREAM_ENDS,     /* everything is written but the end of the reply */
	STREAM_ANSWERED, /* the whole reply is written */
	STREAM_LEAVES    /* nothing is: what it has called answers (rpc_await()) */
};

/* A reply made bit by bit while the client reads. */
struct stream {
	/* Work or write a little, in well under a millisecond. */
	enum stream_step (*step)(struct netconf_session *session, void *state);
	void (*free)(void *state);
	void *state;
};

/* Counted as in RFC 6022 section 2.1.5. */
struct netconf_counters {
	uint32_t in_rpcs, in_bad_rpcs, out_rpc_errors, out_notifications;
};

struct events;
struct search;
struct subscription;

struct netconf_session {
	struct netconf_server *server;
	TAILQ_ENTRY(netconf_session) link;
	TAILQ_ENTRY(netconf_session) waiting; /* in the queue for its share (shares.h) ... */
	struct shares_queue *queue;           /* ... NULL: in none */
	unsigned int id;                      /* not 0 */
	struct peer peer;
	const struct policy *policy; /* access.h; NULL: it may do everything */
	const struct acm *acm;       /* of which the policy was made; NULL: of none yet */
	char **groups;               /* names, ends with NULL; NULL: not looked up */
	enum refusal refusal;        /* why it has no place: refuse its first request ... */
	bool told;                   /* ... and it was refused */
	struct timespec login;       /* CLOCK_REALTIME */
	int64_t rested;              /* clock_now() when it last came to rest */
	int64_t began;               /* clock_now() when the request under way began */
	struct netconf_counters counters;
	bool lines;             /* it is our own shell: send entries in lines (lines.h) */
	const char *door;       /* for the history: "netconf", or "cli" if the hello says so */
	bool greeted;           /* the client's hello has come */
	bool announced;         /* subscribers were told that it began */
	bool busy;              /* carrying out or answering a request: read no further */
	bool ended;             /* the client will send no more */
	bool finished;          /* close-session or killed: ignore what it sends */
	bool closing;           /* close once the output has gone out */
	bool dead;              /* close at the next opportunity */
	const char *ending;     /* why it ends, by RFC 6470's termination-reason; NULL: dropped */
	unsigned int killer;    /* the session that killed it; 0: none */
	unsigned int ticket;    /* of its request to the engine; 0: none */
	struct event *presence; /* checks whether the client still waits for it */
	struct bufferevent *transport;
	struct event *timer; /* for the hello; then while idle, or amid a request */
	struct framing framing;
	enum framing_version version; /* of our output */
	struct message *message;      /* being read or carried out, or NULL */
	struct stream stream;
	struct subscription *subscription; /* to notifications; NULL: none */
	struct writer writer;
};

TAILQ_HEAD(session_list, netconf_session);

struct netconf_server {
	struct netconf_options options; /* limits filled in */
	const struct rpc *rpcs;         /* the table of operations (rpc_table.h) */
	struct modules modules;
	struct session_list sessions;
	unsigned int count;   /* sessions with a place ... */
	unsigned int refused; /* ... and without, waiting to be told why */
	unsigned int last_id;
	TAILQ_HEAD(, search) searches; /* by XPath, whose processes live (search.h) */
	struct shares shares;
	struct acm_denied denied;
	struct events *events;             /* what subscribers are told ... */
	LIST_HEAD(, event_filter) filters; /* ... and XPaths that say what they want of it */
	struct timespec started;           /* CLOCK_REALTIME */
	struct netconf_counters counters;  /* of the sessions that have ended */
	uint32_t opened, dropped, bad_hellos;
	size_t memory; /* that counts, of all sessions' requests (message.h) */
	int fd;
	int spare;       /* a descriptor to refuse clients with when there is no other; -1: none */
	bool complained; /* logged that accepting fails, since it last succeeded */
	char path[108];
	bool bound;
	struct event *acceptor;
	struct event *retry; /* accepting again after descriptors ran out */
};

/* Takes over @fd, and closes it when there is no memory. */
void session_open(struct netconf_server *server, int fd, const struct peer *peer,
		  enum refusal refusal);
/* End it now, whatever output is left: forget its request, release what it holds. */
void session_close(struct netconf_session *session);

/* It has something to do: go on with it when its turn comes. */
void session_resume(struct netconf_session *session);
/* Work until its share of the time is used up (shares.h). */
void session_go_on(struct netconf_session *session, bool notify);
/* The reply is written: go on with the next request. */
void session_done(struct netconf_session *session);
/* Answer with @stream; takes over its state. */
void session_stream(struct netconf_session *session, const struct stream *stream);

/* Does it ask for nothing, amid nothing, and hold nothing that others wait for? */
bool session_at_rest(const struct netconf_session *session);

/* Does the client not read what it was sent? */
static inline bool session_output_full(const struct netconf_session *session)
{
	return evbuffer_get_length(bufferevent_get_output(session->transport)) >=
	       session->server->options.limits.output;
}

static inline bool session_is_subscribed(const struct netconf_session *session)
{
	return session->subscription && !session->finished && !session->closing && !session->dead;
}

/* Is it subscribed, and free to be told something now? */
static inline bool session_takes_notifications(const struct netconf_session *session)
{
	return session_is_subscribed(session) && !session->stream.step &&
	       !session_output_full(session);
}

/* server_log.c */
void server_log(const struct netconf_server *server, int priority, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
