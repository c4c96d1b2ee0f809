/* One exchange with the daemon: connect, one rpc, done. */
#ifndef CLI_TALK_H
#define CLI_TALK_H

#include "cli/cli.h"
#include "client/client.h"

/* CLI_REFUSED with @err for a refusal, and for a daemon that is not there. */
enum cli_status talk_connect(const struct cli_options *options, struct client **ret,
			     struct error *err);
enum cli_status talk_rpc(const struct cli_options *options, const char *operation,
			 struct error *err);
/* After the rpc of a change, with @result: tells when what became of it is not known, and closes.
 */
enum cli_status talk_end(const struct cli_options *options, struct client *client, int result,
			 struct error *err);
enum cli_status talk_read(const struct cli_options *options, const char *operation,
			  client_entry_cb *cb, void *arg, struct error *err);

#endif
