/*
 * Tunnels and sessions in the text form of `ip l2tp show`, byte for byte. What ip cannot know
 * (foreign, waiting, why) goes on a line of its own, if there is any. Objects that are deleted but
 * not gone yet appear with -d only, for `ip l2tp` no longer shows them.
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
	char tunnel_id[12], peer_tunnel_id[12]; /* of the current tunnel */
};

/* @file and @options are borrowed. */
void text_begin(struct text *text, FILE *file, const struct cli_options *options);
void text_tunnel(const struct text *text, const struct record *tunnel);
/* Make this the tunnel of the sessions that follow. */
void text_enter(struct text *text, uint32_t tunnel_id, uint32_t peer_tunnel_id);
void text_session(const struct text *text, const struct record *session);

/* The rows that the text needs. */
uint64_t text_rows(enum object object, const struct cli_options *options);

#endif
