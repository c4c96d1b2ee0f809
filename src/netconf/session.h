/*
 * What the files of the server share: a session, its message and its reply.
 *
 *   server.c   the socket, accepting
 *   peer.c     who is at the other end
 *   places.c   who gets a session, refusal.c how who gets none is told
 *   shares.c   what each session has of a turn of the loop
 *   session.c  a session's life: input, framing, order of requests, output
 *   message.c  a request as it is read: envelope to a tree, <config> to an edit
 *   reply.c    rpc-reply and rpc-error
 *   rpc.c      the table of operations; rpc_*.c what they do
 *   provider.c read-only data beside ours, one file a module: monitoring.c
 */
#ifndef NETCONF_SESSION_H
#define NETCONF_SESSION_H

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "netconf/framing.h"
#include "netconf/message.h"
#include "netconf/peer.h"
#include "netconf/refusal.h"
#include "netconf/server.h"
#include "netconf/shares.h"
#include "netconf/writer.h"

enum stream_step {
	STREAM_GOES_ON,
	STREAM_ENDS,    /* all is written but the end of the reply */
	STREAM_ANSWERED /* the reply is written, to its end */
};

/* A reply that is made bit by bit while the client reads. */
struct stream {
	/* Works or writes a little, in well under a millisecond. */
	enum stream_step (*step)(struct netconf_session *session, void *state);
	void (*free)(void *state);
	void *state;
};

/* As RFC 6022 section 2.1.5 counts. */
struct netconf_counters {
	uint32_t in_rpcs, in_bad_rpcs, out_rpc_errors;
};

struct netconf_session {
	struct netconf_server *server;
	TAILQ_ENTRY(netconf_session) link;
	TAILQ_ENTRY(netconf_session) waiting; /* for its share, while it waits */
	bool waits;
	unsigned int id; /* not 0 */
	struct peer peer;
	enum refusal refusal;  /* it got no place: its first request is refused */
	bool told;             /* ... and was */
	struct timespec login; /* CLOCK_REALTIME */
	int64_t rested;        /* clock_now() when it last came to rest */
	int64_t began;         /* clock_now() when the request under way did */
	struct netconf_counters counters;
	bool lines;          /* our own shell: entries go in lines (lines.h) */
	const char *door;    /* for the history: "netconf", or "cli" as the hello said */
	bool greeted;        /* the client's hello was taken */
	bool busy;           /* a request is carried out or replied to: read no further */
	bool ended;          /* the client will send no more */
	bool finished;       /* asked for close-session, or was killed: what it sends is ignored */
	bool closing;        /* close when the output is out */
	bool dead;           /* free at the next occasion */
	unsigned int ticket; /* of the engine, 0 none */
	struct event *presence; /* looks whether the client still waits for it */
	struct bufferevent *transport;
	struct event *timer; /* hello; then idle, or amid a request */
	struct framing framing;
	enum framing_version version; /* of what we send */
	struct message *message;      /* read or carried out, or NULL */
	struct stream stream;
	struct writer writer;
};

TAILQ_HEAD(session_list, netconf_session);

struct netconf_server {
	struct netconf_options options; /* limits filled in */
	struct session_list sessions;
	unsigned int count;   /* that have a place ... */
	unsigned int refused; /* ... and that have none, and wait to be told why */
	unsigned int last_id;
	struct shares shares;
	struct timespec started;          /* CLOCK_REALTIME */
	struct netconf_counters counters; /* of sessions that ended */
	uint32_t opened, dropped, bad_hellos;
	size_t memory; /* of all sessions' requests, what counts of it (message.h) */
	int fd;
	int spare; /* a descriptor to accept and refuse with when there is no other; -1 none */
	bool complained; /* that accepting fails, since it last succeeded */
	char path[108];
	bool bound;
	struct event *acceptor;
	struct event *retry; /* accepting again after descriptors ran out */
};

/* Takes @fd over, which is closed when there is no memory. */
void session_open(struct netconf_server *server, int fd, const struct peer *peer,
		  enum refusal refusal);
/* Ends it now, output or not: forgets its request, releases what it held. */
void session_close(struct netconf_session *session);

/* It has something to do: go on with it as its turn comes. */
void session_resume(struct netconf_session *session);
/* Work until its share of the time is up (shares.h). */
void session_go_on(struct netconf_session *session);
/* The request is answered: the reply was written, go on with the next. */
void session_done(struct netconf_session *session);
/* Answer with @stream; takes its state over. */
void session_stream(struct netconf_session *session, const struct stream *stream);

/* It asks for nothing, is not in the middle of anything, and holds nothing others wait for. */
bool session_at_rest(const struct netconf_session *session);

/* May this user read and write secret leaves? The superuser and the daemon's own user may. */
static inline bool netconf_may_see_secrets(const struct netconf_session *session)
{
	return peer_privileged(session->peer.uid);
}

/* server_log.c */
void server_log(const struct netconf_server *server, int priority, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
