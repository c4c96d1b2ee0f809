/*
 * Sessions of the simulated kernel, as in net/l2tp/l2tp_core.c and l2tp_eth.c
 * (l2tp_session_register, l2tp_session_del_work, l2tp_eth_create).
 *
 * A session is deleted in two steps, between which its id is free but its interface still exists.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/sim/simulated.h"
#include "base/clock.h"
#include "base/wipe.h"
#include "model/codec.h"
#include "model/overhead.h"

#define PACKET_BYTES 100 /* in the traffic of sim_set_traffic() */

/* By id; among equal ids by tunnel, then the newest first, which is the one that GET finds. */
static int compare_sessions(const struct sim_session *a, const struct sim_session *b)
{
	if (a->reported.session_id != b->reported.session_id)
		return a->reported.session_id < b->reported.session_id ? -1 : 1;
	if (a->tunnel_id != b->tunnel_id)
		return a->tunnel_id < b->tunnel_id ? -1 : 1;
	return a->serial > b->serial ? -1 : a->serial < b->serial;
}

SIM_TREE(sim_sessions, sim_session, by_id, compare_sessions)

/* The first with @session_id, from @tunnel_id on. */
static struct sim_session *first_session(struct sim *sim, uint32_t tunnel_id, uint32_t session_id)
{
	struct sim_session key = {
		.tunnel_id = tunnel_id, .serial = UINT64_MAX, .reported.session_id = session_id};

	return RB_NFIND(sim_sessions, &sim->sessions, &key);
}

struct sim_session *sim_session_by_id(struct sim *sim, uint32_t tunnel_id, uint32_t session_id)
{
	struct sim_session *session = first_session(sim, tunnel_id, session_id);

	while (session && session->reported.session_id == session_id &&
	       session->tunnel_id == tunnel_id) {
		if (session->tunnel)
			return session;
		session = RB_NEXT(sim_sessions, &sim->sessions, session);
	}
	return NULL;
}

/*
 * Counters.
 */

static void add(struct statistics *to, const struct statistics *more)
{
	to->tx_packets += more->tx_packets;
	to->tx_bytes += more->tx_bytes;
	to->tx_errors += more->tx_errors;
	to->rx_packets += more->rx_packets;
	to->rx_bytes += more->rx_bytes;
	to->rx_errors += more->rx_errors;
	to->rx_seq_discards += more->rx_seq_discards;
	to->rx_oos_packets += more->rx_oos_packets;
	to->rx_cookie_discards += more->rx_cookie_discards;
	to->rx_invalid += more->rx_invalid;
}

/* A tunnel counts what its sessions send and receive, but not what they discard. */
static void add_to_tunnel(struct sim_tunnel *tunnel, const struct statistics *more)
{
	const struct statistics counted = {
		.tx_packets = more->tx_packets,
		.tx_bytes = more->tx_bytes,
		.tx_errors = more->tx_errors,
		.rx_packets = more->rx_packets,
		.rx_bytes = more->rx_bytes,
	};

	if (tunnel)
		add(&tunnel->statistics, &counted);
}

static void count_traffic(struct sim *sim, struct sim_session *session)
{
	int64_t elapsed = sim_now(sim) - session->counted;
	uint64_t packets;
	struct statistics more;

	if (!sim->packets_per_second)
		return;
	packets = (uint64_t)elapsed * sim->packets_per_second / (uint64_t)NS_PER_S;
	if (packets == 0)
		return;
	session->counted += (int64_t)(packets * (uint64_t)NS_PER_S / sim->packets_per_second);
	more = (struct statistics){
		.tx_packets = packets,
		.tx_bytes = packets * PACKET_BYTES,
		.rx_packets = packets,
		.rx_bytes = packets * PACKET_BYTES,
	};
	add(&session->statistics, &more);
	add_to_tunnel(session->tunnel, &more);
}

void sim_sessions_count(struct sim *sim, struct sim_tunnel *tunnel)
{
	struct sim_session *session;

	if (!sim->packets_per_second)
		return;
	LIST_FOREACH (session, &tunnel->sessions, sibling)
		count_traffic(sim, session);
}

void sim_set_traffic(struct kernel *kernel, unsigned int packets_per_second)
{
	struct sim *sim = sim_of(kernel);
	struct sim_session *session;

	RB_FOREACH (session, sim_sessions, &sim->sessions) {
		count_traffic(sim, session);
		session->counted = sim_now(sim);
	}
	sim->packets_per_second = packets_per_second;
}

int sim_count(struct kernel *kernel, uint32_t tunnel_id, uint32_t session_id,
	      const struct statistics *more)
{
	struct sim *sim = sim_of(kernel);
	struct sim_tunnel *tunnel = sim_tunnel_by_id(sim, tunnel_id);
	struct sim_session *session = sim_session_by_id(sim, tunnel_id, session_id);

	if (!tunnel || (session_id && !session))
		return -ENOENT;
	if (session) {
		add(&session->statistics, more);
		add_to_tunnel(tunnel, more);
	} else {
		add(&tunnel->statistics, more);
	}
	return 0;
}

int sim_peer_sequences(struct kernel *kernel, uint32_t tunnel_id, uint32_t session_id, bool on)
{
	struct sim_session *session = sim_session_by_id(sim_of(kernel), tunnel_id, session_id);
	bool receive;

	if (!session)
		return -ENOENT;
	if (session->reported.lns_mode)
		return 0;
	receive = session->reported.sequencing == SEQUENCING_RECEIVE ||
		  session->reported.sequencing == SEQUENCING_BOTH;
	if (on)
		session->reported.sequencing = receive ? SEQUENCING_BOTH : SEQUENCING_SEND;
	else
		session->reported.sequencing = receive ? SEQUENCING_RECEIVE : SEQUENCING_NONE;
	return 0;
}

/*
 * Creating and changing.
 */

/* Pass a row over the wire and back; drop what the kernel never reports (SOURCE_RECORD). */
static void pass_row(const struct row *row, const struct session *from, struct session *to)
{
	struct wire_attribute attributes[2];
	unsigned int count =
		row->source == SOURCE_RECORD ? 0 : codec_to_wire(row, from, attributes);

	for (unsigned int k = 0; k < count; k++)
		codec_from_wire(row, to, attributes[k].attr, attributes[k].bytes,
				attributes[k].length);
}

/* The kernel keeps RECV_TIMEOUT in ticks, rounded up. */
static void round_timeout(struct session *session)
{
	session->reorder_timeout =
		(session->reorder_timeout + SIM_TICK_MS - 1) / SIM_TICK_MS * SIM_TICK_MS;
}

static void pass_over_wire(const struct session *from, struct session *ret)
{
	const struct row_set *set = &row_sets[OBJECT_SESSION];

	codec_wire_defaults(OBJECT_SESSION, ret);
	for (unsigned int i = 0; i < set->config_count; i++)
		pass_row(&set->rows[i], from, ret);
	codec_wire_finish(OBJECT_SESSION, ret);
	ret->session_id = from->session_id;
	ret->present |= BIT(SESSION_ID);
	round_timeout(ret);
}

/* l2tp_session_register(): the kernel finds IP sessions by id alone, UDP ones by socket and id. */
static bool id_taken(struct sim *sim, const struct sim_session *wanted)
{
	uint32_t id = wanted->reported.session_id;
	struct sim_session *other = first_session(sim, 0, id);

	for (; other && other->reported.session_id == id;
	     other = RB_NEXT(sim_sessions, &sim->sessions, other)) {
		if (other->hidden)
			continue;
		if (other->over_ip || wanted->over_ip)
			return true;
		if (other->tunnel_id == wanted->tunnel_id &&
		    !sim->profile->ids_repeat_in_udp_tunnel)
			return true;
	}
	return false;
}

static unsigned int default_mtu(struct sim *sim, const struct sim_session *session,
				const struct session *wanted)
{
	const struct tunnel *tunnel = &session->tunnel->reported;
	unsigned int path = sim_path_mtu(sim, &tunnel->remote_address);
	unsigned int overhead = overhead_in_kernel(tunnel, wanted);

	return path > overhead ? path - overhead : 1500 - overhead;
}

static void hide_session(struct sim *sim, struct sim_work *work);

/* l2tp_eth_create(): registers the id before the interface, and takes it back if that fails. */
static int attach_link(struct sim *sim, struct sim_session *session, const struct session *wanted)
{
	struct sim_link *link;
	int rc = sim_make_link(sim, wanted->interface_name, default_mtu(sim, session, wanted),
			       &link);

	if (rc)
		return rc;
	session->link_index = link->link.index;
	link->tunnel_id = session->tunnel_id;
	link->session_id = wanted->session_id;
	memcpy(session->reported.interface_name, link->link.name, sizeof(link->link.name));
	session->reported.present |= BIT(SESSION_INTERFACE_NAME);
	sim_tell_link(sim, KERNEL_EVENT_LINK, link);
	return 0;
}

static void free_session(struct sim *sim, struct sim_session *session)
{
	sim_cancel(sim, &session->work);
	RB_REMOVE(sim_sessions, &sim->sessions, session);
	if (session->tunnel)
		LIST_REMOVE(session, sibling);
	sim->population.sessions--;
	wipe_free(session, sizeof(*session));
}

static struct sim_session *make_session(struct sim *sim, struct sim_tunnel *tunnel,
					const struct session *wanted)
{
	struct sim_session *session = calloc(1, sizeof(*session));

	if (!session)
		return NULL;
	pass_over_wire(wanted, &session->reported);
	session->tunnel = tunnel;
	session->tunnel_id = tunnel->reported.tunnel_id;
	session->serial = ++sim->serial;
	session->over_ip = tunnel->reported.encapsulation == ENCAPSULATION_IP;
	session->counted = sim_now(sim);
	return session;
}

static int register_session(struct sim *sim, struct sim_session *session,
			    const struct session *wanted)
{
	int rc = 0;

	RB_INSERT(sim_sessions, &sim->sessions, session);
	LIST_INSERT_HEAD(&session->tunnel->sessions, session, sibling);
	sim->population.sessions++;
	if (wanted->pseudowire_type != PSEUDOWIRE_PPP)
		rc = attach_link(sim, session, wanted);
	if (!rc)
		return 0;
	if (sim->profile->session_delete_waits)
		sim_enqueue(sim, &session->work, sim->delay, hide_session);
	else
		free_session(sim, session);
	return rc;
}

int sim_do_session_create(struct sim *sim, struct kernel_request *request)
{
	const struct session *wanted = request->session;
	uint32_t tunnel_id = request->tunnel ? request->tunnel->tunnel_id : request->tunnel_id;
	struct sim_tunnel *tunnel = sim_tunnel_by_id(sim, tunnel_id);
	struct sim_session *session;
	int rc;

	if (!wanted)
		return -EINVAL;
	if (!tunnel)
		return -ENODEV;
	if (!(sim->capabilities &
	      (wanted->pseudowire_type == PSEUDOWIRE_PPP ? CAPABILITY_PPP : CAPABILITY_ETHERNET)))
		return -EPROTONOSUPPORT;
	if (tunnel->closing)
		return -ENODEV;
	session = make_session(sim, tunnel, wanted);
	if (!session)
		return -ENOMEM;
	if (id_taken(sim, session)) {
		wipe_free(session, sizeof(*session));
		return -EEXIST;
	}
	rc = register_session(sim, session, wanted);
	if (!rc && sim->foreign)
		sim_tell(sim, KERNEL_EVENT_SESSION, tunnel_id, wanted->session_id);
	return rc;
}

static struct sim_session *requested(struct sim *sim, const struct kernel_request *request)
{
	return sim_session_by_id(
		sim, request->tunnel ? request->tunnel->tunnel_id : request->tunnel_id,
		request->session ? request->session->session_id : request->session_id);
}

static void tell_session(struct sim *sim, const struct sim_session *session)
{
	if (sim->foreign)
		sim_tell(sim, KERNEL_EVENT_SESSION, session->tunnel_id,
			 session->reported.session_id);
}

int sim_do_session_modify(struct sim *sim, struct kernel_request *request)
{
	const struct row_set *set = &row_sets[OBJECT_SESSION];
	struct sim_session *session = requested(sim, request);

	if (!session)
		return -ENODEV;
	if (!request->session)
		return -EINVAL;
	for (unsigned int i = 0; i < set->config_count; i++) {
		if (set->rows[i].change == CHANGE_MODIFY)
			pass_row(&set->rows[i], request->session, &session->reported);
	}
	round_timeout(&session->reported);
	tell_session(sim, session);
	return 0;
}

/*
 * Deleting.
 */

static struct sim_session *session_of(struct sim_work *work)
{
	return (struct sim_session *)(void *)((char *)work - offsetof(struct sim_session, work));
}

static void remove_session(struct sim *sim, struct sim_work *work)
{
	struct sim_session *session = session_of(work);
	struct sim_link *link = sim_link_by_index(sim, session->link_index);

	if (link)
		sim_drop_link(sim, link);
	free_session(sim, session);
}

static void hide_session(struct sim *sim, struct sim_work *work)
{
	struct sim_session *session = session_of(work);

	session->hidden = true;
	if (session->tunnel)
		LIST_REMOVE(session, sibling);
	session->tunnel = NULL;
	sim_enqueue(sim, work, 0, remove_session);
}

int sim_do_session_delete(struct sim *sim, struct kernel_request *request)
{
	struct sim_session *session = requested(sim, request);

	if (!session)
		return -ENODEV;
	tell_session(sim, session);
	if (!sim->profile->session_delete_waits)
		remove_session(sim, &session->work);
	else if (!session->work.run)
		sim_enqueue(sim, &session->work, sim->delay, hide_session);
	return 0;
}

void sim_session_close(struct sim *sim, struct sim_session *session)
{
	if (session->work.run)
		return; /* being deleted already */
	if (sim->profile->tunnel_id_goes_last)
		hide_session(sim, &session->work);
	else
		sim_enqueue(sim, &session->work, 0, hide_session);
}

/*
 * Reading.
 */

static void report(struct sim *sim, struct sim_session *session, struct session *ret,
		   struct statistics *ret_statistics)
{
	count_traffic(sim, session);
	if (ret)
		*ret = session->reported;
	if (ret_statistics)
		*ret_statistics = session->statistics;
}

int sim_do_session_get(struct sim *sim, struct kernel_request *request)
{
	struct sim_session *session = requested(sim, request);

	if (!session)
		return -ENODEV;
	report(sim, session, request->ret_session, request->ret_statistics);
	return 0;
}

/* The next session after this one that GET would find. */
static struct sim_session *next_visible(struct sim *sim, uint32_t tunnel_id, uint32_t session_id)
{
	struct sim_session *session = first_session(sim, tunnel_id, session_id);

	while (session && (!session->tunnel || (session->tunnel_id == tunnel_id &&
						session->reported.session_id == session_id)))
		session = RB_NEXT(sim_sessions, &sim->sessions, session);
	return session;
}

int sim_sessions_piece(struct sim *sim, struct sim_dump *dump, size_t most, kernel_session_cb *cb,
		       void *arg)
{
	struct sim_session *session;
	int rc = 0;

	if (!sim->connected)
		return -ENOENT;
	sim_catch_up(sim);
	session = next_visible(sim, dump->tunnel_id, dump->session_id);
	while (!rc && session && most--) {
		struct statistics statistics;
		struct session reported;
		uint32_t tunnel_id = session->tunnel_id;

		report(sim, session, &reported, &statistics);
		if (!sim->miss_every || ++dump->n % sim->miss_every)
			rc = cb(tunnel_id, &reported, &statistics, arg);
		dump->tunnel_id = tunnel_id;
		dump->session_id = reported.session_id;
		/* search again, for @cb may change sessions; skip older ones of the same id */
		session = next_visible(sim, tunnel_id, reported.session_id);
	}
	return rc ? rc : !!session;
}

int sim_dump_sessions(struct kernel *kernel, kernel_session_cb *cb, void *arg)
{
	struct sim_dump dump = {.what = DUMP_SESSIONS};

	return sim_sessions_piece(sim_of(kernel), &dump, SIZE_MAX, cb, arg);
}

#define COUNTERS_A_CALL 100

/* Up to 6.11 dumps follow hash buckets, the newest first; imitate it by reversing each piece. */
static void give_counters(struct sim *sim, struct sim_session *const *sessions, unsigned int count,
			  kernel_counters_cb *cb, void *arg)
{
	for (unsigned int i = 0; i < count; i++) {
		struct sim_session *session =
			sessions[sim->profile->tunnel_id_goes_last ? count - 1 - i : i];

		cb(session->tunnel_id, session->reported.session_id, &session->statistics, arg);
	}
}

int sim_read_counters(struct kernel *kernel, bool begin, kernel_counters_cb *cb, void *arg)
{
	struct sim *sim = sim_of(kernel);
	struct sim_session *session, *sessions[COUNTERS_A_CALL];
	unsigned int count = 0, n = 0;

	if (!sim->connected)
		return -ENOENT;
	if (begin)
		memset(&sim->counters, 0, sizeof(sim->counters));
	else if (!sim->counters.under_way)
		return 0;
	sim_catch_up(sim);
	session = next_visible(sim, sim->counters.tunnel_id, sim->counters.session_id);
	while (session && count < COUNTERS_A_CALL) {
		sim->counters.tunnel_id = session->tunnel_id;
		sim->counters.session_id = session->reported.session_id;
		report(sim, session, NULL, NULL);
		if (!sim->miss_every || ++n % sim->miss_every)
			sessions[count++] = session;
		session = next_visible(sim, session->tunnel_id, session->reported.session_id);
	}
	sim->counters.under_way = session;
	give_counters(sim, sessions, count, cb, arg);
	return sim->counters.under_way;
}

void sim_leave_counters(struct kernel *kernel)
{
	sim_of(kernel)->counters.under_way = false;
}

void sim_sessions_close(struct sim *sim)
{
	struct sim_session *session;

	while ((session = RB_MIN(sim_sessions, &sim->sessions)))
		free_session(sim, session);
}
