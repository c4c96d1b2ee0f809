/*
 * A blocking NETCONF client on the daemon's unix socket, for l2tpv3ctl and tests. Hides libxml2.
 *
 * A refusal by the daemon becomes a struct error: text is the error-message, path the error-path
 * without prefixes, code that of the first error_kind() with the same error-tag and error-app-tag,
 * session the holder of a lock. All calls return 0, or a negative errno with @err filled. Of
 * several errors @err gets the first, or, if it collects (model/error.h), all.
 */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include <stdint.h>
#include <sys/types.h>

#include "model/error.h"
#include "model/table.h"
#include "netconf/node.h"

struct client;

/* Connect and exchange hellos. -ECONNREFUSED or -ENOENT: @err says that the daemon is not there. */
int client_open(struct client **ret, const char *socket_path, struct error *err);
void client_close(struct client *client); /* close-session, then close. Accepts NULL. */

bool client_has_capability(const struct client *client, const char *uri);
unsigned int client_session_id(const struct client *client);

/*
 * Send an rpc and wait for its reply. @operation is the content of <rpc>, such
 * as "<get-config><source><running/></source></get-config>"; the base namespace
 * is the default one in it and the prefix l2tp is declared for the module's.
 * @ret_reply (NULL allowed) gets the <rpc-reply> to tree_free().
 */
int client_rpc(struct client *client, const char *operation, struct tree *ret_reply,
	       struct error *err);

/*
 * While a reply is awaited, call @wait (NULL: nothing) every @ms milliseconds, and when a signal
 * comes. When it returns false, the rpc ends with -EINTR and the client can only be closed.
 */
typedef bool client_wait_cb(void *arg);
void client_on_wait(struct client *client, int ms, client_wait_cb *wait, void *arg);
/* Close the connection now, without close-session, though a reply may be on its way. */
void client_hang_up(struct client *client);

/* Was the last rpc sent completely, and failed only because no reply came? */
bool client_unanswered(const struct client *client);

/*
 * client_rpc() in pieces, for a request too long for memory: begin, write as often as needed, end.
 */
int client_begin(struct client *client, struct error *err);
int client_write(struct client *client, const char *text, size_t length, struct error *err);
int client_end(struct client *client, struct tree *ret_reply, struct error *err);

/*
 * An entry of a reply: the text of each leaf by row number of row_sets[object], NULL when absent. A
 * tunnel comes before its sessions. Valid only during the call.
 */
struct client_entry {
	enum object object;
	uint32_t tunnel_id, session_id; /* session_id 0: a tunnel */
	const char *const *text;
};

/* A nonzero return ends the reading: client_read() returns it, and the client must be closed. */
typedef int client_entry_cb(const struct client_entry *entry, void *arg);

/*
 * client_rpc() for get and get-config: passes on entries as they arrive, so that 65,000 sessions
 * need no memory.
 */
int client_read(struct client *client, const char *operation, client_entry_cb *cb, void *arg,
		struct error *err);

/* Wait for the next notification, after a create-subscription (RFC 5277). To tree_free(). */
int client_notification(struct client *client, struct tree *ret, struct error *err);

/* Escape @text for element content and attribute values. Returns the length, or -ENOSPC. */
ssize_t client_escape(const char *text, char *ret, size_t size);

#endif
