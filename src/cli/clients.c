/* show clients, kill: who is connected to the daemon (ietf-netconf-monitoring, RFC 6022). */
#include "cli/clients.h"

#include "cli/command.h"
#include "cli/json.h"
#include "cli/talk.h"
#include "model/names.h"

#define ID_DIGITS 10

static const char question[] =
	"<get><filter type=\"subtree\"><netconf-state xmlns=\"" NAMESPACE_MONITORING
	"\"><datastores/><sessions/></netconf-state></filter></get>";

static const char *text_of(const struct node *entry, const char *leaf)
{
	const char *text = node_text(entry, leaf, NULL);

	return text ? text : "";
}

/* The first datastore from @datastore on that the session has locked, or NULL. */
static const struct node *locked_from(const struct node *datastore, const char *session_id)
{
	for (; datastore; datastore = datastore->next) {
		const struct node *locks = node_child(datastore, "locks", NULL);
		const struct node *lock = node_child(locks, "global-lock", NULL);

		if (lock && !strcmp(text_of(lock, "locked-by-session"), session_id))
			break;
	}
	return datastore;
}

static const struct node *locked_by(const struct node *state, const char *session_id)
{
	const struct node *list = node_child(state, "datastores", NULL);

	return locked_from(list ? list->first : NULL, session_id);
}

static const char *locked_time(const struct node *datastore)
{
	return text_of(node_child(node_child(datastore, "locks", NULL), "global-lock", NULL),
		       "locked-time");
}

/* What the session is doing, or how long it has been idle. */
static void print_activity(const struct node *entry)
{
	const char *operation = text_of(entry, "operation");

	if (*operation)
		printf("in %s", operation);
	else
		printf("idle %s s", text_of(entry, "idle-time"));
}

static void print_client(const struct node *entry, const struct node *locked, bool own)
{
	const char *id = text_of(entry, "session-id");

	const char *source = text_of(entry, "source-host");
	const char *requests = text_of(entry, "in-rpcs");

	printf("%6s  %s  %-8s %-10s %-15s %s request%s, ", id, text_of(entry, "login-time"),
	       text_of(entry, "door"), text_of(entry, "username"), *source ? source : "here",
	       requests, strcmp(requests, "1") ? "s" : "");
	print_activity(entry);
	for (; locked; locked = locked_from(locked->next, id))
		printf(", holds the lock of %s since %s", text_of(locked, "name"),
		       locked_time(locked));
	puts(own ? " (this command)" : "");
}

static bool is_number(const char *name)
{
	static const char *const numbers[] = {"session-id",     "in-rpcs",           "in-bad-rpcs",
					      "out-rpc-errors", "out-notifications", "process-id",
					      "idle-time"};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (!strcmp(numbers[i], name))
			return true;
	return false;
}

static void put_client(struct json *json, const struct node *entry, const struct node *locked)
{
	const char *id = text_of(entry, "session-id");

	json_open(json, NULL, '{');
	for (const struct node *leaf = entry->first; leaf; leaf = leaf->next) {
		const char *colon =
			strcmp(leaf->name, "transport") ? NULL : strchr(leaf->text, ':');

		json_value(json, leaf->name, colon ? colon + 1 : leaf->text,
			   !is_number(leaf->name));
	}
	if (locked)
		json_open(json, "locks", '[');
	for (const struct node *at = locked; at; at = locked_from(at->next, id)) {
		json_open(json, NULL, '{');
		json_value(json, "datastore", text_of(at, "name"), true);
		json_value(json, "locked-time", locked_time(at), true);
		json_close(json, '}');
	}
	if (locked)
		json_close(json, ']');
	json_close(json, '}');
}

void clients_print_pending(const struct node *state)
{
	const struct node *list = node_child(state, "datastores", NULL), *pending = NULL;
	const char *session;

	for (const struct node *at = list ? list->first : NULL; at && !pending; at = at->next)
		pending = node_child(at, "confirmed-commit", NAMESPACE_CLIENTS);
	if (!pending)
		return;
	session = text_of(pending, "session-id");
	printf("a confirmed commit is pending: back to commit %s in %s s, unless it is "
	       "confirmed%s%s "
	       "before\n",
	       text_of(pending, "baseline"), text_of(pending, "time-left"),
	       *session ? " by session " : "", session);
}

static void print_clients(const struct node *state, unsigned int own,
			  const struct cli_options *options)
{
	const struct node *list = node_child(state, "sessions", NULL);
	struct json json = {.file = stdout, .pretty = options->pretty};

	if (options->json)
		json_open(&json, NULL, '[');
	for (const struct node *entry = list ? list->first : NULL; entry; entry = entry->next) {
		const char *id = text_of(entry, "session-id");
		const struct node *locked = locked_by(state, id);

		if (options->json)
			put_client(&json, entry, locked);
		else
			print_client(entry, locked, strtoul(id, NULL, 10) == own);
	}
	if (options->json)
		json_close(&json, ']');
	else
		clients_print_pending(state);
}

enum cli_status clients_show(const struct cli_options *options, struct error *err)
{
	struct tree reply = {0};
	struct client *client;
	enum cli_status status;

	if (options->statistics || options->details)
		return cli_usage_error(err, "%s does not go with show clients",
				       options->statistics ? "-s" : "-d");
	status = talk_connect(options, &client, err);
	if (status)
		return status;
	status = cli_refused(client_rpc(client, question, &reply, err));
	if (!status)
		print_clients(node_child(node_child(reply.root, "data", NAMESPACE_BASE),
					 "netconf-state", NAMESPACE_MONITORING),
			      client_session_id(client), options);
	tree_free(&reply);
	client_close(client);
	return status;
}

enum cli_status kill_run(const struct command *command, const struct cli_options *options, int argc,
			 char *argv[], struct error *err)
{
	char operation[96];
	const char *id = argc ? argv[argc - 1] : "";
	bool named =
		argc == 2 && (!strcmp(argv[0], "session-id") || !strcmp(argv[0], "session_id"));

	(void)command;
	if (argc != 1 && !named)
		return cli_usage_error(err, "give the number of a session, as \"show clients\" "
					    "lists them");
	if (!*id || strlen(id) > ID_DIGITS || id[strspn(id, "0123456789")])
		return cli_usage_error(err, "\"%.64s\" is not the number of a session", id);
	snprintf(operation, sizeof(operation),
		 "<kill-session><session-id>%s</session-id></kill-session>", id);
	return talk_rpc(options, operation, err);
}
