/*
 * Tunnels and sessions in the text form of `ip l2tp show`, byte for byte for
 * what it shows; what it cannot know (foreign, waiting, why) stands in a line
 * of its own, and only where there is something to say. What was deleted and is
 * not gone yet is for -d alone, as `ip l2tp` says no more of it either.
 */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include "cli/cli.h"
#include "cli/record.h"

void text_tunnel(FILE *file, const struct record *tunnel, const struct cli_options *options);
void text_session(FILE *file, const struct record *session, uint32_t peer_tunnel_id,
		  const struct cli_options *options);

/* The rows that the texts need. */
uint64_t text_rows(enum object object, const struct cli_options *options);

#endif
