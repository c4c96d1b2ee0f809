/* push, validate and diff: send a file as an edit-config. */
#include "base/wipe.h"
#include "cli/command.h"
#include "cli/confirm.h"
#include "cli/difference.h"
#include "cli/file.h"
#include "cli/message.h"
#include "cli/progress.h"
#include "cli/talk.h"
#include "client/config_text.h"

static int write_text(struct client *client, const char *text, struct error *err)
{
	return client_write(client, text, strlen(text), err);
}

static int write_comment(struct client *client, const char *comment, struct error *err)
{
	char text[6 * COMMENT_MAX + 80] = "";
	FILE *file = fmemopen(text, sizeof(text), "w");

	if (!file)
		return error_set(err, ERROR_RESOURCE, "out of memory");
	message_comment(file, comment);
	fclose(file);
	return write_text(client, text, err);
}

/* @staged: into the candidate. */
static int send_config(struct client *client, const char *config, size_t length,
		       const struct cli_options *options, bool staged, struct error *err)
{
	int rc = client_begin(client, err);

	if (!rc)
		rc = write_text(client,
				staged ? "<edit-config><target><candidate/></target>"
				       : "<edit-config><target><running/></target>",
				err);
	if (!rc && options->replace)
		rc = write_text(client, "<default-operation>replace</default-operation>", err);
	if (!rc && options->check && !staged)
		rc = write_text(client, "<test-option>test-only</test-option>", err);
	if (!rc)
		rc = write_text(client, "<config>", err);
	if (!rc)
		rc = client_write(client, config, length, err);
	if (!rc)
		rc = write_text(client, "</config>", err);
	if (!rc && !staged && !options->check)
		rc = write_comment(client, options->comment, err);
	if (!rc)
		rc = write_text(client, "</edit-config>", err);
	return rc ? rc : client_end(client, NULL, err);
}

static enum cli_status push_config(const char *config, size_t length,
				   const struct cli_options *options, struct error *err)
{
	struct difference difference = {.staged = false};
	struct progress progress;
	struct client *client;
	enum cli_status status = talk_connect(options, &client, err);
	int rc;

	if (status)
		return status;
	progress_begin(&progress, options, client);
	rc = options->check ? difference_begin(&difference, client, 0, err)
			    : confirm_begin(options, client, err);
	progress.decides = !options->check && !options->confirm;
	rc = rc ? rc
		: send_config(client, config, length, options,
			      difference.staged || options->confirm, err);
	progress.decides = !options->check && (progress.decides || !rc);
	rc = rc ? rc : confirm_commit(options, client, err);
	rc = progress_end(&progress, rc, err);
	rc = rc ? rc : difference_end(&difference, client, stdout, err);
	difference_free(&difference);
	return talk_end(options, client, rc, err);
}

static enum cli_status push_text(const char *text, size_t length, const struct cli_options *options,
				 struct error *err)
{
	char *config = NULL;
	size_t size = 0;
	enum cli_status status = cli_refused(config_text_make(text, length, &config, &size, err));

	if (!status)
		status = push_config(config, size, options, err);
	wipe_free(config, size);
	return status;
}

static enum cli_status push_file(const char *path, const struct cli_options *options,
				 struct error *err)
{
	char *text = NULL;
	size_t length = 0;
	enum cli_status status = file_read(path, &text, &length, err);

	if (!status)
		status = push_text(text, length, options, err);
	wipe_free(text, length);
	return status;
}

enum cli_status push_run(const struct command *command, const struct cli_options *options, int argc,
			 char *argv[], struct error *err)
{
	if (argc != 1)
		return cli_usage_error(err, "%s needs one FILE, or - for standard input",
				       command->name);
	return push_file(argv[0], options, err);
}

enum cli_status validate_run(const struct command *command, const struct cli_options *options,
			     int argc, char *argv[], struct error *err)
{
	struct cli_options check = *options;

	check.check = true;
	return push_run(command, &check, argc, argv, err);
}

enum cli_status diff_run(const struct command *command, const struct cli_options *options, int argc,
			 char *argv[], struct error *err)
{
	struct cli_options check = *options;

	check.check = true;
	check.replace = true;
	return push_run(command, &check, argc, argv, err);
}
