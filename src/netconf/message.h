/*
 * One message of a client as it is read: hello or rpc. The envelope, filters
 * and parameters become a small tree; the <config> of an edit goes to the
 * decoder as it arrives. Once the operation, a parameter or the edit is refused,
 * the rest of the message is not parsed any more, only its end looked for.
 */
#ifndef NETCONF_MESSAGE_H
#define NETCONF_MESSAGE_H

#include "netconf/decode.h"
#include "netconf/reader.h"

#define MESSAGE_TREE_MAX (16U << 20)  /* bytes of memory of a tree */
#define MESSAGE_FREE     (256U << 10) /* what it may hold however much others do */

struct netconf_session;
struct rpc;

struct message {
	const struct netconf_session *session;
	struct reader *reader; /* NULL: no more is read, of what was or what is refused */
	struct tree_builder builder;
	struct tree tree;   /* root: the envelope; NULL before its start tag */
	const char *prefix; /* of the envelope, "" none */
	const struct rpc *rpc;
	struct decoder *decoder; /* of the operation's streamed parameter, or NULL */
	unsigned int decoding;   /* open elements within it, itself counted */
	bool filter;             /* in <filter>, whose content may be anything */
	struct error error;      /* the refusal of the content */
	size_t held;             /* bytes of memory for carrying it out */
	size_t counted;          /* bytes of memory that count in the server's sum */
};

struct message *message_open(const struct netconf_session *session); /* NULL: no memory */
void message_close(struct message *message);                         /* Accepts NULL. */

/*
 * The next bytes, and that there are no more. 0, and message->error, when the
 * content is refused: the message can be answered. A negative errno, and @err,
 * when it is no XML, or too much of it: then the session has to end.
 */
int message_feed(struct message *message, const char *bytes, size_t length, struct error *err);
int message_finish(struct message *message, struct error *err);
bool message_empty(const struct message *message); /* nothing but white space so far? */

/* Carrying it out holds @bytes: -ENOMEM, and @err, when all requests hold too much together. */
int message_hold(struct message *message, size_t bytes, struct error *err);

/* The operation's element, after the whole message was read without error. */
const struct node *message_operation(const struct message *message);

/* The streamed parameter as an edit; *ret_edit NULL when it was not given. */
int message_take_edit(struct message *message, struct edit **ret_edit, struct error *err);

#endif
