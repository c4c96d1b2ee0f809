/*
 * NETCONF's message framing over a byte stream (RFC 6242 section 4): pure, no I/O. Feed the
 * decoder what arrives, in pieces of any size; it reports step by step what it finds. Between two
 * steps the caller may change the version, so the byte after the client's hello is read by the new
 * rule already.
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
/* l2tpv3ctl announces it, so that the history can tell the shell from other clients. */
#define CAPABILITY_SHELL "urn:l2tpv3d:client:shell"

enum framing_version {
	FRAMING_END_OF_MESSAGE, /* base:1.0 and every hello: ends with ]]>]]> */
	FRAMING_CHUNKED         /* base:1.1 */
};

enum framing_result {
	FRAMING_MORE,   /* the input is used up: feed more */
	FRAMING_DATA,   /* a piece of the message */
	FRAMING_END,    /* the message is complete */
	FRAMING_BROKEN, /* framing.reason says what */
	FRAMING_TOO_BIG /* the message is longer than the limit */
};

struct framing {
	enum framing_version version;
	size_t limit; /* bytes of a message; 0: no limit */
	size_t size;  /* of this message so far */
	const char *reason;
	/* private */
	unsigned int state;
	unsigned int matched; /* bytes of ]]>]]> seen and withheld */
	uint32_t left;        /* of this chunk */
};

void framing_init(struct framing *framing, size_t limit);

/* Call only right after FRAMING_END, or before anything is decoded. */
void framing_switch(struct framing *framing, enum framing_version version);

/*
 * One step: advances @*data and @*length past what it used. With FRAMING_DATA, @ret_piece points
 * to the bytes, in the input or in static storage.
 */
enum framing_result framing_step(struct framing *framing, const char **data, size_t *length,
				 const char **ret_piece, size_t *ret_length);

/* Is it between messages, so that an end of file loses nothing? */
bool framing_idle(const struct framing *framing);

/*
 * What to send before a piece of @length (> 0) bytes, and after the last piece. A piece must not
 * contain ]]>]]>: write_escaped() escapes '>'. Returns the length.
 */
#define FRAMING_HEAD_MAX 16
size_t framing_head(enum framing_version version, size_t length, char ret[FRAMING_HEAD_MAX]);
const char *framing_tail(enum framing_version version);

#endif
