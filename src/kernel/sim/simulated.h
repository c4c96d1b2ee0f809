/*
 * The simulated kernel: what its files share.
 */
#ifndef KERNEL_SIM_SIMULATED_H
#define KERNEL_SIM_SIMULATED_H

#include <bsd/sys/tree.h>
#include <stdint.h>
#include <sys/queue.h>

#include "kernel/sim/sim.h"

#define SIM_VERBS      (KERNEL_LINK_DELETE + 1)
#define SIM_FAILURES   8
#define SIM_EVENTS_MAX 4096 /* beyond that they are lost, as with a full socket */
#define SIM_TICK_MS    4    /* HZ=250 */

#define ALTERNATIVES_BYTES 64
#define ALIAS_BYTES        256 /* IFALIASZ */

/* RB_GENERATE_STATIC() of libbsd needs an __unused that it does not define. */
#define SIM_TREE(tree, type, field, compare)                                                       \
	RB_GENERATE_INTERNAL(tree, type, field, compare, __attribute__((unused)) static)

struct sim;

struct sim_profile {
	const char *name, *release;
	bool session_delete_waits;     /* since 6.12, and as patched by distributions */
	bool tunnel_id_goes_last;      /* until 6.11 */
	bool ids_repeat_in_udp_tunnel; /* since 6.11 */
};

struct sim_work;
typedef void sim_work_fn(struct sim *sim, struct sim_work *work);

/* Work to be done later; embedded in its object. */
struct sim_work {
	RB_ENTRY(sim_work) entry;
	int64_t due; /* ns */
	uint64_t serial;
	sim_work_fn *run; /* NULL: not waiting */
};
RB_HEAD(sim_work_tree, sim_work);

struct sim_link {
	RB_ENTRY(sim_link) by_index;
	RB_ENTRY(sim_link) by_name;
	struct kernel_link link;
	struct sim_link *parent; /* of an 802.1Q link */
	LIST_ENTRY(sim_link) sibling;
	LIST_HEAD(, sim_link) uppers; /* 802.1Q links on it */
	bool own_mac;                 /* of an 802.1Q link: its MAC was set */
	bool bridge;
	uint32_t settings[SIM_SETTINGS];
	bool carried_default;
	char alternatives[ALTERNATIVES_BYTES]; /* as in struct kernel_link */
	char *alias;                           /* NULL: none */
	unsigned int frames;                   /* sent on it by send_frames() */
	uint32_t tunnel_id, session_id;        /* whose interface it is; 0: nobody's */
};
RB_HEAD(sim_links_by_index, sim_link);
RB_HEAD(sim_links_by_name, sim_link);

struct sim_session {
	RB_ENTRY(sim_session) by_id;
	LIST_ENTRY(sim_session) sibling;
	struct sim_work work;
	struct sim_tunnel *tunnel; /* NULL: gone before its sessions */
	uint32_t tunnel_id;
	uint64_t serial;
	bool over_ip;
	bool hidden; /* no longer found by id, but its link lingers */
	struct session reported;
	struct statistics statistics;
	int64_t counted;         /* when traffic was last added */
	unsigned int link_index; /* 0: none */
};
RB_HEAD(sim_sessions, sim_session);

struct sim_tunnel {
	RB_ENTRY(sim_tunnel) by_id;
	RB_ENTRY(sim_tunnel) by_endpoint; /* when over UDP */
	LIST_HEAD(, sim_session) sessions;
	struct sim_work work;
	bool closing; /* accepts no more sessions */
	uint64_t socket;
	struct tunnel reported;
	struct statistics statistics;
};
RB_HEAD(sim_tunnels, sim_tunnel);
RB_HEAD(sim_endpoints, sim_tunnel);

struct sim_prefix {
	struct address address;
	unsigned int length;
};

struct sim_address {
	TAILQ_ENTRY(sim_address) entry;
	struct sim_prefix prefix;
	unsigned int link_index;
	enum sim_mark mark;
};

struct sim_route {
	TAILQ_ENTRY(sim_route) entry;
	struct sim_prefix prefix;
	unsigned int link_index;
	struct address source; /* the preferred one; AF_UNSPEC: that of its prefix */
	int error;
};

struct sim_port {
	TAILQ_ENTRY(sim_port) entry;
	struct address address;
	uint16_t port;
};

struct sim_event {
	TAILQ_ENTRY(sim_event) entry;
	struct kernel_event event;
	char alternatives[ALTERNATIVES_BYTES], alias[ALIAS_BYTES]; /* of its link */
};

struct sim_planned_failure {
	int verb;
	unsigned int countdown; /* 0: free */
	enum sim_failure how;
	int error;
};

/* The position of a dump. */
struct sim_dump {
	enum kernel_dump what;
	bool ended;
	uint32_t tunnel_id, session_id; /* the last one given, of tunnels and sessions */
	unsigned int index;             /* the next link to look at */
	unsigned int n, skip;
};

struct sim {
	struct kernel kernel;
	const struct sim_profile *profile;
	char instance[64];
	uint64_t sockets; /* made so far */
	bool connected, forbidden, frameless;
	unsigned int capabilities;
	uint64_t calls[SIM_VERBS];
	uint64_t writes;
	struct sim_planned_failure failures[SIM_FAILURES];
	bool foreign; /* someone else's request is being executed */
	unsigned int miss_every;
	unsigned int interrupted_dumps; /* of links, still to come */
	struct {
		unsigned int n;
		int error;
	} put_back;
	struct {
		bool under_way;
		uint32_t tunnel_id, session_id; /* the last one given */
	} counters;
	struct sim_dump dump;

	struct sim_tunnels tunnels;
	struct sim_sessions sessions;
	struct sim_links_by_index links_by_index;
	struct sim_links_by_name links_by_name;
	unsigned int last_index;
	bool alternatives; /* some link has one */
	struct sim_frames frames;
	struct sim_population population;
	TAILQ_HEAD(, sim_address) addresses;
	TAILQ_HEAD(, sim_route) routes;
	TAILQ_HEAD(, sim_port) ports; /* of other programs */
	struct sim_endpoints endpoints;
	uint64_t random;
	unsigned int packets_per_second;
	bool nonlocal_bind, routeless;

	struct sim_work_tree work;
	uint64_t serial;
	bool time_held;
	int64_t held_time;
	int64_t delay, delay_each; /* ns */
	int64_t last_due;          /* of the last entry in the work queue, which has one worker */

	TAILQ_HEAD(sim_events, sim_event) events;
	struct sim_events spare; /* for the next ones: freed, they would leave holes in the heap */
	unsigned int event_count;
	bool events_lost;
	int event_fd, timer_fd;
};

static inline struct sim *sim_of(const struct kernel *kernel)
{
	return (struct sim *)(uintptr_t)kernel;
}

/* As dumps and events show it; borrows from @link. */
static inline struct kernel_link sim_link_seen(const struct sim_link *link)
{
	struct kernel_link seen = link->link;

	seen.alternatives = link->alternatives[0] ? link->alternatives : NULL;
	seen.alias = link->alias;
	return seen;
}

/* sim_time.c */
int sim_time_open(struct sim *sim);
int64_t sim_now(const struct sim *sim);
void sim_catch_up(struct sim *sim);
/* Run after the delay. */
void sim_later(struct sim *sim, struct sim_work *work, sim_work_fn *run);
/* Run after @delay, and behind all earlier work, for there is one worker. */
void sim_enqueue(struct sim *sim, struct sim_work *work, int64_t delay, sim_work_fn *run);
void sim_cancel(struct sim *sim, struct sim_work *work);

/* sim_events.c */
int sim_events_open(struct sim *sim);
void sim_events_close(struct sim *sim);
void sim_forget_events(struct sim *sim);
void sim_tell(struct sim *sim, enum kernel_event_type type, uint32_t tunnel_id,
	      uint32_t session_id);
void sim_tell_link(struct sim *sim, enum kernel_event_type type, const struct sim_link *link);
void sim_hush(struct kernel *kernel, bool hush);
unsigned int sim_event_fds(struct kernel *kernel, int ret_fds[2]);
void sim_read_events(struct kernel *kernel, kernel_event_cb *cb, void *arg);

/* sim_links.c */
struct sim_link *sim_link_by_index(struct sim *sim, unsigned int index);
struct sim_link *sim_link_by_name(struct sim *sim, const char *name);
/* @name "": choose l2tpeth%d. -EEXIST, -EINVAL. */
int sim_make_link(struct sim *sim, const char *name, unsigned int mtu, struct sim_link **ret);
void sim_drop_link(struct sim *sim, struct sim_link *link);
int sim_do_link_set(struct sim *sim, struct kernel_request *request);
int sim_do_link_get(struct sim *sim, struct kernel_request *request);
int sim_do_vlan_create(struct sim *sim, struct kernel_request *request);
int sim_do_link_delete(struct sim *sim, struct kernel_request *request);
int sim_dump_links(struct kernel *kernel, kernel_link_cb *cb, void *arg);
/* Up to @most more of a dump. 1: there are more; 0: the end; or a negative errno. */
int sim_links_piece(struct sim *sim, struct sim_dump *dump, size_t most, kernel_link_cb *cb,
		    void *arg);
int sim_tunnels_piece(struct sim *sim, struct sim_dump *dump, size_t most, kernel_tunnel_cb *cb,
		      void *arg);
int sim_sessions_piece(struct sim *sim, struct sim_dump *dump, size_t most, kernel_session_cb *cb,
		       void *arg);
void sim_links_close(struct sim *sim);

/* sim_port.c: a link has joined a bridge; something of a port was changed. */
void sim_begin_port(struct sim_link *link);
void sim_watch_port(struct sim_link *link);

/* sim_frames.c */
int sim_send_frames(struct kernel *kernel, const struct kernel_frame *frames, size_t count);

/* sim_keep.c */
int sim_keep(struct kernel *kernel, unsigned int index, struct kernel_kept **ret);
int sim_put_back(struct kernel *kernel, unsigned int index, const struct kernel_kept *kept,
		 char ret_lost[KERNEL_LOST_MAX]);

/* sim_tunnels.c, sim_sessions.c */
struct sim_tunnel *sim_tunnel_by_id(struct sim *sim, uint32_t tunnel_id);
struct sim_session *sim_session_by_id(struct sim *sim, uint32_t tunnel_id, uint32_t session_id);
int sim_do_tunnel_create(struct sim *sim, struct kernel_request *request);
int sim_do_tunnel_delete(struct sim *sim, struct kernel_request *request);
int sim_do_tunnel_get(struct sim *sim, struct kernel_request *request);
int sim_do_session_create(struct sim *sim, struct kernel_request *request);
int sim_do_session_modify(struct sim *sim, struct kernel_request *request);
int sim_do_session_delete(struct sim *sim, struct kernel_request *request);
int sim_do_session_get(struct sim *sim, struct kernel_request *request);
int sim_dump_tunnels(struct kernel *kernel, kernel_tunnel_cb *cb, void *arg);
int sim_dump_sessions(struct kernel *kernel, kernel_session_cb *cb, void *arg);
int sim_read_counters(struct kernel *kernel, bool begin, kernel_counters_cb *cb, void *arg);
void sim_leave_counters(struct kernel *kernel);
/* Its tunnel is closing: delete @session as the profile does. */
void sim_session_close(struct sim *sim, struct sim_session *session);
void sim_sessions_count(struct sim *sim, struct sim_tunnel *tunnel);
uint64_t sim_tunnel_socket(struct kernel *kernel, const struct tunnel *tunnel);
void sim_tunnels_close(struct sim *sim);
void sim_sessions_close(struct sim *sim);

/* sim_world.c */
int sim_world_open(struct sim *sim);
void sim_world_close(struct sim *sim);
enum kernel_address_state sim_address_state(struct kernel *kernel, const struct address *address,
					    unsigned int vrf);
int sim_interface_address(struct kernel *kernel, const char *interface,
			  const struct address *remote, struct address *ret);
int sim_interface_has(struct kernel *kernel, const char *interface, const struct address *address);
int sim_route(struct kernel *kernel, const struct tunnel *tunnel, struct kernel_route *ret);
int sim_path(struct kernel *kernel, const struct tunnel *tunnel, struct kernel_path *ret);
/* What bind() and connect() of a tunnel's socket return for its addresses. */
int sim_check_bind(struct sim *sim, const struct tunnel *tunnel);
int sim_check_connect(struct sim *sim, const struct tunnel *tunnel);
/* MTU of the link on the route to @remote; 1500 without a route. */
unsigned int sim_path_mtu(struct sim *sim, const struct address *remote);
bool sim_port_busy(struct sim *sim, const struct address *address, uint16_t port);

#endif
