/* explain: what the daemon and the kernel know of a tunnel or session, in sentences. */
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "cli/age.h"
#include "cli/command.h"
#include "cli/message.h"
#include "cli/show.h"
#include "cli/talk.h"

/* An entry as it was read. */
struct kept {
	bool found;
	enum object object;
	uint32_t tunnel_id, session_id;
	char text[ROWS_MAX][VALUE_TEXT_MAX];
};

/* The tunnel and the session in question, if it is one. */
struct subject {
	const struct request *request;
	struct kept entries[OBJECTS], earlier; /* earlier: the one in question, a second ago */
	unsigned int sessions;                 /* that fit */
};

static int take(const struct client_entry *entry, void *arg)
{
	struct subject *subject = arg;
	struct kept *kept = &subject->entries[entry->object];
	bool session = entry->object == OBJECT_SESSION;
	struct record record;

	record_read(entry, true, &record);
	if (session && !record_matches(&record, subject->request))
		return 0;
	if (!session && subject->sessions)
		return 0; /* the session found is not in this one */
	subject->sessions += session;
	*kept = (struct kept){.found = true,
			      .object = entry->object,
			      .tunnel_id = entry->tunnel_id,
			      .session_id = entry->session_id};
	for (unsigned int i = 0; i < row_sets[entry->object].count; i++) {
		const struct row *row = &row_sets[entry->object].rows[i];
		char buffer[VALUE_TEXT_MAX];
		const char *text = row->secret ? NULL : record_text(&record, row, buffer);

		snprintf(kept->text[i], sizeof(kept->text[i]), "%s", text ? text : "");
	}
	explicit_bzero(&record, sizeof(record));
	return 0;
}

static const char *leaf(const struct kept *kept, const char *name)
{
	const struct row *row = row_by_leaf(kept->object, name, strlen(name));

	return row ? kept->text[row_number(row)] : "";
}

/* ---- reading */

static enum cli_status read_entries(struct subject *subject, const struct cli_options *options,
				    struct error *err)
{
	bool session = subject->request->wants[OBJECT_SESSION];
	uint64_t rows[OBJECTS] = {message_rows(OBJECT_TUNNEL, PART_STATISTICS),
				  session ? message_rows(OBJECT_SESSION, PART_STATISTICS) : 0};

	subject->sessions = 0;
	return message_read(options, subject->request, rows, false, take, subject, err);
}

static enum cli_status ask(const struct subject *subject, const struct cli_options *options,
			   struct tree *ret, struct error *err)
{
	const struct kept *tunnel = &subject->entries[OBJECT_TUNNEL];
	const struct kept *session = &subject->entries[OBJECT_SESSION];
	char operation[256], id[64] = "";
	struct client *client;
	enum cli_status status = talk_connect(options, &client, err);

	if (status)
		return status;
	if (session->found)
		snprintf(id, sizeof(id), "<session-id>%" PRIu32 "</session-id>",
			 session->session_id);
	snprintf(operation, sizeof(operation),
		 "<explain xmlns=\"" NAMESPACE_MODULE "\"><tunnel-id>%" PRIu32 "</tunnel-id>%s"
		 "</explain>",
		 session->found ? session->tunnel_id : tunnel->tunnel_id, id);
	status = cli_refused(client_rpc(client, operation, ret, err));
	client_close(client);
	return status;
}

/* ---- sentences */

static const char *told(const struct tree *reply, const char *name)
{
	const char *text = reply->root ? node_text(reply->root, name, NAMESPACE_MODULE) : NULL;

	return text ? text : "";
}

static void say_status(const struct kept *kept)
{
	const char *reason = leaf(kept, "status-reason"), *text = leaf(kept, "status-text");
	char age[AGE_MAX];

	if (kept->object == OBJECT_SESSION)
		printf("Session %" PRIu32 " in tunnel %" PRIu32, kept->session_id, kept->tunnel_id);
	else
		printf("Tunnel %" PRIu32, kept->tunnel_id);
	if (*leaf(kept, "description"))
		printf(" (%s)", leaf(kept, "description"));
	printf(" is %s", leaf(kept, "oper-status"));
	if (*reason && strcmp(reason, "none") != 0)
		printf(", %s", reason);
	if (age_since(leaf(kept, "last-change"), age))
		printf(", for %s", age);
	printf(".\n");
	if (*text)
		printf("  %s.\n", text);
	if (!strcmp(leaf(kept, "origin"), "foreign"))
		puts("  Others made it: l2tpv3d does not touch it. \"l2tpv3ctl adopt\" takes it "
		     "over.");
}

static void say_path(const struct kept *tunnel, const struct tree *reply)
{
	const char *error = told(reply, "path-error"), *gateway = told(reply, "gateway");
	const char *local = leaf(tunnel, "resolved-local-address"), *source = told(reply, "source");

	printf("It goes to %s", leaf(tunnel, "remote-address"));
	if (*error) {
		printf(", and there is no way: %s.\n", error);
		return;
	}
	if (*told(reply, "out-interface"))
		printf(" by %s", told(reply, "out-interface"));
	if (*gateway)
		printf(" and the router %s", gateway);
	if (*local)
		printf(", from %s", local);
	printf(".\n");
	if (*local && *source && strcmp(local, source) != 0)
		printf("  The route itself would prefer the source %s.\n", source);
}

static void say_mtu(const struct kept *session, const struct tree *reply)
{
	unsigned long path = strtoul(told(reply, "path-mtu"), NULL, 10);
	unsigned long overhead = strtoul(told(reply, "overhead"), NULL, 10);
	unsigned long mtu = strtoul(leaf(session, "mtu"), NULL, 10);

	if (!path || !overhead || path < overhead)
		return;
	printf("That way carries packets of %lu octets; encapsulation takes %lu of them, so the "
	       "interface's MTU can be %lu.\n",
	       path, overhead, path - overhead);
	if (mtu > path - overhead)
		printf("  It is %lu: packets of more than %lu octets are fragmented, or lost.\n",
		       mtu, path - overhead);
}

static void say_counter(const struct kept *now, const struct kept *earlier, const char *name,
			const char *meaning)
{
	unsigned long long value = strtoull(leaf(now, name), NULL, 10);
	unsigned long long grown = value - strtoull(leaf(earlier, name), NULL, 10);

	if (value && *meaning)
		printf("  %s %llu%s: %s.\n", name, value, grown ? ", and growing" : ", but not now",
		       meaning);
	else if (!*meaning)
		printf("  %s %llu, %llu of them in the last second.\n", name, value, grown);
}

static void say_counters(const struct kept *now, const struct kept *earlier)
{
	static const struct {
		const char *leaf, *meaning;
	} counters[] = {
		{"tx-packets", ""},
		{"rx-packets", ""},
		{"tx-errors", "this host could not send them; see the route and the link below"},
		{"rx-errors", "they came and could not be used"},
		{"rx-seq-discards", "they came too late, or twice; see reorder-timeout"},
		{"rx-cookie-discards", "their cookie was wrong: our rx-cookie must be the peer's "
				       "tx-cookie"},
		{"rx-invalid", "they were malformed, or of another sublayer than the peer's"},
	};

	puts("Its counters:");
	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
		say_counter(now, earlier, counters[i].leaf, counters[i].meaning);
}

static void say_silence(const struct kept *kept, const struct tree *reply)
{
	const char *heard = told(reply, "last-heard");
	const char *limit = leaf(kept, "dead-interval");
	bool never = !strcmp(leaf(kept, "rx-packets"), "0");
	char age[AGE_MAX];

	if (!*heard)
		return;
	age_of_seconds((int64_t)strtoll(heard, NULL, 10), age);
	if (never)
		printf("Nothing has come from the peer yet, for %s: check its ids, addresses, "
		       "ports "
		       "and cookies, and firewalls.\n",
		       age);
	else
		printf("The peer was last heard %s ago, as far as anybody looked.\n", age);
	if (kept->object == OBJECT_SESSION && (!*limit || !strcmp(limit, "0")))
		puts("  It has no dead-interval: silence is not noticed.");
}

static void say_interface(const struct kept *session)
{
	const char *name = leaf(session, "interface-name");

	if (!*name)
		return;
	printf("Its interface is %s", name);
	if (*leaf(session, "if-index"))
		printf(" (ifIndex %s)", leaf(session, "if-index"));
	if (*leaf(session, "bridge"))
		printf(", to be in the bridge %s", leaf(session, "bridge"));
	if (*leaf(session, "vrf"))
		printf(", to be in the VRF %s", leaf(session, "vrf"));
	printf(".\n  To test the path beyond it: ping -I %s ADDRESS, with an address on it and one "
	       "of "
	       "the peer's.\n",
	       name);
}

static void say_all(const struct subject *subject, const struct tree *reply)
{
	const struct kept *tunnel = &subject->entries[OBJECT_TUNNEL];
	const struct kept *session = &subject->entries[OBJECT_SESSION];
	const struct kept *kept = session->found ? session : tunnel;

	say_status(kept);
	if (session->found)
		say_status(tunnel);
	say_path(tunnel, reply);
	if (session->found) {
		say_mtu(session, reply);
		say_interface(session);
	}
	say_counters(kept, &subject->earlier);
	say_silence(kept, reply);
}

enum cli_status explain_run(const struct command *command, const struct cli_options *options,
			    int argc, char *argv[], struct error *err)
{
	/* the daemon's counters may be a second old */
	const struct timespec pause = {.tv_sec = 1, .tv_nsec = 50000000};
	struct request request;
	struct subject *subject = calloc(1, sizeof(*subject));
	struct tree reply = {0};
	enum cli_status status = grammar_parse(command->verb, argc, argv, &request, err);
	enum object object = request.wants[OBJECT_SESSION] ? OBJECT_SESSION : OBJECT_TUNNEL;

	if (!subject)
		return cli_refused(error_set(err, ERROR_RESOURCE, "out of memory"));
	subject->request = &request;
	if (!status && !request_term(&request, row_sets[object].key))
		status = cli_usage_error(err, "say which: \"%s\" is required",
					 row_sets[object].key->leaf);
	status = status ? status : read_entries(subject, options, err);
	if (!status && (!subject->entries[object].found || subject->sessions > 1))
		status = cli_refused(
			error_set(err, ERROR_MISSING,
				  subject->sessions > 1
					  ? "there is more than one such session: name its tunnel"
					  : "there is no such %s",
				  row_sets[object].name));
	subject->earlier = subject->entries[object];
	if (!status)
		nanosleep(&pause, NULL);
	status = status ? status : read_entries(subject, options, err);
	status = status ? status : ask(subject, options, &reply, err);
	if (!status)
		say_all(subject, &reply);
	tree_free(&reply);
	free(subject);
	return status;
}
