/*
 * Controls of the simulated kernel, for tests. Each takes the struct kernel
 * that kernel_open_sim() gave.
 *
 * What it shows of the two kernels, measured there (tests/vm runs the same
 * operations on both):
 *
 *   "6.1"   session deletes are done at once; tunnel deletes later, session ids
 *           first, then interfaces one by one, the tunnel id last
 *   "6.12"  session deletes later too; a deleted tunnel's id is free while its
 *           interfaces linger; a session id may repeat within a UDP tunnel, GET
 *           and dumps then show the newest only
 *
 * On both: an id or a name is taken until its owner is gone for good; a tunnel
 * being deleted first takes new sessions, which die with it, and then refuses
 * them; reorder-timeouts come back in whole ticks of 4 ms; l2-specific-sublayer
 * does not come back; no event tells of one's own changes nor of sessions that
 * went with their tunnel, but links' events do.
 *
 * The world it begins with: "lo", "eth0" (index 2, MTU 1500) with 192.0.2.1/24,
 * 198.51.100.1/24, 203.0.113.1/24, 10.0.0.1/8 and 2001:db8::1/32, and a default
 * route of each IP version.
 */
#ifndef KERNEL_SIM_SIM_H
#define KERNEL_SIM_SIM_H

#include "kernel/kernel.h"

/*
 * Time. It passes by the monotonic clock until held. What is due happens when
 * the kernel is next used, or when its event descriptor becomes readable.
 */
void sim_hold_time(struct kernel *kernel);
void sim_advance(struct kernel *kernel, unsigned int milliseconds);
/* Everything deleted is gone now. */
void sim_reap(struct kernel *kernel);
/*
 * How long a deleted object goes on (default 10 ms), and how much longer each
 * further one behind it (default 100 us; real ones take 20 to 30 ms).
 */
void sim_set_delays(struct kernel *kernel, unsigned int milliseconds,
		    unsigned int microseconds_each);

/*
 * Failures. The @n-th (1: the next) request of @verb (SIM_ANY: any) fails with
 * @error (negative errno). Up to 8 can be waiting.
 */
#define SIM_ANY (-1)

enum sim_failure {
	SIM_REFUSE,  /* nothing is done */
	SIM_DECEIVE, /* it is done and yet fails, as when the kernel cannot notify (before 6.12.109)
		      */
	SIM_LOSE     /* it is done, the answer lost: this and what follows in the batch is -EIO,
			and submit() returns @error */
};

int sim_fail(struct kernel *kernel, int verb, unsigned int n, enum sim_failure how, int error);
/* Failures that have not happened yet. */
unsigned int sim_failures_waiting(const struct kernel *kernel);

/* Requests executed since open, reads too. */
uint64_t sim_calls(const struct kernel *kernel);
/* Those of one verb. */
uint64_t sim_calls_of(const struct kernel *kernel, enum kernel_verb verb);

/* enum kernel_capability bits there are; without CAPABILITY_UDP no l2tp at all: connect() -ENOENT.
 */
void sim_set_capabilities(struct kernel *kernel, unsigned int capabilities);
/* Without: connect() and every l2tp request give -EPERM. */
void sim_set_permitted(struct kernel *kernel, bool permitted);

/*
 * The world around. @prefix is text such as "192.0.2.1/24". Return 0 or
 * -EINVAL, -EEXIST, -ENOENT, -ENODEV. An address brings the route to its prefix
 * with it, and takes it along.
 */
int sim_add_link(struct kernel *kernel, const char *name, bool bridge);
int sim_remove_link(struct kernel *kernel, const char *name);
int sim_rename_link(struct kernel *kernel, const char *from, const char *to);
int sim_add_vrf(struct kernel *kernel, const char *name);
/* The wire is pulled, or put in again. */
int sim_set_carrier(struct kernel *kernel, const char *name, bool carrier);
/* As "ip link property add altname"; of links and of interfaces of ours alike. */
int sim_add_alternative(struct kernel *kernel, const char *link, const char *name);
int sim_add_address(struct kernel *kernel, const char *link, const char *prefix, bool tentative);
int sim_remove_address(struct kernel *kernel, const char *prefix);
/* An address passes duplicate address detection or fails it, or its time is up. */
enum sim_mark { SIM_PLAIN, SIM_TENTATIVE, SIM_DUPLICATE, SIM_DEPRECATED };
int sim_mark_address(struct kernel *kernel, const char *prefix, enum sim_mark mark);
/* @error: 0 a route, else what using it gives: -EHOSTUNREACH, -EACCES ... */
int sim_add_route(struct kernel *kernel, const char *prefix, int error);
/* The source that it prefers, as "ip route add ... src". */
int sim_set_source(struct kernel *kernel, const char *prefix, const char *source);
int sim_remove_route(struct kernel *kernel, const char *prefix);
/* The sysctl ip_nonlocal_bind: a socket may be bound to an address that is not there. */
void sim_allow_nonlocal_bind(struct kernel *kernel, bool allow);
/* From now on it is a vendor's kernel, which makes a tunnel without a route to its peer. */
void sim_need_no_route(struct kernel *kernel);
/* Another program has a UDP socket there (text address), until called with @busy false. */
int sim_set_port(struct kernel *kernel, const char *address, uint16_t port, bool busy);

/*
 * What others set with "bridge" and "ip link", a number each: a port begins with the
 * defaults whenever it joins a bridge, a link when it is made. -ENODEV.
 */
enum sim_setting {
	SIM_PORT_PVID,     /* default 1, untagged */
	SIM_PORT_ISOLATED, /* 0 */
	SIM_PORT_COST,     /* 100 */
	SIM_LINK_GROUP,    /* 0 */
	SIM_LINK_QUEUES,   /* 0; whoever keeps it cannot put it back */
	SIM_SETTINGS
};
int sim_set(struct kernel *kernel, const char *link, enum sim_setting setting, uint32_t value);
int64_t sim_get(const struct kernel *kernel, const char *link, enum sim_setting setting);
/* Has it ever been up in a bridge and in that one's default VLAN, since it was made? */
bool sim_carried_default(const struct kernel *kernel, const char *link);
/* The next @n times a port is not put back, and put_back() returns @error. */
void sim_fail_put_back(struct kernel *kernel, unsigned int n, int error);

/*
 * Someone else ("ip l2tp", "ip link") executes a request: not counted as ours,
 * with events as the kernel sends them. Returns the result.
 */
int sim_foreign(struct kernel *kernel, struct kernel_request *request);
/* An event of some other network namespace. */
void sim_noise(struct kernel *kernel, uint32_t tunnel_id, uint32_t session_id);
/* The event queue overflows. */
void sim_lose_events(struct kernel *kernel);
/* The next dump of sessions and of tunnels leaves out every @n-th entry; 0: none. */
void sim_miss_in_dump(struct kernel *kernel, unsigned int n);
/* The next @n dumps of links are interrupted: they leave out every second link. */
void sim_interrupt_dumps(struct kernel *kernel, unsigned int n);

/*
 * Counters. Add to a session's and its tunnel's, or to the tunnel's alone
 * (@session_id 0). -ENOENT.
 */
int sim_count(struct kernel *kernel, uint32_t tunnel_id, uint32_t session_id,
	      const struct statistics *more);
/* From now on every session sends and receives so many packets of 100 bytes a second. */
void sim_set_traffic(struct kernel *kernel, unsigned int packets_per_second);
/* The peer turns its sequence numbers on or off: SEND_SEQ follows unless lns-mode. -ENOENT. */
int sim_peer_sequences(struct kernel *kernel, uint32_t tunnel_id, uint32_t session_id, bool on);

/* Tunnels, sessions and links there are, dying ones too; to see that nothing is left over. */
struct sim_population {
	unsigned int tunnels, sessions, links;
};
struct sim_population sim_population(const struct kernel *kernel);

#endif
