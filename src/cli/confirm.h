/*
 * Changes that are undone unless they are confirmed: a confirmed commit of the candidate (RFC 6241
 * section 8.4), with a persist-id that every l2tpv3ctl knows, because its session ends with it.
 */
#ifndef CLI_CONFIRM_H
#define CLI_CONFIRM_H

#include "cli/cli.h"
#include "client/client.h"

/*
 * Before and after an edit of the candidate, if there is --confirm; else they do nothing. The lock
 * of the candidate keeps changes of others out, and when the edit or the commit fails, the end of
 * the session discards what was staged.
 */
int confirm_begin(const struct cli_options *options, struct client *client, struct error *err);
/*
 * While a confirmed commit of l2tpv3ctl is pending, this is a follow-up: it prolongs it, and both
 * are confirmed or undone together. Says on standard output what happens if nobody confirms.
 */
int confirm_commit(const struct cli_options *options, struct client *client, struct error *err);

#endif
