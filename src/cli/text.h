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

#define TEXT_COUNTERS_MAX 16

/* The counters of one direction: two lines of columns. */
struct text_counters {
	char heading[8 + 17 * TEXT_COUNTERS_MAX]; /* the first line */
	unsigned int rows[TEXT_COUNTERS_MAX];
	unsigned int count;
};

enum text_direction { TEXT_RX, TEXT_TX, TEXT_DIRECTIONS };

struct text {
	FILE *file;
	const struct cli_options *options;
	struct text_counters counters[OBJECTS][TEXT_DIRECTIONS];
	char tunnel_id[12], peer_tunnel_id[12]; /* of the tunnel that the sessions are in */
};

/* @file and @options are borrowed. */
void text_begin(struct text *text, FILE *file, const struct cli_options *options);
void text_tunnel(const struct text *text, const struct record *tunnel);
/* The sessions that follow are in this tunnel. */
void text_enter(struct text *text, uint32_t tunnel_id, uint32_t peer_tunnel_id);
void text_session(const struct text *text, const struct record *session);

/* The rows that the texts need. */
uint64_t text_rows(enum object object, const struct cli_options *options);

#endif
