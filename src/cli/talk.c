#include "cli/talk.h"

#include <errno.h>
#include <string.h>

/* If the daemon is not there, add what to do about it. */
static void add_cure(int rc, struct error *err)
{
	size_t used = strlen(err->text);
	const char *cure = rc == -EACCES ? "ask for membership in the group of that socket"
					 : "start it with \"systemctl start l2tpv3d\"";

	if (rc == -ENOENT || rc == -ECONNREFUSED || rc == -EACCES)
		snprintf(err->text + used, sizeof(err->text) - used, "; %s", cure);
}

enum cli_status talk_connect(const struct cli_options *options, struct client **ret,
			     struct error *err)
{
	int rc = client_open(ret, options->socket, err);

	if (rc)
		add_cure(rc, err);
	return cli_refused(rc);
}

enum cli_status talk_end(const struct cli_options *options, struct client *client, int rc,
			 struct error *err)
{
	size_t used = strlen(err->text);

	if (rc && client_unanswered(client) && !options->check)
		snprintf(err->text + used, sizeof(err->text) - used,
			 "; the change may have been made: see \"l2tpv3ctl history\"");
	client_close(client);
	return cli_refused(rc);
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
