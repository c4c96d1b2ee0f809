/* confirm, cancel, and what --confirm adds to a change. */
#include "cli/confirm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/message.h"
#include "cli/talk.h"

#define PERSIST_ID  "l2tpv3ctl"
#define PERSIST_MAX 256

static const char lock[] = "<lock><target><candidate/></target></lock>";

int confirm_begin(const struct cli_options *options, struct client *client, struct error *err)
{
	return options->confirm ? client_rpc(client, lock, NULL, err) : 0;
}

/* @persist_id: "", or the parameter that makes it a follow-up of ours. */
static int commit(const struct cli_options *options, struct client *client, const char *persist_id,
		  struct error *err)
{
	char *operation = NULL;
	size_t length;
	FILE *file = open_memstream(&operation, &length);
	int rc;

	if (!file)
		return error_set(err, ERROR_RESOURCE, "out of memory");
	fprintf(file,
		"<commit><confirmed/><confirm-timeout>%s</confirm-timeout><persist>" PERSIST_ID
		"</persist>%s",
		options->confirm, persist_id);
	message_comment(file, options->comment);
	fputs("</commit>", file);
	fclose(file);
	rc = client_rpc(client, operation, NULL, err);
	free(operation);
	return rc;
}

int confirm_commit(const struct cli_options *options, struct client *client, struct error *err)
{
	bool follows = true;
	int rc;

	if (!options->confirm)
		return 0;
	rc = commit(options, client, "<persist-id>" PERSIST_ID "</persist-id>", err);
	if (rc && !strcmp(error_kind(err->code)->tag, "invalid-value")) { /* ours is not pending */
		error_list_free(err);
		follows = false;
		rc = commit(options, client, "", err);
	}
	if (!rc)
		printf("Done for now%s. Run \"l2tpv3ctl confirm\" within %s s to keep it. If "
		       "nobody "
		       "does, or the daemon\nor the machine restarts before, it is undone; "
		       "\"l2tpv3ctl cancel\" undoes it at once.\n",
		       follows ? ", with what was to be confirmed already" : "", options->confirm);
	return rc;
}

/* "<@name><persist-id>...</persist-id></@name>" */
static enum cli_status make_rpc(const char *name, int argc, char *argv[], char *ret, size_t size,
				struct error *err)
{
	char persist_id[PERSIST_MAX] = PERSIST_ID;

	if (argc > 1)
		return cli_usage_error(err, "unexpected \"%.64s\"", argv[1]);
	if (argc && client_escape(argv[0], persist_id, sizeof(persist_id)) < 0)
		return cli_usage_error(err, "this persist-id is too long");
	snprintf(ret, size, "<%s><persist-id>%s</persist-id></%s>", name, persist_id, name);
	return CLI_OK;
}

/* The lock: a commit would take with it what others have staged. */
enum cli_status confirm_run(const struct command *command, const struct cli_options *options,
			    int argc, char *argv[], struct error *err)
{
	char operation[PERSIST_MAX + 80];
	struct client *client;
	enum cli_status status = make_rpc("commit", argc, argv, operation, sizeof(operation), err);
	int rc;

	(void)command;
	if (!status)
		status = talk_connect(options, &client, err);
	if (status)
		return status;
	rc = client_rpc(client, lock, NULL, err);
	return talk_end(options, client, rc ? rc : client_rpc(client, operation, NULL, err), err);
}

enum cli_status cancel_run(const struct command *command, const struct cli_options *options,
			   int argc, char *argv[], struct error *err)
{
	char operation[PERSIST_MAX + 80];
	struct client *client;
	enum cli_status status =
		make_rpc("cancel-commit", argc, argv, operation, sizeof(operation), err);
	int rc;

	(void)command;
	if (!status)
		status = talk_connect(options, &client, err);
	if (status)
		return status;
	rc = client_rpc(client, operation, NULL, err);
	if (rc && !argc) /* root may cancel that of others, too */
		rc = client_rpc(client, "<cancel-commit/>", NULL, err);
	return talk_end(options, client, rc, err);
}
