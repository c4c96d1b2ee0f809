/*
 * Any bytes from a client: framing, reader, RPCs, on an engine over the simulated
 * kernel, through the socket as a client has it. The first byte says how:
 *
 *   1    the bytes go as they are, hello included; else hello is sent before, and
 *        the input is messages, NUL between them, each framed here
 *   2    base:1.1, chunks
 *   4    there is a configuration to begin with
 *   rest the size of the parts in which they arrive
 *
 * What is framed right is answered, each message once, or the session ends. What
 * then is configured can be written to a file and read back as the same.
 */
#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "netconf/server.h"
#include "netconf/snapshot.h"
#include "store/publish.h"

#define BASE        "urn:ietf:params:xml:ns:netconf:base:1.0"
#define TURNS_MAX   5000
#define QUIET_TURNS 4
#define END_OLD     "]]>]]>"
#define END_NEW     "\n##\n"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static char directory[] = "/dev/shm/l2tpv3d-fuzz-XXXXXX";

struct world {
	struct event_base *base;
	struct kernel *kernel;
	struct datastore *store;
	struct engine *engine;
	struct netconf_server *server;
	int client;
	bool chunked, open;
	size_t length; /* of what came out */
	char output[1 << 18];
};

static const char *place(const char *name)
{
	static char path[64];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static void remove_directory(void)
{
	unlink(place("socket"));
	unlink(place("config.xml"));
	rmdir(directory);
}

static void open_world(struct world *world)
{
	struct engine_options engine = {0};
	struct netconf_options netconf = {.socket_path = place("socket"),
					  .limits = {.message_size = 1 << 20, .memory = 4 << 20}};
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	world->base = event_base_new();
	world->store = datastore_new();
	assert(world->base && world->store);
	assert(kernel_open_sim(&world->kernel, "6.12", NULL) == 0);
	engine.base = netconf.base = world->base;
	engine.kernel = world->kernel;
	engine.store = world->store;
	assert(engine_open(&world->engine, &engine, NULL) == 0);
	netconf.engine = world->engine;
	assert(netconf_open(&world->server, &netconf, NULL) == 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", netconf.socket_path);
	world->client = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert(connect(world->client, (struct sockaddr *)&address, sizeof(address)) == 0);
	world->open = true;
}

static void close_world(struct world *world)
{
	if (world->client >= 0)
		close(world->client);
	engine_finish(world->engine);
	netconf_close(world->server);
	engine_close(world->engine);
	world->kernel->ops->close(world->kernel);
	datastore_free(world->store);
	event_base_free(world->base);
}

/* What there is of a reply; the most recent of it is kept. */
static bool read_reply(struct world *world)
{
	ssize_t count;

	if (world->length > sizeof(world->output) / 2)
		world->length = 0;
	count = recv(world->client, world->output + world->length,
		     sizeof(world->output) - world->length - 1, 0);
	if (count > 0)
		world->length += (size_t)count;
	if (count == 0 || (count < 0 && errno != EAGAIN))
		world->open = false;
	return count > 0;
}

/* Until nothing moves any more. */
static void turn(struct world *world)
{
	unsigned int quiet = 0;

	for (unsigned int i = 0; i < TURNS_MAX && quiet < QUIET_TURNS; i++) {
		struct engine_info info;

		event_base_loop(world->base, EVLOOP_NONBLOCK);
		engine_info(world->engine, &info);
		if ((world->open && read_reply(world)) || info.busy || info.queued)
			quiet = 0;
		else
			quiet++;
	}
}

static void put(struct world *world, const char *bytes, size_t length, size_t part)
{
	while (length > 0 && world->open) {
		size_t count = length < part ? length : part;
		ssize_t sent = send(world->client, bytes, count, MSG_NOSIGNAL);

		if (sent > 0) {
			bytes += sent;
			length -= (size_t)sent;
		} else if (errno != EAGAIN) {
			world->open = false;
		}
		event_base_loop(world->base, EVLOOP_NONBLOCK);
	}
	turn(world);
}

static void greet(struct world *world)
{
	static const char hello[] =
		"<hello xmlns=\"" BASE "\"><capabilities><capability>urn:ietf:"
		"params:netconf:base:1.%c</capability></capabilities></hello>" END_OLD;
	char text[sizeof(hello)];
	int length = snprintf(text, sizeof(text), hello, world->chunked ? '1' : '0');

	put(world, text, (size_t)length, sizeof(text));
	assert(world->open && world->length > 0);
	world->length = 0;
}

static bool ends_with(const struct world *world, const char *end)
{
	size_t length = strlen(end);

	return world->length >= length &&
	       memcmp(world->output + world->length - length, end, length) == 0;
}

static void ask(struct world *world, const char *message, size_t length, size_t part)
{
	char head[32];

	world->length = 0;
	if (world->chunked) {
		int count = snprintf(head, sizeof(head), "\n#%zu\n", length);

		put(world, head, (size_t)count, sizeof(head));
	}
	put(world, message, length, part);
	put(world, world->chunked ? END_NEW : END_OLD, world->chunked ? 4 : 6, 8);
	assert(!world->open || ends_with(world, world->chunked ? END_NEW : END_OLD));
}

static void configure(struct world *world)
{
	static const char message[] =
		"<rpc message-id=\"0\" xmlns=\"" BASE "\"><edit-config><target><running/></target>"
		"<config><l2tpv3 xmlns=\"urn:l2tpv3d:yang:linux-l2tpv3\"><tunnel><tunnel-id>1"
		"</tunnel-id><peer-tunnel-id>1</peer-tunnel-id><local-address>192.0.2.1"
		"</local-address><remote-address>198.51.100.1</"
		"remote-address><session><session-id>1"
		"</session-id><peer-session-id>1</peer-session-id><mtu>1400</"
		"mtu><rx-cookie>01020304"
		"</rx-cookie></session></tunnel></l2tpv3></config></edit-config></rpc>";

	ask(world, message, sizeof(message) - 1, sizeof(message));
	assert(strstr(world->output, "<ok/>"));
}

static char *print(const struct datastore *store, size_t *ret_length)
{
	char *text = NULL;
	FILE *file = open_memstream(&text, ret_length);

	assert(file && snapshot_write(file, store, NULL) == 0);
	fclose(file);
	return text;
}

static void read_back(const struct world *world)
{
	struct datastore *copy = datastore_new();
	struct candidate candidate;
	struct edit *edit = NULL;
	size_t length, again_length;
	char *text = print(world->store, &length), *again;
	FILE *file = fopen(place("config.xml"), "w");

	assert(file && copy);
	fwrite(text, 1, length, file);
	fclose(file);
	assert(snapshot_read(place("config.xml"), &edit, NULL, NULL) == 0);
	candidate_open(&candidate, copy);
	assert(candidate_apply(&candidate, edit, NULL) == 0);
	assert(candidate_validate(&candidate, NULL) == 0);
	assert(candidate_publish(&candidate, copy) == 0);
	candidate_discard(&candidate);
	edit_free(edit);
	again = print(copy, &again_length);
	assert(length == again_length && memcmp(text, again, length) == 0);
	free(text);
	free(again);
	datastore_free(copy);
}

/* Such a message is let pass. */
static bool is_blank(const char *bytes, size_t length)
{
	while (length > 0 && strchr(" \t\r\n", bytes[length - 1]))
		length--;
	return length == 0;
}

static void ask_all(struct world *world, const char *messages, size_t length, size_t part)
{
	const char *end = messages + length;

	while (messages < end && world->open) {
		const char *next = memchr(messages, '\0', (size_t)(end - messages));

		next = next ? next : end;
		/* What holds an end of message inside is two messages, and answered as such. */
		if (!is_blank(messages, (size_t)(next - messages)) &&
		    !memmem(messages, (size_t)(next - messages), "]]>", 3))
			ask(world, messages, (size_t)(next - messages), part);
		messages = next + 1;
	}
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static bool made;
	static struct world world;
	size_t part;

	if (size < 2)
		return 0;
	if (!made && (!mkdtemp(directory) || atexit(remove_directory) != 0))
		abort();
	made = true;
	memset(&world, 0, offsetof(struct world, output));
	open_world(&world);
	world.chunked = data[0] & 2;
	part = 1 + (data[0] >> 3) * 16U;
	if (data[0] & 1) {
		put(&world, (const char *)data + 1, size - 1, part);
	} else {
		greet(&world);
		if (data[0] & 4)
			configure(&world);
		ask_all(&world, (const char *)data + 1, size - 1, part);
	}
	if (world.client >= 0)
		shutdown(world.client, SHUT_WR);
	turn(&world);
	assert(netconf_session_count(world.server) == 0);
	read_back(&world);
	close_world(&world);
	return 0;
}
