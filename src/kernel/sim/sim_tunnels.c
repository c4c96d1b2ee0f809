/*
 * Tunnels of the simulated kernel, as in net/l2tp/l2tp_core.c (l2tp_tunnel_register,
 * l2tp_tunnel_sock_create, l2tp_tunnel_del_work).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "kernel/sim/simulated.h"
#include "model/codec.h"

static int compare_tunnels(const struct sim_tunnel *a, const struct sim_tunnel *b)
{
	uint32_t x = a->reported.tunnel_id, y = b->reported.tunnel_id;

	return x < y ? -1 : x > y;
}

static int compare_endpoints(const struct sim_tunnel *a, const struct sim_tunnel *b)
{
	const struct tunnel *x = &a->reported, *y = &b->reported;
	int order = memcmp(&x->local_address, &y->local_address, sizeof(x->local_address));

	return order ? order : (int)x->local_port - (int)y->local_port;
}

SIM_TREE(sim_tunnels, sim_tunnel, by_id, compare_tunnels)
SIM_TREE(sim_endpoints, sim_tunnel, by_endpoint, compare_endpoints)

struct sim_tunnel *sim_tunnel_by_id(struct sim *sim, uint32_t tunnel_id)
{
	struct sim_tunnel key = {.reported.tunnel_id = tunnel_id};

	return RB_FIND(sim_tunnels, &sim->tunnels, &key);
}

/* Pass it over the wire and back, which keeps only what the kernel takes and reports. */
static void pass_over_wire(const struct tunnel *from, struct tunnel *ret)
{
	const struct row_set *set = &row_sets[OBJECT_TUNNEL];

	codec_wire_defaults(OBJECT_TUNNEL, ret);
	for (unsigned int i = 0; i < set->config_count; i++) {
		struct wire_attribute attributes[2];
		unsigned int count = codec_to_wire(&set->rows[i], from, attributes);

		for (unsigned int k = 0; k < count; k++)
			codec_from_wire(&set->rows[i], ret, attributes[k].attr, attributes[k].bytes,
					attributes[k].length);
	}
	codec_wire_finish(OBJECT_TUNNEL, ret);
	ret->tunnel_id = from->tunnel_id;
	ret->present |= BIT(TUNNEL_ID);
}

static bool over_udp(const struct sim_tunnel *tunnel)
{
	return tunnel->reported.encapsulation == ENCAPSULATION_UDP;
}

static bool link_local(const struct address *address)
{
	return address->family == AF_INET6 && address->bytes[0] == 0xfe &&
	       (address->bytes[1] & 0xc0) == 0x80;
}

static unsigned int module_of(const struct tunnel *tunnel)
{
	if (tunnel->encapsulation != ENCAPSULATION_IP)
		return CAPABILITY_UDP;
	return tunnel->remote_address.family == AF_INET6 ? CAPABILITY_IP6 : CAPABILITY_IP;
}

/* The errors of socket(), bind() and connect(). */
static int check_socket(struct sim *sim, struct sim_tunnel *tunnel)
{
	const struct tunnel *wanted = &tunnel->reported;
	int rc;

	if (!(sim->capabilities & module_of(wanted)))
		return -EPROTONOSUPPORT;
	if (link_local(&wanted->local_address))
		return -EINVAL;
	rc = sim_check_bind(sim, wanted);
	if (rc)
		return rc;
	if (over_udp(tunnel) && (RB_FIND(sim_endpoints, &sim->endpoints, tunnel) ||
				 sim_port_busy(sim, &wanted->local_address, wanted->local_port)))
		return -EADDRINUSE;
	if (link_local(&wanted->remote_address))
		return -EINVAL;
	return sim_check_connect(sim, wanted);
}

static int check_tunnel(struct sim *sim, struct sim_tunnel *tunnel)
{
	const struct tunnel *wanted = &tunnel->reported;

	if (wanted->local_address.family == AF_UNSPEC ||
	    wanted->local_address.family != wanted->remote_address.family)
		return -EINVAL;
	if (sim_tunnel_by_id(sim, wanted->tunnel_id))
		return -EEXIST;
	return check_socket(sim, tunnel);
}

int sim_do_tunnel_create(struct sim *sim, struct kernel_request *request)
{
	struct sim_tunnel *tunnel;
	int rc;

	if (!request->tunnel)
		return -EINVAL;
	tunnel = calloc(1, sizeof(*tunnel));
	if (!tunnel)
		return -ENOMEM;
	LIST_INIT(&tunnel->sessions);
	pass_over_wire(request->tunnel, &tunnel->reported);
	rc = check_tunnel(sim, tunnel);
	if (rc) {
		free(tunnel);
		return rc;
	}
	RB_INSERT(sim_tunnels, &sim->tunnels, tunnel);
	if (over_udp(tunnel))
		RB_INSERT(sim_endpoints, &sim->endpoints, tunnel);
	tunnel->socket = ++sim->sockets;
	sim->population.tunnels++;
	if (sim->foreign)
		sim_tell(sim, KERNEL_EVENT_TUNNEL, tunnel->reported.tunnel_id, 0);
	return 0;
}

uint64_t sim_tunnel_socket(struct kernel *kernel, const struct tunnel *tunnel)
{
	const struct sim_tunnel *found = sim_tunnel_by_id(sim_of(kernel), tunnel->tunnel_id);

	return found && over_udp(found) ? found->socket : 0;
}

/*
 * Deleting: the tunnel closes later, and deletes its sessions; it goes after them or, since 6.12,
 * at once and before them.
 */

static struct sim_tunnel *tunnel_of(struct sim_work *work)
{
	return (struct sim_tunnel *)(void *)((char *)work - offsetof(struct sim_tunnel, work));
}

static void forget_sessions(struct sim_tunnel *tunnel)
{
	struct sim_session *session;

	while ((session = LIST_FIRST(&tunnel->sessions))) {
		LIST_REMOVE(session, sibling);
		session->tunnel = NULL;
	}
}

static void free_tunnel(struct sim *sim, struct sim_tunnel *tunnel)
{
	forget_sessions(tunnel);
	RB_REMOVE(sim_tunnels, &sim->tunnels, tunnel);
	if (over_udp(tunnel))
		RB_REMOVE(sim_endpoints, &sim->endpoints, tunnel);
	sim->population.tunnels--;
	free(tunnel);
}

static void remove_tunnel(struct sim *sim, struct sim_work *work)
{
	free_tunnel(sim, tunnel_of(work));
}

static void close_tunnel(struct sim *sim, struct sim_work *work)
{
	struct sim_tunnel *tunnel = tunnel_of(work);
	struct sim_session *session, *next;

	tunnel->closing = true;
	for (session = LIST_FIRST(&tunnel->sessions); session; session = next) {
		next = LIST_NEXT(session, sibling);
		sim_session_close(sim, session);
	}
	if (sim->profile->tunnel_id_goes_last)
		sim_enqueue(sim, work, 0, remove_tunnel);
	else
		free_tunnel(sim, tunnel);
}

int sim_do_tunnel_delete(struct sim *sim, struct kernel_request *request)
{
	uint32_t id = request->tunnel ? request->tunnel->tunnel_id : request->tunnel_id;
	struct sim_tunnel *tunnel = sim_tunnel_by_id(sim, id);

	if (!tunnel)
		return -ENODEV;
	if (!tunnel->work.run)
		sim_later(sim, &tunnel->work, close_tunnel);
	if (sim->foreign)
		sim_tell(sim, KERNEL_EVENT_TUNNEL, id, 0);
	return 0;
}

/*
 * Reading.
 */

int sim_do_tunnel_get(struct sim *sim, struct kernel_request *request)
{
	uint32_t id = request->tunnel ? request->tunnel->tunnel_id : request->tunnel_id;
	struct sim_tunnel *tunnel = sim_tunnel_by_id(sim, id);

	if (!tunnel)
		return -ENODEV;
	sim_sessions_count(sim, tunnel);
	if (request->ret_tunnel)
		*request->ret_tunnel = tunnel->reported;
	if (request->ret_statistics)
		*request->ret_statistics = tunnel->statistics;
	return 0;
}

int sim_tunnels_piece(struct sim *sim, struct sim_dump *dump, size_t most, kernel_tunnel_cb *cb,
		      void *arg)
{
	struct sim_tunnel key = {.reported.tunnel_id = dump->tunnel_id}, *tunnel = NULL;
	int rc = 0;

	if (!sim->connected)
		return -ENOENT;
	sim_catch_up(sim);
	while (!rc && !dump->ended && (tunnel = RB_NFIND(sim_tunnels, &sim->tunnels, &key)) &&
	       most--) {
		const struct tunnel reported = tunnel->reported;

		if (!sim->miss_every || ++dump->n % sim->miss_every) {
			sim_sessions_count(sim, tunnel);
			rc = cb(&reported, &tunnel->statistics, arg);
		}
		dump->ended = reported.tunnel_id == ID_MAX;
		key.reported.tunnel_id = dump->tunnel_id =
			reported.tunnel_id + 1; /* @cb may change tunnels */
	}
	return rc ? rc : tunnel && !dump->ended;
}

int sim_dump_tunnels(struct kernel *kernel, kernel_tunnel_cb *cb, void *arg)
{
	struct sim_dump dump = {.what = DUMP_TUNNELS};

	return sim_tunnels_piece(sim_of(kernel), &dump, SIZE_MAX, cb, arg);
}

void sim_tunnels_close(struct sim *sim)
{
	struct sim_tunnel *tunnel;

	while ((tunnel = RB_MIN(sim_tunnels, &sim->tunnels)))
		free_tunnel(sim, tunnel);
}
