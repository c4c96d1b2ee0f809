/* add, delete, set, adopt, resync: each sends one rpc and prints nothing. */
#include "base/wipe.h"
#include "base/wiped_stream.h"
#include "cli/command.h"
#include "cli/confirm.h"
#include "cli/difference.h"
#include "cli/message.h"
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

/* Ends @client. */
static enum cli_status check(const struct cli_options *options, struct client *client,
			     struct request *request, struct error *err)
{
	struct difference difference;
	int rc = difference_begin(&difference, client, request->tunnel.tunnel_id, err);

	request->staged = difference.staged;
	request->check = !difference.staged;
	rc = rc ? rc : send(client, request, message_edit, err);
	rc = rc ? rc : difference_end(&difference, client, stdout, err);
	difference_free(&difference);
	return talk_end(options, client, rc, err);
}

/* Ends @client. */
static enum cli_status change(const struct cli_options *options, struct client *client,
			      const struct request *request, writer *write, struct error *err)
{
	int rc = confirm_begin(options, client, err);

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

enum cli_status adopt_run(const struct command *command, const struct cli_options *options,
			  int argc, char *argv[], struct error *err)
{
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
