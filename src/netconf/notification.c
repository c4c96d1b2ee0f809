#include "netconf/notification.h"

#include <time.h>

#include "netconf/config_change.h"
#include "netconf/encode.h"

#define TEXT_LEAF "status-text"

/* ---- times */

void notification_print_time(int64_t time, char ret[NOTIFICATION_TIME])
{
	memcpy(ret + codec_print_time(time, 6, ret), "Z", 2);
}

/* Exactly @count digits; advances @at. -1: there are others. */
static int digits(const char **at, int count)
{
	int value = 0;

	for (; count; count--, ++*at) {
		if (**at < '0' || **at > '9')
			return -1;
		value = 10 * value + **at - '0';
	}
	return value;
}

/* ".5": nanoseconds; finer ones do not count. */
static bool parse_fraction(const char **at, int64_t *ret)
{
	int64_t unit = NS_PER_S / 10;

	*ret = 0;
	if (**at != '.')
		return true;
	for (++*at; **at >= '0' && **at <= '9'; ++*at, unit /= 10)
		*ret += unit * (**at - '0');
	return (*at)[-1] != '.';
}

/* "Z" or "+01:30": seconds east. */
static bool parse_offset(const char **at, int64_t *ret)
{
	int hours, minutes, sign = **at == '-' ? -1 : 1;

	*ret = 0;
	if (**at == 'Z') {
		++*at;
		return true;
	}
	if (**at != '+' && **at != '-')
		return false;
	++*at;
	hours = digits(at, 2);
	if (hours < 0 || *(*at)++ != ':')
		return false;
	minutes = digits(at, 2);
	*ret = sign * (hours * 3600 + minutes * 60);
	return minutes >= 0 && minutes < 60 && hours < 24;
}

bool notification_parse_time(const char *text, int64_t *ret)
{
	static const char separators[] = "--T::";
	int parts[6];
	int64_t fraction, offset, seconds;
	struct tm tm, same;

	for (int i = 0; i < 6; i++) {
		parts[i] = digits(&text, i ? 2 : 4);
		if (parts[i] < 0 || (i < 5 && *text++ != separators[i]))
			return false;
	}
	if (!parse_fraction(&text, &fraction) || !parse_offset(&text, &offset) || *text)
		return false;
	tm = (struct tm){.tm_year = parts[0] - 1900,
			 .tm_mon = parts[1] - 1,
			 .tm_mday = parts[2],
			 .tm_hour = parts[3],
			 .tm_min = parts[4],
			 .tm_sec = parts[5]};
	same = tm;
	seconds = timegm(&same);
	/* timegm() turns the 30th of February into the 2nd of March */
	if (same.tm_mon != tm.tm_mon || same.tm_mday != tm.tm_mday || same.tm_hour != tm.tm_hour ||
	    same.tm_min != tm.tm_min || parts[5] > 60)
		return false;
	seconds -= offset;
	if (seconds < INT64_MIN / NS_PER_S + 1 || seconds > INT64_MAX / NS_PER_S - 1)
		return false;
	*ret = seconds * NS_PER_S + fraction;
	return true;
}

/* ---- pieces */

static void text_leaf(struct writer *writer, const char *name, const char *text)
{
	write_tag(writer, "<", name);
	write_escaped(writer, text, strlen(text));
	write_tag(writer, "</", name);
}

static void number_leaf(struct writer *writer, const char *name, uint64_t number)
{
	write_tag(writer, "<", name);
	write_number(writer, number);
	write_tag(writer, "</", name);
}

static void word_leaf(struct writer *writer, const char *name, const struct word *words,
		      unsigned int value)
{
	const struct word *word = word_by_value(words, value);

	if (word)
		text_leaf(writer, name, word->name);
}

static void event_time(struct writer *writer, int64_t time)
{
	char text[NOTIFICATION_TIME];

	notification_print_time(time, text);
	text_leaf(writer, "eventTime", text);
}

static void begin(struct writer *writer, int64_t time, const char *name, const char *uri)
{
	event_time(writer, time);
	write_text(writer, "<");
	write_text(writer, name);
	write_text(writer, " xmlns=\"");
	write_text(writer, uri);
	write_text(writer, "\">");
}

/* ---- tunnels and sessions */

static const struct row *text_row(enum object object)
{
	static const struct row *found[OBJECTS];

	if (!found[object])
		found[object] = row_by_leaf(object, TEXT_LEAF, strlen(TEXT_LEAF));
	return found[object];
}

static void write_state(struct writer *writer, const struct object_event *event,
			const struct datastore *store)
{
	const struct entry *entry =
		datastore_entry(store, event->key.tunnel_id, event->key.session_id);
	const struct session_entry *session = entry ? entry_session(entry) : NULL;
	const struct state *state = entry ? entry_state(entry) : NULL;

	if (session && session_name(session)[0])
		text_leaf(writer, "interface-name", session_name(session));
	word_leaf(writer, "old-status", oper_status_words, event->old_status);
	word_leaf(writer, "oper-status", oper_status_words, event->oper_status);
	word_leaf(writer, "status-reason", status_reason_words, event->reason);
	if (state && state->oper_status == event->oper_status &&
	    state->status_reason == event->reason) {
		const struct view view = view_entry(entry);

		encode_leaf(writer, &view, text_row(view.object), 0);
	}
}

static void write_drift(struct writer *writer, const struct object_event *event)
{
	static const char *const words[] = {
		[DRIFT_DIFFERS] = "differs", [DRIFT_GONE] = "gone", [DRIFT_ENDED] = "ended"};

	text_leaf(writer, "drift", words[event->drift]);
	if (event->row)
		text_leaf(writer, "leaf-name", event->row->leaf);
	if (event->drift != DRIFT_ENDED)
		text_leaf(writer, "restores", event->restores ? "true" : "false");
}

void notification_write_object(struct writer *writer, const struct object_event *event,
			       const struct datastore *store)
{
	const char *name = event->what == HAPPENING_FOREIGN ? "foreign-object"
			   : event->what == HAPPENING_DRIFT ? "drift"
			   : event->key.session_id          ? "session-state-change"
							    : "tunnel-state-change";

	begin(writer, event->time, name, NAMESPACE_MODULE);
	number_leaf(writer, "tunnel-id", event->key.tunnel_id);
	if (event->key.session_id)
		number_leaf(writer, "session-id", event->key.session_id);
	if (event->what == HAPPENING_STATE)
		write_state(writer, event, store);
	else if (event->what == HAPPENING_DRIFT)
		write_drift(writer, event);
	write_tag(writer, "</", name);
}

/* ---- RFC 6470 */

static void actor_leaves(struct writer *writer, const struct actor *actor)
{
	text_leaf(writer, "username", actor->user);
	number_leaf(writer, "session-id", actor->id);
	if (actor->source[0])
		text_leaf(writer, "source-host", actor->source);
}

void notification_write_commit(struct writer *writer, int64_t time,
			       const struct engine_event *event, const struct actor *actor)
{
	begin(writer, time, "netconf-config-change",
	      NAMESPACE_NETCONF_EVENTS "\" xmlns:" PREFIX_MODULE "=\"" NAMESPACE_MODULE
				       "\" xmlns:" PREFIX_ACM "=\"" NAMESPACE_ACM);
	write_text(writer, "<changed-by>");
	if (actor->user)
		actor_leaves(writer, actor);
	else
		write_text(writer, "<server/>");
	write_text(writer, "</changed-by><datastore>running</datastore>");
	config_change_write(writer, event->changes);
	write_tag(writer, "</", "netconf-config-change");
}

void notification_write_confirm(struct writer *writer, int64_t time,
				const struct engine_event *event, const struct actor *actor)
{
	static const char *const words[] = {
		[CONFIRM_START] = "start",       [CONFIRM_EXTEND] = "extend",
		[CONFIRM_CANCEL] = "cancel",     [CONFIRM_TIMEOUT] = "timeout",
		[CONFIRM_COMPLETE] = "complete",
	};

	begin(writer, time, "netconf-confirmed-commit", NAMESPACE_NETCONF_EVENTS);
	if (actor->user)
		actor_leaves(writer, actor);
	text_leaf(writer, "confirm-event", words[event->step]);
	if (event->step == CONFIRM_START || event->step == CONFIRM_EXTEND)
		number_leaf(writer, "timeout", event->timeout);
	write_tag(writer, "</", "netconf-confirmed-commit");
}

void notification_write_start(struct writer *writer, int64_t time, const struct actor *actor)
{
	begin(writer, time, "netconf-session-start", NAMESPACE_NETCONF_EVENTS);
	actor_leaves(writer, actor);
	write_tag(writer, "</", "netconf-session-start");
}

void notification_write_end(struct writer *writer, int64_t time, const struct actor *actor,
			    const char *reason, unsigned int killer)
{
	begin(writer, time, "netconf-session-end", NAMESPACE_NETCONF_EVENTS);
	actor_leaves(writer, actor);
	if (killer)
		number_leaf(writer, "killed-by", killer);
	text_leaf(writer, "termination-reason", reason);
	write_tag(writer, "</", "netconf-session-end");
}

/* ---- to one subscriber */

void notification_write_complete(struct writer *writer, int64_t time, const char *name)
{
	begin(writer, time, name, NAMESPACE_STREAMS);
	write_tag(writer, "</", name);
}

void notification_write_missed(struct writer *writer, int64_t time, uint64_t count, int64_t since)
{
	char text[NOTIFICATION_TIME];

	begin(writer, time, "notifications-missed", NAMESPACE_CLIENTS);
	number_leaf(writer, "count", count);
	notification_print_time(since, text);
	text_leaf(writer, "since", text);
	write_tag(writer, "</", "notifications-missed");
}
