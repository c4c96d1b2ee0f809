/* add, delete, set, adopt, resync: each sends one rpc and prints nothing. */
#include "base/wipe.h"
#include "base/wiped_stream.h"
#include "cli/command.h"
#include "cli/confirm.h"
#include "cli/message.h"
#include "cli/talk.h"

typedef void writer(FILE *file, const struct request *request);

/* Ends @client. */
static enum cli_status change(const struct cli_options *options, struct client *client,
			      const char *operation, struct error *err)
{
	int rc = confirm_begin(options, client, err);

	rc = rc ? rc : client_rpc(client, operation, NULL, err);
	rc = rc ? rc : confirm_commit(options, client, err);
	return talk_end(options, client, rc, err);
}

static enum cli_status send_request(const struct cli_options *options,
				    const struct request *request, writer *write, struct error *err)
{
	char *operation = NULL;
	size_t length;
	FILE *file = wiped_stream(&operation, &length);
	struct client *client;
	enum cli_status status;

	if (!file)
		return cli_refused(error_set(err, ERROR_RESOURCE, "out of memory"));
	write(file, request);
	fclose(file);
	status = talk_connect(options, &client, err);
	if (!status)
		status = change(options, client, operation, err);
	wipe_free(operation, length);
	return status;
}

static enum cli_status run_request(const struct command *command, const struct cli_options *options,
				   int argc, char *argv[], writer *write, struct error *err)
{
	struct request request;
	enum cli_status status = grammar_parse(command->verb, argc, argv, &request, err);

	if (status)
		return status;
	request.check = options->check;
	request.staged = options->confirm;
	request_print_notes(stderr, &request);
	status = send_request(options, &request, write, err);
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
