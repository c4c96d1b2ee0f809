/*
 * One message of a client as it is read: hello or rpc. The envelope, filters
 * and parameters become a small tree; the <config> of an edit goes to the
 * decoder as it arrives. What is wrong with the content is kept until the
 * message is complete, since only then its being XML is known.
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
	struct reader *reader;
	struct tree_builder builder;
	struct tree tree;   /* root: the envelope; NULL before its start tag */
	const char *prefix; /* of the envelope, "" none */
	const struct rpc *rpc;
	struct decoder *decoder; /* of the operation's streamed parameter, or NULL */
	unsigned int decoding;   /* open elements within it, itself counted */
	unsigned int skip;       /* open elements passed over */
	struct error error;      /* the first refusal of the content */
	size_t counted;          /* bytes of memory that count in the server's sum */
};

struct message *message_open(const struct netconf_session *session); /* NULL: no memory */
void message_close(struct message *message);                         /* Accepts NULL. */

/* All was read: what only reading needed goes. */
void message_end(struct message *message);

/* The operation's element, after the whole message was read without error. */
const struct node *message_operation(const struct message *message);

/* The streamed parameter as an edit; *ret_edit NULL when it was not given. */
int message_take_edit(struct message *message, struct edit **ret_edit, struct error *err);

#endif
