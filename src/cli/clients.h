/* Clients of the daemon. */
#ifndef CLI_CLIENTS_H
#define CLI_CLIENTS_H

#include "cli/cli.h"

/* show clients. */
enum cli_status clients_show(const struct cli_options *options, struct error *err);

#endif
