/*
 * Message framing of NETCONF over a byte stream (RFC 6242 section 4): pure, no
 * I/O. The decoder is fed what arrived, in any pieces, and says step by step
 * what it found; between two steps the caller may change the version, so the
 * byte after the client's hello is already read by the new rule.
 *
 * A violation or a message over the limit is final: the session must be closed
 * (RFC 6242 section 4.2).
 */
#ifndef NETCONF_FRAMING_H
#define NETCONF_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CAPABILITY_1_0 "urn:ietf:params:netconf:base:1.0"
#define CAPABILITY_1_1 "urn:ietf:params:netconf:base:1.1"
/* Said by l2tpv3ctl, so that the history tells the shell from other clients. */
#define CAPABILITY_SHELL "urn:l2tpv3d:client:shell"

enum framing_version {
	FRAMING_END_OF_MESSAGE, /* base:1.0 and every hello: ends with ]]>]]> */
	FRAMING_CHUNKED         /* base:1.1 */
};

enum framing_result {
	FRAMING_MORE,   /* the input is used up */
	FRAMING_DATA,   /* a piece of the message */
	FRAMING_END,    /* the message is complete */
	FRAMING_BROKEN, /* framing.reason says what */
	FRAMING_TOO_BIG /* the message is longer than the limit */
};

struct framing {
	enum framing_version version;
	size_t limit; /* bytes of a message, 0 none */
	size_t size;  /* of this message so far */
	const char *reason;
	/* private */
	unsigned int state;
	unsigned int matched; /* bytes of ]]>]]> seen and withheld */
	uint32_t left;        /* of this chunk */
};

void framing_init(struct framing *framing, size_t limit);

/* Only right after FRAMING_END, or before anything was decoded. */
void framing_switch(struct framing *framing, enum framing_version version);

/*
 * One step: takes from @*data and @*length what it used. With FRAMING_DATA,
 * @ret_piece points to the bytes, within the input or to static storage.
 */
enum framing_result framing_step(struct framing *framing, const char **data, size_t *length,
				 const char **ret_piece, size_t *ret_length);

/* Between messages, so that an end of file is no loss? */
bool framing_idle(const struct framing *framing);

/*
 * What goes before a piece of @length (> 0) bytes and after the last piece.
 * The pieces must not contain ]]>]]>: write_escaped() escapes '>'. Returns the length.
 */
#define FRAMING_HEAD_MAX 16
size_t framing_head(enum framing_version version, size_t length, char ret[FRAMING_HEAD_MAX]);
const char *framing_tail(enum framing_version version);

#endif
