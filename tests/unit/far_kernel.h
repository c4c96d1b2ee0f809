/*
 * A simulated kernel that outlives the daemon: it lives in the test, and the
 * daemon, another process, has a struct kernel that hands every request over
 * through a socket and shared memory. Before each the daemon may die: fault
 * point "netlink".
 */
#ifndef TESTS_UNIT_FAR_KERNEL_H
#define TESTS_UNIT_FAR_KERNEL_H

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/sim/sim.h"
#include "base/fault.h"

enum far_call {
	FAR_CONNECT,
	FAR_SUBMIT, /* one request */
	FAR_DUMP_TUNNELS,
	FAR_DUMP_SESSIONS,
	FAR_DUMP_LINKS,
	FAR_ADDRESS_STATE,
	FAR_INTERFACE_ADDRESS,
	FAR_INTERFACE_HAS,
	FAR_ROUTE,
	FAR_READ_EVENTS,
	FAR_CAPABILITIES,
	FAR_INSTANCE,
	FAR_TUNNEL_SOCKET
};

#define FAR_ENTRIES_MAX 512

struct far_entry {
	uint32_t tunnel_id;
	struct tunnel tunnel;
	struct session session;
	struct statistics statistics;
	struct kernel_link link;
	struct kernel_event event;
	char alias[DESCRIPTION_LENGTH +
		   1]; /* of either's link, whose pointer is good on one side */
};

static void far_take_alias(struct far_entry *entry, const struct kernel_link *link)
{
	snprintf(entry->alias, sizeof(entry->alias), "%s", link->alias ? link->alias : "");
}

struct far_shared {
	enum far_call call;
	int result;
	struct error error;
	struct kernel_request request;
	struct far_entry entry; /* what the request points to */
	bool has_tunnel, has_session;
	struct address address, remote;
	char name[IFNAME_LENGTH + 1];
	char instance[64];
	uint64_t socket;
	unsigned int index;
	struct kernel_route route;
	size_t count;
	struct far_entry entries[FAR_ENTRIES_MAX];
	unsigned int acknowledged; /* commits, told by the daemon */
};

/* ---- the test's side */

static void far_add(struct far_shared *shared, const struct far_entry *entry)
{
	if (shared->count == FAR_ENTRIES_MAX)
		abort();
	shared->entries[shared->count++] = *entry;
}

static int far_on_tunnel(const struct tunnel *tunnel, const struct statistics *statistics,
			 void *arg)
{
	far_add(arg, &(struct far_entry){.tunnel = *tunnel, .statistics = *statistics});
	return 0;
}

static int far_on_session(uint32_t tunnel_id, const struct session *session,
			  const struct statistics *statistics, void *arg)
{
	far_add(arg, &(struct far_entry){.tunnel_id = tunnel_id,
					 .session = *session,
					 .statistics = *statistics});
	return 0;
}

static int far_on_link(const struct kernel_link *link, void *arg)
{
	struct far_entry entry = {.link = *link};

	far_take_alias(&entry, link);
	far_add(arg, &entry);
	return 0;
}

static void far_on_event(const struct kernel_event *event, void *arg)
{
	struct far_entry entry = {.event = *event};

	far_take_alias(&entry, &event->link);
	far_add(arg, &entry);
}

static int far_execute(struct kernel *kernel, struct far_shared *shared)
{
	struct kernel_request *request = &shared->request;

	request->tunnel = shared->has_tunnel ? &shared->entry.tunnel : NULL;
	request->session = shared->has_session ? &shared->entry.session : NULL;
	request->link.alias = shared->entry.alias;
	request->ret_tunnel = &shared->entries[0].tunnel;
	request->ret_session = &shared->entries[0].session;
	request->ret_statistics = &shared->entries[0].statistics;
	return kernel->ops->submit(kernel, request, 1);
}

static int far_serve_call(struct kernel *kernel, struct far_shared *shared)
{
	const struct kernel_operations *k = kernel->ops;

	shared->count = 0;
	switch (shared->call) {
	case FAR_CONNECT:
		return k->connect(kernel, &shared->error);
	case FAR_SUBMIT:
		return far_execute(kernel, shared);
	case FAR_DUMP_TUNNELS:
		return k->dump_tunnels(kernel, far_on_tunnel, shared);
	case FAR_DUMP_SESSIONS:
		return k->dump_sessions(kernel, far_on_session, shared);
	case FAR_DUMP_LINKS:
		return k->dump_links(kernel, far_on_link, shared);
	case FAR_ADDRESS_STATE:
		return (int)k->address_state(kernel, &shared->address, shared->index);
	case FAR_INTERFACE_ADDRESS:
		return k->interface_address(kernel, shared->name, &shared->remote,
					    &shared->address);
	case FAR_INTERFACE_HAS:
		return k->interface_has(kernel, shared->name, &shared->address);
	case FAR_ROUTE:
		return k->route(kernel, &shared->entry.tunnel, &shared->route);
	case FAR_READ_EVENTS:
		k->read_events(kernel, far_on_event, shared);
		return 0;
	case FAR_CAPABILITIES:
		return (int)k->capabilities(kernel);
	case FAR_INSTANCE:
		snprintf(shared->instance, sizeof(shared->instance), "%s", k->instance(kernel));
		return 0;
	case FAR_TUNNEL_SOCKET:
		shared->socket = k->tunnel_socket(kernel, &shared->entry.tunnel);
		return 0;
	}
	abort();
}

/* Until the daemon has ended. */
static void far_serve(struct kernel *kernel, struct far_shared *shared, int socket)
{
	char byte;

	while (read(socket, &byte, 1) == 1) {
		shared->result = far_serve_call(kernel, shared);
		if (send(socket, &byte, 1, MSG_NOSIGNAL) < 0)
			return;
	}
}

/* ---- the daemon's side */

/* Descriptors of the daemon when it begins. */
enum { FAR_SOCKET_FD = 3, FAR_SHARED_FD, FAR_EVENT_FD, FAR_EVENT_FD_2, FAR_END_FD };

struct far_kernel {
	struct kernel kernel;
	struct far_shared *shared;
	unsigned int event_fds;
	uint64_t writes;
};

static struct far_shared *far_shared(struct kernel *kernel)
{
	return ((struct far_kernel *)kernel)->shared;
}

static int far_call(struct kernel *kernel, enum far_call call)
{
	struct far_shared *shared = far_shared(kernel);
	char byte = 0;

	shared->call = call;
	if (write(FAR_SOCKET_FD, &byte, 1) != 1 || read(FAR_SOCKET_FD, &byte, 1) != 1)
		_exit(99); /* the test is gone */
	return shared->result;
}

static void far_close(struct kernel *kernel)
{
	munmap(far_shared(kernel), sizeof(struct far_shared));
	free(kernel);
}

static int far_connect(struct kernel *kernel, struct error *err)
{
	int result = far_call(kernel, FAR_CONNECT);

	if (err)
		*err = far_shared(kernel)->error;
	return result;
}

static int far_submit_one(struct kernel *kernel, struct kernel_request *request)
{
	struct far_shared *shared = far_shared(kernel);
	int result;

	fault_point("netlink");
	shared->request = *request;
	shared->has_tunnel = request->tunnel != NULL;
	shared->has_session = request->session != NULL;
	if (request->tunnel)
		shared->entry.tunnel = *request->tunnel;
	if (request->session)
		shared->entry.session = *request->session;
	far_take_alias(&shared->entry, &request->link);
	result = far_call(kernel, FAR_SUBMIT);
	request->result = shared->request.result;
	request->link = shared->request.link;
	request->link.alias = NULL; /* a GET tells none */
	if (request->ret_tunnel)
		*request->ret_tunnel = shared->entries[0].tunnel;
	if (request->ret_session)
		*request->ret_session = shared->entries[0].session;
	if (request->ret_statistics)
		*request->ret_statistics = shared->entries[0].statistics;
	return result;
}

static int far_submit(struct kernel *kernel, struct kernel_request *requests, size_t count)
{
	int result = 0;

	for (size_t i = 0; i < count && result == 0; i++)
		result = far_submit_one(kernel, &requests[i]);
	return result;
}

static int far_dump_tunnels(struct kernel *kernel, kernel_tunnel_cb *cb, void *arg)
{
	struct far_shared *shared = far_shared(kernel);
	int result = far_call(kernel, FAR_DUMP_TUNNELS);
	size_t count = shared->count;

	for (size_t i = 0; i < count && result == 0; i++)
		result = cb(&shared->entries[i].tunnel, &shared->entries[i].statistics, arg);
	return result;
}

static int far_dump_sessions(struct kernel *kernel, kernel_session_cb *cb, void *arg)
{
	struct far_shared *shared = far_shared(kernel);
	int result = far_call(kernel, FAR_DUMP_SESSIONS);
	size_t count = shared->count;

	for (size_t i = 0; i < count && result == 0; i++)
		result = cb(shared->entries[i].tunnel_id, &shared->entries[i].session,
			    &shared->entries[i].statistics, arg);
	return result;
}

static int far_dump_links(struct kernel *kernel, kernel_link_cb *cb, void *arg)
{
	struct far_shared *shared = far_shared(kernel);
	int result = far_call(kernel, FAR_DUMP_LINKS);
	size_t count = shared->count;

	for (size_t i = 0; i < count && result == 0; i++) {
		shared->entries[i].link.alias = shared->entries[i].alias;
		result = cb(&shared->entries[i].link, arg);
	}
	return result;
}

/* In one piece. */
static int far_dump_piece(struct kernel *kernel, enum kernel_dump what, bool begin,
			  const struct kernel_visitor *visitor)
{
	(void)begin;
	return what == DUMP_LINKS     ? far_dump_links(kernel, visitor->link, visitor->arg)
	       : what == DUMP_TUNNELS ? far_dump_tunnels(kernel, visitor->tunnel, visitor->arg)
				      : far_dump_sessions(kernel, visitor->session, visitor->arg);
}

static void far_leave_dump(struct kernel *kernel)
{
	(void)kernel;
}

static int far_read_counters(struct kernel *kernel, bool begin, kernel_counters_cb *cb, void *arg)
{
	(void)kernel, (void)begin, (void)cb, (void)arg;
	return -EOPNOTSUPP; /* GETs then */
}

static void far_leave_counters(struct kernel *kernel)
{
	(void)kernel;
}

static enum kernel_address_state far_address_state(struct kernel *kernel,
						   const struct address *address, unsigned int vrf)
{
	far_shared(kernel)->address = *address;
	far_shared(kernel)->index = vrf;
	return (enum kernel_address_state)far_call(kernel, FAR_ADDRESS_STATE);
}

static int far_interface_address(struct kernel *kernel, const char *interface,
				 const struct address *remote, struct address *ret)
{
	struct far_shared *shared = far_shared(kernel);
	int result;

	snprintf(shared->name, sizeof(shared->name), "%s", interface);
	shared->remote = *remote;
	shared->address = *ret;
	result = far_call(kernel, FAR_INTERFACE_ADDRESS);
	if (result == 0 || result == -EAGAIN)
		*ret = shared->address;
	return result;
}

static int far_interface_has(struct kernel *kernel, const char *interface,
			     const struct address *address)
{
	struct far_shared *shared = far_shared(kernel);

	snprintf(shared->name, sizeof(shared->name), "%s", interface);
	shared->address = *address;
	return far_call(kernel, FAR_INTERFACE_HAS);
}

static int far_route(struct kernel *kernel, const struct tunnel *tunnel, struct kernel_route *ret)
{
	struct far_shared *shared = far_shared(kernel);
	int result;

	shared->entry.tunnel = *tunnel;
	result = far_call(kernel, FAR_ROUTE);
	*ret = shared->route;
	return result;
}

static void far_hush(struct kernel *kernel, bool hush)
{
	(void)kernel, (void)hush;
}

static unsigned int far_event_fds(struct kernel *kernel, int ret_fds[2])
{
	ret_fds[0] = FAR_EVENT_FD;
	ret_fds[1] = FAR_EVENT_FD_2;
	return ((struct far_kernel *)kernel)->event_fds;
}

/* A callback may ask the kernel something: keep the events apart. */
static void far_read_events(struct kernel *kernel, kernel_event_cb *cb, void *arg)
{
	struct far_shared *shared = far_shared(kernel);
	struct kernel_event events[FAR_ENTRIES_MAX];
	char aliases[FAR_ENTRIES_MAX][DESCRIPTION_LENGTH + 1];
	size_t count;

	far_call(kernel, FAR_READ_EVENTS);
	count = shared->count;
	for (size_t i = 0; i < count; i++) {
		events[i] = shared->entries[i].event;
		memcpy(aliases[i], shared->entries[i].alias, sizeof(aliases[i]));
		events[i].link.alias = aliases[i];
	}
	for (size_t i = 0; i < count; i++)
		cb(&events[i], arg);
}

static unsigned int far_capabilities(struct kernel *kernel)
{
	return (unsigned int)far_call(kernel, FAR_CAPABILITIES);
}

static const char *far_instance(struct kernel *kernel)
{
	far_call(kernel, FAR_INSTANCE);
	return far_shared(kernel)->instance;
}

static uint64_t far_tunnel_socket(struct kernel *kernel, const struct tunnel *tunnel)
{
	far_shared(kernel)->entry.tunnel = *tunnel;
	far_call(kernel, FAR_TUNNEL_SOCKET);
	return far_shared(kernel)->socket;
}

static const char *far_release(struct kernel *kernel)
{
	(void)kernel;
	return "far away";
}

static uint64_t far_writes(struct kernel *kernel)
{
	return ((struct far_kernel *)kernel)->writes;
}

/* Nobody sets anything on its links. */
static int far_keep(struct kernel *kernel, unsigned int index, struct kernel_kept **ret)
{
	(void)kernel;
	(void)index;
	*ret = NULL;
	return 0;
}

static struct kernel *far_open(unsigned int event_fds)
{
	static const struct kernel_operations operations = {
		.name = "far",
		.close = far_close,
		.connect = far_connect,
		.submit = far_submit,
		.keep = far_keep,
		.dump_tunnels = far_dump_tunnels,
		.dump_sessions = far_dump_sessions,
		.dump_links = far_dump_links,
		.dump_piece = far_dump_piece,
		.leave_dump = far_leave_dump,
		.read_counters = far_read_counters,
		.leave_counters = far_leave_counters,
		.address_state = far_address_state,
		.interface_address = far_interface_address,
		.interface_has = far_interface_has,
		.route = far_route,
		.event_fds = far_event_fds,
		.hush = far_hush,
		.read_events = far_read_events,
		.capabilities = far_capabilities,
		.instance = far_instance,
		.tunnel_socket = far_tunnel_socket,
		.release = far_release,
		.writes = far_writes,
	};
	struct far_kernel *far = calloc(1, sizeof(*far));

	far->kernel.ops = &operations;
	far->event_fds = event_fds;
	far->shared = mmap(NULL, sizeof(*far->shared), PROT_READ | PROT_WRITE, MAP_SHARED,
			   FAR_SHARED_FD, 0);
	if (far->shared == MAP_FAILED)
		_exit(98);
	return &far->kernel;
}

/* ---- a daemon's life */

struct far_life {
	bool died;                 /* by SIGKILL */
	int status;                /* else its exit status */
	unsigned int acknowledged; /* commits */
};

/* In the child: descriptors where the daemon looks for them, and nothing else open. */
static void far_exec(int socket, int memory, struct kernel *kernel, const char *die_at,
		     const char *story, const char *directory)
{
	int fds[2] = {-1, -1}, want[4], count = 2;
	char events[4];

	count += (int)kernel->ops->event_fds(kernel, fds);
	want[0] = socket;
	want[1] = memory;
	want[2] = fds[0];
	want[3] = fds[1];
	for (int i = 0; i < count; i++) /* above those that it shall have */
		want[i] = fcntl(want[i], F_DUPFD_CLOEXEC, 100);
	for (int i = 0; i < count; i++)
		dup2(want[i], FAR_SOCKET_FD + i);
	close_range(FAR_END_FD, ~0U, 0);
	snprintf(events, sizeof(events), "%d", count - 2);
	if (*die_at)
		setenv("L2TPV3D_DIE_AT", die_at, 1);
	execl("/proc/self/exe", "daemon", events, story, directory, (char *)NULL);
	_exit(97);
}

/*
 * Run this program once more, as a daemon over @kernel, with the arguments
 * "<event descriptors> <story> <directory>", to die at @die_at ("" not).
 */
static struct far_life far_live(struct kernel *kernel, const char *die_at, const char *story,
				const char *directory)
{
	int memory = memfd_create("far", MFD_CLOEXEC), sockets[2], status;
	struct far_shared *shared;
	struct far_life life;
	pid_t pid;

	if (memory < 0 || ftruncate(memory, sizeof(*shared)) < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) < 0)
		abort();
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	pid = fork();
	if (pid == 0)
		far_exec(sockets[1], memory, kernel, die_at, story, directory);
	close(sockets[1]);
	far_serve(kernel, shared, sockets[0]);
	if (waitpid(pid, &status, 0) != pid)
		abort();
	life.died = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	life.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	life.acknowledged = shared->acknowledged;
	munmap(shared, sizeof(*shared));
	close(sockets[0]);
	close(memory);
	return life;
}

#endif
