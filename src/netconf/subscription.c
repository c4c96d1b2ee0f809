#include "netconf/subscription.h"

#include <errno.h>

#include "base/clock.h"
#include "netconf/event_access.h"
#include "netconf/event_filter.h"
#include "netconf/events.h"
#include "netconf/reply.h"

#define ENTRIES_STEP 32              /* looked at in one step */
#define DELAY_NS     (NS_PER_S / 10) /* until what happened before `stop` is in the log */
#define SLACK_NS     (60 * NS_PER_S) /* a change may have waited so long to be told */
#define WAIT_MAX     INT64_C(86400)  /* seconds: the clock may be set meanwhile */

static void wait_for_stop(struct subscription *subscription)
{
	int64_t left = subscription->stop + DELAY_NS - clock_read(CLOCK_REALTIME);
	struct timeval delay = {.tv_sec = WAIT_MAX};

	left = left > 0 ? left : 0;
	if (left / NS_PER_S < WAIT_MAX)
		delay = (struct timeval){left / NS_PER_S, left % NS_PER_S / 1000 + 1};
	evtimer_add(subscription->timer, &delay);
}

static void on_stop(evutil_socket_t fd, short what, void *arg)
{
	struct netconf_session *session = arg;

	(void)fd, (void)what;
	wait_for_stop(session->subscription);
	shares_add(&session->server->shares, session);
}

/* ---- sending */

static struct writer *begin(struct netconf_session *session)
{
	write_text(&session->writer, "<notification xmlns=\"" NAMESPACE_NOTIFICATION "\">");
	return &session->writer;
}

static void end(struct netconf_session *session)
{
	write_text(&session->writer, "</notification>");
	reply_finish(session);
	session->counters.out_notifications++;
}

static void offer(struct netconf_session *session, const struct event_record *record)
{
	const struct subscription *subscription = session->subscription;

	if (record->time > subscription->stop)
		return;
	record = event_access(session, record);
	if (!record || (subscription->filter && !event_filter_passes(subscription->filter, record)))
		return;
	write_bytes(begin(session), record->text, record->length);
	end(session);
}

/* These are for this subscription alone, and no filter holds them back. */

static void send_complete(struct netconf_session *session, const char *name)
{
	notification_write_complete(begin(session), clock_read(CLOCK_REALTIME), name);
	end(session);
}

static void send_missed(struct netconf_session *session, uint64_t count)
{
	notification_write_missed(begin(session), clock_read(CLOCK_REALTIME), count,
				  session->subscription->seen);
	end(session);
}

/* ---- steps */

static void skip_missed(struct netconf_session *session, uint64_t first)
{
	struct subscription *subscription = session->subscription;

	send_missed(session, first - subscription->next);
	subscription->next = first;
	if (subscription->since == SUBSCRIPTION_NEVER)
		subscription->since = subscription->seen - SLACK_NS;
	subscription->object = OBJECT_TUNNEL;
	subscription->key = (struct key){0, 0};
}

static void take_next(struct netconf_session *session, const struct event_log *log)
{
	struct subscription *subscription = session->subscription;
	const struct event_record *record = event_log_at(log, subscription->next++);

	if (subscription->replays && record->time < subscription->start)
		return;
	subscription->seen = record->time;
	offer(session, record);
}

/* Tunnels first, then sessions. */
static const struct entry *next_entry(const struct datastore *store,
				      const struct subscription *subscription)
{
	const struct tunnel_entry *tunnel;

	if (subscription->object == OBJECT_SESSION)
		return datastore_entry_from(store, subscription->key.tunnel_id,
					    subscription->key.session_id);
	tunnel = datastore_tunnel_from(store, subscription->key.tunnel_id);
	return tunnel ? &tunnel->entry : NULL;
}

static void catch_up(struct netconf_session *session)
{
	struct subscription *subscription = session->subscription;
	const struct datastore *store = engine_store(session->server->options.engine);

	for (int i = 0; i < ENTRIES_STEP; i++) {
		const struct entry *entry = next_entry(store, subscription);
		const struct event_record *record;

		if (!entry && subscription->object == OBJECT_TUNNEL) {
			subscription->object = OBJECT_SESSION;
			subscription->key = (struct key){0, 0};
			return;
		}
		if (!entry) {
			subscription->since = SUBSCRIPTION_NEVER;
			return;
		}
		subscription->key = entry->key;
		if (subscription->object == OBJECT_TUNNEL)
			subscription->key.tunnel_id++;
		else
			subscription->key.session_id++;
		if (entry_object(entry) != subscription->object ||
		    !entry_state(entry)->oper_status ||
		    entry_state(entry)->last_change.wall < subscription->since)
			continue;
		record = events_state(session->server->events, entry);
		if (record) {
			offer(session, record);
			return;
		}
	}
}

static bool is_over(const struct subscription *subscription)
{
	return subscription->stop != SUBSCRIPTION_NEVER &&
	       clock_read(CLOCK_REALTIME) >= subscription->stop + DELAY_NS;
}

bool subscription_step(struct netconf_session *session)
{
	struct subscription *subscription = session->subscription;
	const struct event_log *log = events_log(session->server->events);

	if (!subscription)
		return false;
	if (subscription->next < event_log_first(log)) {
		skip_missed(session, event_log_first(log));
	} else if (subscription->replays && subscription->next >= subscription->live) {
		subscription->replays = false;
		send_complete(session, "replayComplete");
	} else if (subscription->next < event_log_next(log)) {
		take_next(session, log);
	} else if (subscription->since != SUBSCRIPTION_NEVER) {
		catch_up(session);
	} else if (is_over(subscription)) {
		send_complete(session, "notificationComplete");
		subscription_close(session);
	} else {
		return false;
	}
	return true;
}

/* ---- life */

int subscription_open(struct netconf_session *session, const struct subscription_options *options,
		      struct error *err)
{
	const struct event_log *log = events_log(session->server->events);
	struct subscription *subscription = calloc(1, sizeof(*subscription));
	int rc = 0;

	session->subscription = subscription;
	if (!subscription)
		return error_set(err, ERROR_RESOURCE, "out of memory; try again later");
	subscription->live = event_log_next(log);
	subscription->next = options->replay ? event_log_first(log) : subscription->live;
	subscription->replays = options->replay;
	subscription->start = options->start;
	subscription->stop = options->stop;
	subscription->seen = options->replay ? options->start : clock_read(CLOCK_REALTIME);
	subscription->since = SUBSCRIPTION_NEVER;
	subscription->timer = evtimer_new(session->server->options.base, on_stop, session);
	if (!subscription->timer)
		rc = error_set(err, ERROR_RESOURCE, "out of memory; try again later");
	if (!rc && options->filter)
		rc = event_filter_open(&subscription->filter, session->server, options->filter,
				       err);
	if (rc) {
		subscription_close(session);
		return rc;
	}
	if (options->stop != SUBSCRIPTION_NEVER)
		wait_for_stop(subscription);
	return 0;
}

void subscription_close(struct netconf_session *session)
{
	struct subscription *subscription = session->subscription;

	if (!subscription)
		return;
	if (subscription->timer)
		event_free(subscription->timer);
	event_filter_close(subscription->filter);
	free(subscription);
	session->subscription = NULL;
}
