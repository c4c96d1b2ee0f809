/*
 * One message of a client, hello or rpc, while it is read. The envelope, filters and parameters
 * become a small tree; the <config> of an edit goes to the decoder as it arrives. Once the
 * operation, a parameter or the edit is refused, the rest of the message is not parsed any more:
 * only its end matters.
 */
#ifndef NETCONF_MESSAGE_H
#define NETCONF_MESSAGE_H

#include "netconf/decode.h"
#include "netconf/reader.h"

#define MESSAGE_TREE_MAX (16U << 20)  /* bytes of memory that a tree may take */
#define MESSAGE_FREE     (256U << 10) /* bytes that each may hold however much others do */

struct netconf_session;
struct rpc;

struct message {
	const struct netconf_session *session;
	struct reader *reader; /* NULL: all was read, or the message is refused */
	struct tree_builder builder;
	struct tree tree;   /* root: the envelope; NULL before its start tag */
	const char *prefix; /* of the envelope; "": none */
	const struct rpc *rpc;
	struct decoder *decoder; /* of the operation's streamed parameter, or NULL */
	unsigned int decoding;   /* open elements in it, itself included */
	bool filter;             /* in <filter>, which may contain anything */
	struct error error;      /* why the content is refused */
	size_t held;             /* bytes of memory that carrying it out takes */
	size_t counted;          /* bytes of memory counted in the server's sum */
};

struct message *message_open(const struct netconf_session *session); /* NULL: no memory */
void message_close(struct message *message);                         /* Accepts NULL. */

/*
 * Feed the next bytes; say that there are no more. Returns 0, with message->error set when the
 * content is refused: the message can be answered. A negative errno, with @err, when it is not
 * XML, or too much of it: the session must end.
 */
int message_feed(struct message *message, const char *bytes, size_t length, struct error *err);
int message_finish(struct message *message, struct error *err);
bool message_empty(const struct message *message); /* only white space so far? */

/* Carrying it out takes @bytes. -ENOMEM, with @err, when all requests together hold too much. */
int message_hold(struct message *message, size_t bytes, struct error *err);

/* The operation's element, once the whole message was read without an error. */
const struct node *message_operation(const struct message *message);

/*
 * The streamed parameter as an edit; *ret_edit is NULL when it was not given. Of what is refused
 * see decoder_finish().
 */
int message_take_edit(struct message *message, bool continues, struct edit **ret_edit,
		      struct error *err);

#endif
