/*
 * The notifications, as XML: what comes between <notification> and </notification>, that is
 * eventTime and the content (RFC 5277 section 2.2.1). All of them are here. Ours are those of
 * linux-l2tpv3; those of a NETCONF server are RFC 6470's.
 */
#ifndef NETCONF_NOTIFICATION_H
#define NETCONF_NOTIFICATION_H

#include "engine/engine.h"
#include "netconf/peer.h"
#include "netconf/writer.h"

#define NOTIFICATION_TIME 40

/* CLOCK_REALTIME in nanoseconds as date-and-time in UTC. */
void notification_print_time(int64_t time, char ret[NOTIFICATION_TIME]);
/* False: @text is no date-and-time (RFC 6991), or one that 64 bits do not hold. */
bool notification_parse_time(const char *text, int64_t *ret);

/* What happened to a tunnel or session, to be told. */
enum happening { HAPPENING_STATE, HAPPENING_FOREIGN, HAPPENING_DRIFT };

struct object_event {
	enum happening what;
	struct key key;
	int64_t time; /* CLOCK_REALTIME */
	/* HAPPENING_STATE */
	enum oper_status old_status; /* as it was told last; 0: the object is new, or not known */
	enum oper_status oper_status;
	enum status_reason reason;
	/* HAPPENING_DRIFT */
	enum engine_drift drift;
	const struct row *row;
	bool restores; /* the daemon restores what differs */
};
/* @store: for names and texts, which it has not when the object is gone. */
void notification_write_object(struct writer *writer, const struct object_event *event,
			       const struct datastore *store);

/* Who did it. */
struct actor {
	const char *user;   /* NULL: the server itself */
	unsigned int id;    /* of the NETCONF session; 0: none */
	const char *source; /* where the user is; "": not known */
};

/* RFC 6470. */
void notification_write_commit(struct writer *writer, int64_t time,
			       const struct engine_event *event, const struct actor *actor);
void notification_write_confirm(struct writer *writer, int64_t time,
				const struct engine_event *event, const struct actor *actor);
void notification_write_start(struct writer *writer, int64_t time, const struct actor *actor);
/* @reason: a word of termination-reason; @killer: the session that killed it; 0: none did. */
void notification_write_end(struct writer *writer, int64_t time, const struct actor *actor,
			    const char *reason, unsigned int killer);

/* To one subscriber: replayComplete or notificationComplete; what it has missed since @since. */
void notification_write_complete(struct writer *writer, int64_t time, const char *name);
void notification_write_missed(struct writer *writer, int64_t time, uint64_t count, int64_t since);

#endif
