/* The simulated kernel: opens, executes requests, fails on demand. sim.h says what it simulates. */
#include "kernel/sim/sim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/sim/simulated.h"
#include "base/clock.h"
#include "base/fault.h"

#define ALL_CAPABILITIES                                                                           \
	(CAPABILITY_UDP | CAPABILITY_IP | CAPABILITY_IP6 | CAPABILITY_ETHERNET | CAPABILITY_PPP)

static const struct sim_profile profiles[] = {
	{
		.name = "6.1",
		.release = "simulated 6.1",
		.tunnel_id_goes_last = true,
	},
	{
		.name = "6.12",
		.release = "simulated 6.12",
		.session_delete_waits = true,
		.ids_repeat_in_udp_tunnel = true,
	},
};

/*
 * Requests.
 */

struct sim_verb {
	int (*execute)(struct sim *sim, struct kernel_request *request);
	bool l2tp; /* of the l2tp family: needs the module and CAP_NET_ADMIN */
	bool write;
};

/* clang-format off */
static const struct sim_verb verbs[SIM_VERBS] = {
	[KERNEL_TUNNEL_CREATE]	= { sim_do_tunnel_create,  true,  true },
	[KERNEL_TUNNEL_DELETE]	= { sim_do_tunnel_delete,  true,  true },
	[KERNEL_TUNNEL_GET]	= { sim_do_tunnel_get,     true,  false },
	[KERNEL_SESSION_CREATE]	= { sim_do_session_create, true,  true },
	[KERNEL_SESSION_MODIFY]	= { sim_do_session_modify, true,  true },
	[KERNEL_SESSION_DELETE]	= { sim_do_session_delete, true,  true },
	[KERNEL_SESSION_GET]	= { sim_do_session_get,    true,  false },
	[KERNEL_LINK_SET]	= { sim_do_link_set,       false, true },
	[KERNEL_LINK_GET]	= { sim_do_link_get,       false, false },
	[KERNEL_VLAN_CREATE]	= { sim_do_vlan_create,    false, true },
	[KERNEL_LINK_DELETE]	= { sim_do_link_delete,    false, true },
};
/* clang-format on */

static int execute(struct sim *sim, struct kernel_request *request)
{
	const struct sim_verb *verb = &verbs[request->verb];

	if (verb->l2tp && !sim->connected && !sim->foreign)
		return -ENOENT;
	if (verb->l2tp && sim->forbidden && !sim->foreign)
		return -EPERM;
	return verb->execute(sim, request);
}

/* Count down. Returns the failure that is due now, if any. */
static const struct sim_planned_failure *next_failure(struct sim *sim, enum kernel_verb verb)
{
	const struct sim_planned_failure *due = NULL;

	for (unsigned int i = 0; i < SIM_FAILURES; i++) {
		struct sim_planned_failure *failure = &sim->failures[i];

		if (failure->countdown == 0 ||
		    (failure->verb != SIM_ANY && failure->verb != (int)verb))
			continue;
		if (--failure->countdown == 0 && !due)
			due = failure;
	}
	return due;
}

/* Nonzero: the replies to this request and all that follow are lost. */
static int execute_counted(struct sim *sim, struct kernel_request *request)
{
	const struct sim_planned_failure *failure = next_failure(sim, request->verb);

	sim->calls[request->verb]++;
	sim->writes += verbs[request->verb].write;
	if (verbs[request->verb].write)
		fault_point("netlink");
	if (!failure) {
		request->result = execute(sim, request);
		return 0;
	}
	if (failure->how != SIM_REFUSE)
		execute(sim, request);
	request->result = failure->how == SIM_LOSE ? -EIO : failure->error;
	return failure->how == SIM_LOSE ? failure->error : 0;
}

static int sim_submit(struct kernel *kernel, struct kernel_request *requests, size_t count)
{
	struct sim *sim = sim_of(kernel);
	int rc = 0;

	sim_catch_up(sim);
	for (size_t i = 0; i < count; i++) {
		if (rc)
			requests[i].result = -EIO;
		else
			rc = execute_counted(sim, &requests[i]);
	}
	return rc;
}

int sim_foreign(struct kernel *kernel, struct kernel_request *request)
{
	struct sim *sim = sim_of(kernel);

	sim_catch_up(sim);
	sim->foreign = true;
	request->result = execute(sim, request);
	sim->foreign = false;
	return request->result;
}

int sim_fail(struct kernel *kernel, int verb, unsigned int n, enum sim_failure how, int error)
{
	struct sim *sim = sim_of(kernel);

	for (unsigned int i = 0; i < SIM_FAILURES; i++) {
		if (sim->failures[i].countdown)
			continue;
		sim->failures[i] = (struct sim_planned_failure){
			.verb = verb, .countdown = n, .how = how, .error = error};
		return 0;
	}
	return -ENOSPC;
}

unsigned int sim_failures_waiting(const struct kernel *kernel)
{
	const struct sim *sim = sim_of(kernel);
	unsigned int count = 0;

	for (unsigned int i = 0; i < SIM_FAILURES; i++)
		count += sim->failures[i].countdown != 0;
	return count;
}

uint64_t sim_calls_of(const struct kernel *kernel, enum kernel_verb verb)
{
	return sim_of(kernel)->calls[verb];
}

uint64_t sim_calls(const struct kernel *kernel)
{
	uint64_t calls = 0;

	for (unsigned int verb = 0; verb < SIM_VERBS; verb++)
		calls += sim_of(kernel)->calls[verb];
	return calls;
}

void sim_miss_in_dump(struct kernel *kernel, unsigned int n)
{
	sim_of(kernel)->miss_every = n;
}

void sim_interrupt_dumps(struct kernel *kernel, unsigned int n)
{
	sim_of(kernel)->interrupted_dumps = n;
}

struct sim_population sim_population(const struct kernel *kernel)
{
	return sim_of(kernel)->population;
}

/*
 * Connecting and capabilities.
 */

static int sim_connect(struct kernel *kernel, struct error *err)
{
	struct sim *sim = sim_of(kernel);

	sim->connected = false;
	if (!(sim->capabilities & CAPABILITY_UDP)) {
		error_set_errno(err, ERROR_KERNEL, ENOENT,
				"the simulated kernel has no module l2tp_netlink");
		return -ENOENT;
	}
	if (sim->forbidden) {
		error_set_errno(err, ERROR_KERNEL, EPERM,
				"the simulated kernel does not give CAP_NET_ADMIN");
		return -EPERM;
	}
	sim->connected = true;
	return 0;
}

static unsigned int sim_capabilities(struct kernel *kernel)
{
	return sim_of(kernel)->connected ? sim_of(kernel)->capabilities : 0;
}

void sim_set_capabilities(struct kernel *kernel, unsigned int capabilities)
{
	struct sim *sim = sim_of(kernel);

	if ((capabilities & CAPABILITY_UDP) && !(sim->capabilities & CAPABILITY_UDP))
		sim_tell(sim, KERNEL_EVENT_FAMILY, 0, 0);
	sim->capabilities = capabilities;
	if (!(capabilities & CAPABILITY_UDP))
		sim->connected = false;
}

void sim_set_permitted(struct kernel *kernel, bool permitted)
{
	sim_of(kernel)->forbidden = !permitted;
}

static const char *sim_release(struct kernel *kernel)
{
	return sim_of(kernel)->profile->release;
}

static const char *sim_instance(struct kernel *kernel)
{
	return sim_of(kernel)->instance;
}

static uint64_t sim_writes(struct kernel *kernel)
{
	return sim_of(kernel)->writes;
}

/*
 * Opening and closing.
 */

static void sim_close(struct kernel *kernel)
{
	struct sim *sim = sim_of(kernel);

	sim_sessions_close(sim);
	sim_tunnels_close(sim);
	sim_links_close(sim);
	sim_world_close(sim);
	sim_events_close(sim);
	close(sim->timer_fd);
	free(sim);
}

#define DUMPED_A_CALL 100

static int sim_dump_piece(struct kernel *kernel, enum kernel_dump what, bool begin,
			  const struct kernel_visitor *visitor)
{
	struct sim *sim = sim_of(kernel);
	struct sim_dump *dump = &sim->dump;

	if (begin)
		*dump = (struct sim_dump){.what = what};
	switch (dump->what) {
	case DUMP_LINKS:
		return sim_links_piece(sim, dump, DUMPED_A_CALL, visitor->link, visitor->arg);
	case DUMP_TUNNELS:
		return sim_tunnels_piece(sim, dump, DUMPED_A_CALL, visitor->tunnel, visitor->arg);
	case DUMP_SESSIONS:
		return sim_sessions_piece(sim, dump, DUMPED_A_CALL, visitor->session, visitor->arg);
	}
	return -EINVAL;
}

static void sim_leave_dump(struct kernel *kernel)
{
	(void)kernel; /* the next dump begins anew */
}

static const struct kernel_operations operations = {
	.name = "sim",
	.close = sim_close,
	.connect = sim_connect,
	.submit = sim_submit,
	.keep = sim_keep,
	.put_back = sim_put_back,
	.send_frames = sim_send_frames,
	.dump_tunnels = sim_dump_tunnels,
	.dump_sessions = sim_dump_sessions,
	.dump_links = sim_dump_links,
	.dump_piece = sim_dump_piece,
	.leave_dump = sim_leave_dump,
	.read_counters = sim_read_counters,
	.leave_counters = sim_leave_counters,
	.address_state = sim_address_state,
	.interface_address = sim_interface_address,
	.interface_has = sim_interface_has,
	.route = sim_route,
	.path = sim_path,
	.event_fds = sim_event_fds,
	.hush = sim_hush,
	.read_events = sim_read_events,
	.capabilities = sim_capabilities,
	.instance = sim_instance,
	.tunnel_socket = sim_tunnel_socket,
	.release = sim_release,
	.writes = sim_writes,
};

static const struct sim_profile *find_profile(const char *name)
{
	for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++) {
		if (!strcmp(profiles[i].name, name))
			return &profiles[i];
	}
	return NULL;
}

static int open_parts(struct sim *sim)
{
	int rc = sim_events_open(sim);

	if (!rc)
		rc = sim_time_open(sim);
	return rc ? rc : sim_world_open(sim);
}

int kernel_open_sim(struct kernel **ret, const char *profile, struct error *err)
{
	const struct sim_profile *found = find_profile(profile);
	struct sim *sim;

	if (!found)
		return error_set(err, ERROR_INVALID_VALUE,
				 "no simulated kernel \"%s\"; there are 6.1 and 6.12", profile);
	sim = calloc(1, sizeof(*sim));
	if (!sim)
		return error_set_errno(err, ERROR_RESOURCE, ENOMEM, "out of memory");
	sim->kernel.ops = &operations;
	sim->profile = found;
	sim->capabilities = ALL_CAPABILITIES;
	sim->random = 1;
	snprintf(sim->instance, sizeof(sim->instance), "simulated %d %p %lld", getpid(),
		 (void *)sim, (long long)clock_now());
	sim->event_fd = sim->timer_fd = -1;
	if (open_parts(sim)) {
		sim_close(&sim->kernel);
		return error_set_errno(err, ERROR_RESOURCE, errno,
				       "cannot open the simulated kernel");
	}
	sim_forget_events(sim);
	*ret = &sim->kernel;
	return 0;
}
