/* add, delete, set, adopt, resync. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/wipe.h"
#include "base/wiped_stream.h"
#include "cli/command.h"
#include "cli/confirm.h"
#include "cli/difference.h"
#include "cli/message.h"
#include "cli/record.h"
#include "cli/talk.h"

typedef void writer(FILE *file, const struct request *request);

static int send(struct client *client, const struct request *request, writer *write,
		struct error *err)
{
	char *operation = NULL;
	size_t length;
	FILE *file = wiped_stream(&operation, &length);
	int rc;

	if (!file)
		return error_set(err, ERROR_RESOURCE, "out of memory");
	write(file, request);
	fclose(file);
	rc = client_rpc(client, operation, NULL, err);
	wipe_free(operation, length);
	return rc;
}

/* The tunnels of sessions with an id. */
struct owners {
	uint32_t first, second; /* 0: none */
};

static int take_owner(const struct client_entry *entry, void *arg)
{
	struct owners *owners = arg;

	if (entry->object == OBJECT_SESSION)
		*(owners->first ? &owners->second : &owners->first) = entry->tunnel_id;
	return 0;
}

/* A session was named by its id alone: find its tunnel. */
static int find_tunnel(struct client *client, struct request *request, struct error *err)
{
	uint32_t id = request->session.session_id;
	struct owners owners = {0};
	char operation[320];
	int rc;

	if (!request_lacks_tunnel(request))
		return 0;
	snprintf(operation, sizeof(operation),
		 "<get><filter type=\"subtree\"><" ELEMENT_CONTAINER " xmlns=\"" NAMESPACE_MODULE
		 "\"><tunnel><session><session-id>%" PRIu32
		 "</session-id><peer-session-id/></session>"
		 "</tunnel></" ELEMENT_CONTAINER "></filter></get>",
		 id);
	rc = client_read(client, operation, take_owner, &owners, err);
	if (rc)
		return rc;
	if (!owners.first)
		return error_set(err, ERROR_MISSING, "there is no session %" PRIu32, id);
	if (owners.second)
		return error_set(err, ERROR_NOT_UNIQUE,
				 "tunnels %" PRIu32 " and %" PRIu32 " both have a session %" PRIu32
				 "; say which by tunnel_id",
				 owners.first, owners.second, id);
	codec_set_number(row_sets[OBJECT_TUNNEL].key, &request->tunnel, owners.first, NULL);
	return 0;
}

/* Ends @client. */
static enum cli_status check(const struct cli_options *options, struct client *client,
			     struct request *request, struct error *err)
{
	struct difference difference = {.staged = false};
	int rc = find_tunnel(client, request, err);

	rc = rc ? rc : difference_begin(&difference, client, request->tunnel.tunnel_id, err);

	request->staged = difference.staged;
	request->check = !difference.staged;
	request->comment = NULL;
	rc = rc ? rc : send(client, request, message_edit, err);
	rc = rc ? rc : difference_end(&difference, client, stdout, err);
	difference_free(&difference);
	return talk_end(options, client, rc, err);
}

/* Ends @client. */
static enum cli_status change(const struct cli_options *options, struct client *client,
			      struct request *request, writer *write, struct error *err)
{
	int rc = find_tunnel(client, request, err);

	rc = rc ? rc : confirm_begin(options, client, err);
	rc = rc ? rc : send(client, request, write, err);
	rc = rc ? rc : confirm_commit(options, client, err);
	return talk_end(options, client, rc, err);
}

static enum cli_status run_request(const struct command *command, const struct cli_options *options,
				   int argc, char *argv[], writer *write, struct error *err)
{
	struct request request;
	struct client *client;
	enum cli_status status = grammar_parse(command->verb, argc, argv, &request, err);

	if (status)
		return status;
	request.staged = options->confirm;
	request.comment = options->confirm ? NULL : options->comment;
	request_print_notes(stderr, &request);
	status = talk_connect(options, &client, err);
	if (!status)
		status = options->check ? check(options, client, &request, err)
					: change(options, client, &request, write, err);
	explicit_bzero(&request, sizeof(request));
	return status;
}

enum cli_status change_run(const struct command *command, const struct cli_options *options,
			   int argc, char *argv[], struct error *err)
{
	return run_request(command, options, argc, argv, message_edit, err);
}

/* Tunnels with something foreign in them, each once. */
struct strangers {
	uint32_t *ids;
	size_t count, room;
};

static int take_stranger(const struct client_entry *entry, void *arg)
{
	struct strangers *strangers = arg;
	struct record record;
	uint32_t *grown;

	record_read(entry, false, &record);
	if (strcmp(record_sent(&record, "origin"), "foreign") != 0 ||
	    (strangers->count && strangers->ids[strangers->count - 1] == entry->tunnel_id))
		return 0;
	if (strangers->count == strangers->room) {
		strangers->room = strangers->room ? 2 * strangers->room : 64;
		grown = reallocarray(strangers->ids, strangers->room, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		strangers->ids = grown;
	}
	strangers->ids[strangers->count++] = entry->tunnel_id;
	return 0;
}

static int read_strangers(struct client *client, struct strangers *ret, struct error *err)
{
	return client_read(client,
			   "<get><filter type=\"subtree\"><" ELEMENT_CONTAINER
			   " xmlns=\"" NAMESPACE_MODULE "\"><tunnel><tunnel-id/><origin/><session>"
			   "<session-id/><origin/></session></tunnel></" ELEMENT_CONTAINER
			   "></filter></get>",
			   take_stranger, ret, err);
}

/* Ask for each that is left by itself, which is refused with the reason. Returns how many are. */
static int say_why(struct client *client, const struct strangers *left, size_t *ret_refused,
		   struct error *err)
{
	struct request request = {.verb = VERB_ADOPT};
	int rc = 0;

	for (size_t i = 0; i < left->count && !rc; i++) {
		struct error why = ERROR_INIT;

		codec_set_number(row_sets[OBJECT_TUNNEL].key, &request.tunnel, left->ids[i], NULL);
		rc = send(client, &request, message_adopt, &why);
		if (!rc)
			continue;
		++*ret_refused;
		fprintf(stderr, "l2tpv3ctl: not taken: %s%s%s\n", why.path, why.path[0] ? ": " : "",
			why.text);
		rc = client_unanswered(client)
			     ? error_set(err, ERROR_STORAGE, "the daemon went away")
			     : 0;
	}
	return rc;
}

static enum cli_status adopt_all(const struct cli_options *options, struct error *err)
{
	const struct request request = {.verb = VERB_ADOPT, .comment = options->comment};
	struct strangers before = {0}, after = {0};
	size_t refused = 0;
	struct client *client;
	enum cli_status status = talk_connect(options, &client, err);
	int rc;

	if (status)
		return status;
	rc = read_strangers(client, &before, err);
	rc = rc ? rc : send(client, &request, message_adopt, err);
	rc = rc ? rc : read_strangers(client, &after, err);
	rc = rc ? rc : say_why(client, &after, &refused, err);
	if (!rc)
		printf("%zu tunnel%s taken in one commit, %zu not taken or not whole\n",
		       before.count - refused, before.count - refused == 1 ? "" : "s", refused);
	free(before.ids);
	free(after.ids);
	return talk_end(options, client, rc, err);
}

enum cli_status adopt_run(const struct command *command, const struct cli_options *options,
			  int argc, char *argv[], struct error *err)
{
	if (argc && !strcmp(argv[argc - 1], "all") &&
	    (argc == 1 || (argc == 2 && !strcmp(argv[0], "tunnel"))))
		return adopt_all(options, err);
	return run_request(command, options, argc, argv, message_adopt, err);
}

enum cli_status resync_run(const struct command *command, const struct cli_options *options,
			   int argc, char *argv[], struct error *err)
{
	(void)command;
	if (argc)
		return cli_usage_error(err, "unexpected \"%.64s\"", argv[0]);
	return talk_rpc(options, "<resync xmlns=\"" NAMESPACE_MODULE "\"/>", err);
}
