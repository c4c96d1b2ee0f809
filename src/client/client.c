#include "client/client.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "client/entries.h"
#include "netconf/framing.h"
#include "netconf/lines.h"
#include "netconf/peer.h"
#include "netconf/reader.h"
#include "netconf/writer.h"

#define INPUT_SIZE     65536
#define REPLY_TREE_MAX (512U << 20)

struct client {
	int fd;
	bool dead; /* the stream is unusable */
	struct framing framing;
	enum framing_version version; /* of what we send */
	unsigned int session_id;
	unsigned long message_id;
	struct tree hello;
	struct error write_error;
	const char *input; /* received, but not yet parsed */
	size_t input_length;
	client_wait_cb *wait; /* NULL: none */
	int wait_ms;
	void *wait_arg;
	char buffer[INPUT_SIZE];
};

static int lost(struct client *client, int os_errno, struct error *err)
{
	client->dead = true;
	if (!os_errno)
		return error_set(err, ERROR_RESOURCE, "the daemon closed the connection");
	return error_set_errno(err, ERROR_RESOURCE, os_errno,
			       "the connection to the daemon failed");
}

/* Output. */

static int send_all(struct client *client, const char *bytes, size_t length, struct error *err)
{
	while (length) {
		ssize_t count = send(client->fd, bytes, length, MSG_NOSIGNAL);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return lost(client, errno, err);
		bytes += count;
		length -= (size_t)count;
	}
	return 0;
}

/*
 * A daemon that refuses a message may close before it has read all of it. Its reply can then be
 * read, and says more than the failed write.
 */
static int note_write_error(struct client *client, struct error *err)
{
	client->write_error = *err;
	client->dead = false;
	err->code = ERROR_NONE;
	return 0;
}

int client_write(struct client *client, const char *text, size_t length, struct error *err)
{
	char head[FRAMING_HEAD_MAX];
	int rc;

	if (!length || client->write_error.code)
		return 0;
	rc = send_all(client, head, framing_head(client->version, length, head), err);
	rc = rc ? rc : send_all(client, text, length, err);
	return rc ? note_write_error(client, err) : 0;
}

static int write_string(struct client *client, const char *text, struct error *err)
{
	return client_write(client, text, strlen(text), err);
}

/* Input. */

static bool is_patient(struct client *client)
{
	struct pollfd answer = {.fd = client->fd, .events = POLLIN};
	bool patient = true;

	while (patient && client->wait && poll(&answer, 1, client->wait_ms) <= 0)
		patient = client->wait(client->wait_arg);
	return patient;
}

static int receive(struct client *client, struct error *err)
{
	ssize_t count;

	if (!is_patient(client))
		return lost(client, EINTR, err);

	do
		count = recv(client->fd, client->buffer, sizeof(client->buffer), 0);
	while (count < 0 && errno == EINTR);
	if (count <= 0)
		return lost(client, count ? errno : 0, err);
	client->input = client->buffer;
	client->input_length = (size_t)count;
	return 0;
}

static int read_pieces(struct client *client, struct reader *reader, struct error *err)
{
	int rc = 0;

	while (!rc) {
		const char *piece = NULL;
		size_t length = 0;

		switch (framing_step(&client->framing, &client->input, &client->input_length,
				     &piece, &length)) {
		case FRAMING_MORE:
			rc = receive(client, err);
			break;
		case FRAMING_DATA:
			rc = reader_feed(reader, piece, length, err);
			break;
		case FRAMING_END:
			return reader_finish(reader, err);
		default:
			rc = error_set(err, ERROR_MALFORMED, "from the daemon: %s",
				       client->framing.reason);
			break;
		}
	}
	client->dead = true;
	return rc;
}

static int read_message(struct client *client, const struct reader_handler *handler, void *arg,
			struct error *err)
{
	struct reader *reader = reader_open(handler, arg);
	int rc;

	if (!reader)
		return error_set(err, ERROR_RESOURCE, "out of memory");
	rc = read_pieces(client, reader, err);
	reader_close(reader);
	return rc;
}

static int read_tree(struct client *client, struct tree *tree, struct error *err)
{
	struct tree_builder builder = {tree, NULL, REPLY_TREE_MAX};

	return read_message(client, &tree_builder_handler, &builder, err);
}

/* Replies. */

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static enum error_code code_of(const char *tag, const char *app_tag)
{
	enum error_code close = ERROR_INTERNAL;

	for (unsigned int code = ERROR_CODES - 1; code > ERROR_NONE; code--) {
		const struct error_kind *kind = error_kind(code);

		if (!same(kind->tag, tag))
			continue;
		if (same(kind->app_tag, app_tag))
			return code;
		close = code;
	}
	return close;
}

/* "/l2tp:tunnel[l2tp:tunnel-id='1']" without the prefixes. */
static void strip_prefixes(const char *path, char *ret, size_t size)
{
	bool quoted = false;
	size_t used = 0;

	for (; *path && used + 1 < size; path++) {
		size_t name = strspn(path, "abcdefghijklmnopqrstuvwxyz-_0123456789");

		quoted ^= *path == '\'';
		if (!quoted && used && (ret[used - 1] == '/' || ret[used - 1] == '[') &&
		    path[name] == ':') {
			path += name;
			continue;
		}
		ret[used++] = *path;
	}
	ret[used] = '\0';
}

static const char *text_of(const struct node *node, const char *child)
{
	const char *text = node_text(node, child, NAMESPACE_BASE);

	return text ? text : "";
}

static void read_error(const struct node *from, struct error *err)
{
	const struct node *info = node_child(from, "error-info", NAMESPACE_BASE);
	const char *app_tag = node_text(from, "error-app-tag", NAMESPACE_BASE);
	const char *message = text_of(from, "error-message");
	const char *tag = text_of(from, "error-tag");

	error_set(err, code_of(tag, app_tag), "%s", *message ? message : tag);
	strip_prefixes(text_of(from, "error-path"), err->path, sizeof(err->path));
	/* Not the path of another entry: that is in the message, as people write it. */
	if (info && info->first && info->first->text[0] != '/')
		snprintf(err->info, sizeof(err->info), "%s", info->first->text);
	if (info)
		err->session = (unsigned int)strtoul(text_of(info, "session-id"), NULL, 10);
}

static int read_errors(const struct node *reply, struct error *err)
{
	int rc = 0;

	for (const struct node *at = reply->first; at && rc == 0; at = at->next) {
		struct error one = ERROR_INIT;

		if (!node_is(at, "rpc-error", NAMESPACE_BASE))
			continue;
		read_error(at, &one);
		rc = error_append(err, &one);
	}
	return rc ? rc : error_result(err);
}

static int check_reply(struct client *client, const struct node *reply, struct error *err)
{
	if (!node_is(reply, "rpc-reply", NAMESPACE_BASE)) {
		client->dead = true;
		return error_set(err, ERROR_MALFORMED, "the daemon sent <%s>, not a reply",
				 reply->name);
	}
	return node_child(reply, "rpc-error", NAMESPACE_BASE) ? read_errors(reply, err) : 0;
}

/* Calls. */

int client_begin(struct client *client, struct error *err)
{
	char text[256];

	if (client->dead)
		return lost(client, 0, err);
	snprintf(text, sizeof(text),
		 "<rpc xmlns=\"" NAMESPACE_BASE "\" xmlns:l2tp=\"" NAMESPACE_MODULE
		 "\" message-id=\"%lu\">",
		 ++client->message_id);
	return write_string(client, text, err);
}

static int end_rpc(struct client *client, struct error *err)
{
	const char *tail = framing_tail(client->version);
	int rc = write_string(client, "</rpc>", err);

	if (rc || client->write_error.code)
		return rc;
	return send_all(client, tail, strlen(tail), err) ? note_write_error(client, err) : 0;
}

/* If there is no reply either, the failed write is the better reason. */
static int prefer_write_error(struct client *client, int rc, struct error *err)
{
	if (rc && client->dead && client->write_error.code)
		*err = client->write_error;
	return rc;
}

int client_notification(struct client *client, struct tree *ret, struct error *err)
{
	int rc = client->dead ? lost(client, 0, err) : read_tree(client, ret, err);

	if (rc || node_is(ret->root, "notification", NAMESPACE_NOTIFICATION))
		return rc;
	client->dead = true;
	return error_set(err, ERROR_MALFORMED, "the daemon sent <%s>, not a notification",
			 ret->root->name);
}

int client_end(struct client *client, struct tree *ret_reply, struct error *err)
{
	struct tree reply = {0};
	int rc = end_rpc(client, err);

	rc = rc ? rc : read_tree(client, &reply, err);
	rc = rc ? rc : check_reply(client, reply.root, err);
	if (!rc && ret_reply)
		*ret_reply = reply;
	else
		tree_free(&reply);
	return prefer_write_error(client, rc, err);
}

int client_rpc(struct client *client, const char *operation, struct tree *ret_reply,
	       struct error *err)
{
	int rc = client_begin(client, err);

	rc = rc ? rc : write_string(client, operation, err);
	return rc ? rc : client_end(client, ret_reply, err);
}

int client_read(struct client *client, const char *operation, client_entry_cb *cb, void *arg,
		struct error *err)
{
	struct entries *entries = entries_open(cb, arg);
	int rc = client_begin(client, err);

	if (!entries)
		return error_set(err, ERROR_RESOURCE, "out of memory");
	rc = rc ? rc : write_string(client, operation, err);
	rc = rc ? rc : end_rpc(client, err);
	rc = rc ? rc : read_message(client, &entries_handler, entries, err);
	if (!rc)
		rc = check_reply(client, entries_reply(entries), err);
	entries_close(entries);
	return prefer_write_error(client, rc, err);
}

/* Life. */

static int connect_to(const char *path, int *ret_fd, struct error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd, os_errno;

	if (strlen(path) >= sizeof(address.sun_path))
		return error_set(err, ERROR_INVALID_LENGTH, "the socket path %.60s... is too long",
				 path);
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_set_errno(err, ERROR_RESOURCE, errno, "cannot make a socket");
	peer_tell_source(fd, getenv("SSH_CONNECTION")); /* set in the shell that started us */
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address))) {
		os_errno = errno;
		close(fd);
		return error_set_errno(err, ERROR_RESOURCE, os_errno, "no l2tpv3d at %s", path);
	}
	*ret_fd = fd;
	return 0;
}

/* A daemon that has no place for us says so in the framing of NETCONF 1.0, and closes. */
static int read_refusal(struct client *client, struct error *err)
{
	struct tree reply = {0};
	int rc = read_tree(client, &reply, err);

	rc = rc ? rc : check_reply(client, reply.root, err);
	tree_free(&reply);
	return rc ? rc : error_set(err, ERROR_MALFORMED, "this is no NETCONF 1.1 server");
}

static int exchange_hellos(struct client *client, struct error *err)
{
	char ours[512], lines[LINES_CAPABILITY_MAX];
	int length, rc;

	lines_capability(lines);
	length = snprintf(ours, sizeof(ours),
			  "<hello xmlns=\"" NAMESPACE_BASE "\"><capabilities><capability>%s"
			  "</capability><capability>%s</capability><capability>%s</capability>"
			  "</capabilities></hello>]]>]]>",
			  CAPABILITY_1_1, CAPABILITY_SHELL, lines);
	if (send_all(client, ours, (size_t)length, err))
		note_write_error(client, err);
	rc = read_tree(client, &client->hello, err);
	if (rc)
		return prefer_write_error(client, rc, err);
	client->session_id =
		(unsigned int)strtoul(text_of(client->hello.root, "session-id"), NULL, 10);
	if (!node_is(client->hello.root, "hello", NAMESPACE_BASE) || !client->session_id ||
	    !client_has_capability(client, CAPABILITY_1_1))
		return read_refusal(client, err);
	client->version = FRAMING_CHUNKED;
	framing_switch(&client->framing, FRAMING_CHUNKED);
	return 0;
}

int client_open(struct client **ret, const char *socket_path, struct error *err)
{
	struct client *client = calloc(1, sizeof(*client));
	int rc;

	if (!client)
		return error_set(err, ERROR_RESOURCE, "out of memory");
	client->fd = -1;
	framing_init(&client->framing, 0);
	rc = connect_to(socket_path, &client->fd, err);
	rc = rc ? rc : exchange_hellos(client, err);
	if (rc) {
		client->dead = true;
		client_close(client);
		return rc;
	}
	*ret = client;
	return 0;
}

void client_close(struct client *client)
{
	struct error ignored;

	if (!client)
		return;
	if (!client->dead)
		client_rpc(client, "<close-session/>", NULL, &ignored);
	if (client->fd >= 0)
		close(client->fd);
	tree_free(&client->hello);
	free(client);
}

bool client_has_capability(const struct client *client, const char *uri)
{
	const struct node *list = node_child(client->hello.root, "capabilities", NAMESPACE_BASE);

	for (const struct node *at = list ? list->first : NULL; at; at = at->next)
		if (!strcmp(at->text, uri))
			return true;
	return false;
}

void client_on_wait(struct client *client, int ms, client_wait_cb *wait, void *arg)
{
	client->wait = wait;
	client->wait_ms = ms;
	client->wait_arg = arg;
}

void client_hang_up(struct client *client)
{
	client->dead = true;
	close(client->fd);
	client->fd = -1;
}

bool client_unanswered(const struct client *client)
{
	return client->dead && client->fd >= 0 && !client->write_error.code;
}

unsigned int client_session_id(const struct client *client)
{
	return client->session_id;
}

struct target {
	char *ret;
	size_t size, used;
};

static int to_target(const char *bytes, size_t length, void *arg)
{
	struct target *target = arg;

	if (target->used + length >= target->size)
		return -ENOSPC;
	memcpy(target->ret + target->used, bytes, length);
	target->used += length;
	return 0;
}

ssize_t client_escape(const char *text, char *ret, size_t size)
{
	struct target target = {ret, size, 0};
	struct writer writer;
	int rc;

	writer_init(&writer, to_target, &target);
	write_escaped(&writer, text, strlen(text));
	rc = writer_flush(&writer);
	if (size)
		ret[target.used] = '\0';
	return rc ? rc : (ssize_t)target.used;
}
