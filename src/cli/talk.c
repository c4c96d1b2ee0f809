#include "cli/talk.h"

#include <errno.h>
#include <string.h>

/* A daemon that is not there: say what to do about it. */
static void add_cure(int result, struct error *err)
{
	size_t used = strlen(err->text);
	const char *cure = result == -EACCES ? "ask for membership in the group of that socket"
					     : "start it with \"systemctl start l2tpv3d\"";

	if (result == -ENOENT || result == -ECONNREFUSED || result == -EACCES)
		snprintf(err->text + used, sizeof(err->text) - used, "; %s", cure);
}

enum cli_status talk_connect(const struct cli_options *options, struct client **ret,
			     struct error *err)
{
	int result = client_open(ret, options->socket, err);

	if (result)
		add_cure(result, err);
	return cli_refused(result);
}

enum cli_status talk_end(const struct cli_options *options, struct client *client, int result,
			 struct error *err)
{
	size_t used = strlen(err->text);

	if (result && client_unanswered(client) && !options->check)
		snprintf(err->text + used, sizeof(err->text) - used,
			 "; it may have done it all the same: see \"l2tpv3ctl history\"");
	client_close(client);
	return cli_refused(result);
}

enum cli_status talk_rpc(const struct cli_options *options, const char *operation,
			 struct error *err)
{
	struct client *client;
	enum cli_status status = talk_connect(options, &client, err);

	if (status)
		return status;
	return talk_end(options, client, client_rpc(client, operation, NULL, err), err);
}

enum cli_status talk_read(const struct cli_options *options, const char *operation,
			  client_entry_cb *cb, void *arg, struct error *err)
{
	struct client *client;
	enum cli_status status = talk_connect(options, &client, err);

	if (status)
		return status;
	status = cli_refused(client_read(client, operation, cb, arg, err));
	client_close(client);
	return status;
}
