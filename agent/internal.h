/*
 * What the files that need net-snmp's agent share.
 *
 *   agent.c      sets net-snmp up, connects and registers; nobody calls it
 *   handler.c    requests of the master: Get, GetNext, GetBulk
 *   set.c        ... and the phases of SET
 *   notify.c     sends notifications to the master
 *   loop.c       net-snmp in the event loop
 *   transport.c  the stream to the master, between net-snmp and these: opening.c reaches it,
 *                pdu.c cuts it into PDUs and knows their octets, outgoing.c queues
 *   answer.c     answers Get, GetNext and GetBulk from what mib.c reads
 *   log.c        tells the operator; a leaf
 *
 * The others know nothing of AgentX: mib.c (with columns.c, standard.c, subject.c, mapping.c,
 * value.c, scalars.c, pending.c) reads, varbinds.c (with check.c, draft.c, take.c, rowstatus.c)
 * makes edits, notice.c keeps what is to be told.
 */
#ifndef AGENT_INTERNAL_H
#define AGENT_INTERNAL_H

#include <sys/queue.h>

#include "agent.h"
#include "answer.h"
#include "arrival.h"
#include "loop.h"
#include "notice.h"
#include "transport.h"
#include "mib.h"

struct set;
TAILQ_HEAD(set_list, set);

struct agent {
	struct agent_options options;
	char *address; /* as given */
	struct mib mib;
	struct answer answer; /* the one under way */
	struct loop *loop;
	struct transport *transport;
	struct arrival *arrival; /* of a master; NULL: nothing tells of it */
	unsigned int rest;       /* seconds between attempts to connect, while there is none */
	struct event *retry;     /* registers, then does what comes after */
	struct event *tidy;      /* forgets what is old, now and then */
	struct event *pace;      /* of notifications ... */
	int64_t pace_at;         /* ... when it is due */
	struct notices notices;
	int64_t followed_at; /* sysUpTime was; 0: not since we are connected */
	bool connected;
	bool registered;      /* our own region is */
	bool asked;           /* we sent Register and have no answer yet */
	int unreachable;      /* the errno last logged; 0: no answer; -1: nothing logged */
	int register_delay;   /* seconds */
	unsigned int refused; /* the res.error last logged; 0: none */
	size_t region, table; /* to be registered next: its root (table 0), or table - 1 of it */
	struct set_list sets; /* set.c */
	bool warned_retries, warned_malformed, warned_same_id;
};

/* log.c */
void agent_log(struct agent *agent, int priority, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* handler.c */
int handler_register(struct agent *agent); /* 0 or -ENOMEM */
size_t handler_asked(const uint8_t *request, size_t size, uint8_t *ret, bool again, int64_t now,
		     int64_t until, void *agent); /* transport.h */

/* set.c */
int set_handle(struct agent *agent, netsnmp_mib_handler *handler,
	       netsnmp_handler_registration *reginfo, netsnmp_agent_request_info *reqinfo,
	       netsnmp_request_info *requests);
void set_commit_event(const struct engine_event *event, void *arg);
bool set_answering(void *agent); /* does the engine still owe a set request its answer? */
void set_repeated(void *agent);  /* an impatient master sent it again */
void set_oversized(enum transport_size what, uint64_t size, unsigned int max, void *agent);
void set_disconnected(struct agent *agent);
void set_tidy(struct agent *agent, int64_t now); /* end those that the master forgot */
void set_close(struct agent *agent);

/* notify.c */
void notify_event(const struct engine_event *event, void *arg);
/* Call once, after notify_event() watches: tells what was missed, and knows what pwDown told of. */
void notify_begin(struct agent *agent);
void notify_connected(struct agent *agent); /* connected and registered */
void notify_some(struct agent *agent);      /* send what is due */

#endif
