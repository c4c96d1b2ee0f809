/*
 * What the files that need net-snmp's agent share.
 *
 *   agent.c      setting net-snmp up; connection and registration. It calls the others, none calls
 * it. handler.c    requests of the master: GET, GETNEXT set.c        ... and the phases of SET
 *   notify.c     notifications to the master
 *   loop.c       net-snmp in the event loop
 *   transport.c  the stream to the master
 *
 * The others know nothing of AgentX: view.c (with columns.c, subject.c,
 * value.c, scalars.c, pending.c) reads, transaction.c (with draft.c, take.c,
 * rowstatus.c) makes edits, notice.c keeps what is to be told.
 */
#ifndef AGENT_INTERNAL_H
#define AGENT_INTERNAL_H

#include <sys/queue.h>

#include "agent.h"
#include "loop.h"
#include "notice.h"
#include "transport.h"
#include "view.h"

struct set;
TAILQ_HEAD(set_list, set);

struct agent {
	struct agent_options options;
	char *address; /* as given */
	struct view view;
	struct loop *loop;
	struct transport *transport;
	struct event *retry; /* of the registration, and what comes after it */
	struct event *tidy;  /* once a while */
	struct event *pace;  /* of notifications */
	struct notices notices;
	uint64_t dropped; /* notices that were, as far as logged */
	bool connected, registered;
	bool asked;              /* to register, and not answered yet */
	int unreachable;         /* errno that was logged last, 0: no answer, -1: nothing */
	int register_delay;      /* seconds */
	unsigned int next_table; /* to register by itself, once the root is */
	unsigned int refused;    /* res.error that was logged last, 0 none */
	struct set_list sets;    /* set.c */
	bool warned_retries, warned_malformed;
};

/* log.c */
void agent_log(struct agent *agent, int priority, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* handler.c; 0 or -ENOMEM */
int handler_register(struct agent *agent);

/* set.c */
int set_handle(struct agent *agent, netsnmp_mib_handler *handler,
	       netsnmp_handler_registration *reginfo, netsnmp_agent_request_info *reqinfo,
	       netsnmp_request_info *requests);
void set_commit_event(const struct engine_event *event, void *arg);
bool set_answering(void *agent); /* will a request still be answered, when the engine is done? */
void set_repeated(void *agent);  /* by a master that has lost patience */
void set_oversized(enum transport_size what, uint64_t size, unsigned int max, void *agent);
void set_disconnected(struct agent *agent);
void set_tidy(struct agent *agent, int64_t now); /* end what the master forgot */
void set_close(struct agent *agent);

/* notify.c */
void notify_event(const struct engine_event *event, void *arg);
void notify_connected(struct agent *agent); /* and registered */
void notify_some(struct agent *agent);      /* those that are due */

#endif
