/* One exchange with the daemon: connect, one rpc, done. */
#ifndef CLI_TALK_H
#define CLI_TALK_H

#include "cli/cli.h"
#include "client/client.h"

/* CLI_REFUSED with @err when the daemon refuses, or is not there. */
enum cli_status talk_connect(const struct cli_options *options, struct client **ret,
			     struct error *err);
enum cli_status talk_rpc(const struct cli_options *options, const char *operation,
			 struct error *err);
/*
 * End the rpc of a change, which returned @rc: close @client, and say so in @err when the outcome
 * is unknown.
 */
enum cli_status talk_end(const struct cli_options *options, struct client *client, int rc,
			 struct error *err);
enum cli_status talk_read(const struct cli_options *options, const char *operation,
			  client_entry_cb *cb, void *arg, struct error *err);

#endif
