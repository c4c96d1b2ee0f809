/* Clients of the daemon. */
#ifndef CLI_CLIENTS_H
#define CLI_CLIENTS_H

#include "cli/cli.h"
#include "client/client.h"

/* show clients. */
enum cli_status clients_show(const struct cli_options *options, struct error *err);

/* Of a netconf-state: say it if a confirmed commit is pending. */
void clients_print_pending(const struct node *state);

#endif
