/*
 * Controls of the simulated kernel, for tests. Each takes the struct kernel of kernel_open_sim().
 *
 * What it simulates of two kernels, as measured on them (tests/vm runs the same operations there):
 *
 *	  "6.1"   session deletes complete at once; tunnel deletes later: session ids first,
 *	          then interfaces one by one, the tunnel id last
 *	  "6.12"  session deletes complete later too; a deleted tunnel's id is free while its
 *	          interfaces linger; a session id may repeat within a UDP tunnel, and GET and
 *	          dumps then show only the newest
 *
 * On both: an id or a name is taken until its owner is gone for good; a tunnel being deleted at
 * first accepts new sessions, which die with it, and then refuses them; reorder-timeouts are
 * reported in whole ticks of 4 ms; l2-specific-sublayer is not reported; there are no events of
 * one's own changes, nor of sessions deleted with their tunnel, but there are events of links.
 *
 * Its world begins with "lo", "eth0" (index 2, MTU 1500) with 192.0.2.1/24, 198.51.100.1/24,
 * 203.0.113.1/24, 10.0.0.1/8 and 2001:db8::1/32, and a default route of each IP version.
 */
#ifndef KERNEL_SIM_SIM_H
#define KERNEL_SIM_SIM_H

#include "kernel/kernel.h"

/*
 * Time follows the monotonic clock until held. Work that is due is done when the kernel is next
 * used, or when its event descriptor becomes readable.
 */
void sim_hold_time(struct kernel *kernel);
void sim_advance(struct kernel *kernel, unsigned int milliseconds);
/* Complete all deletes now. */
void sim_reap(struct kernel *kernel);
/*
 * How long a delete takes (default 10 ms), and each further one queued behind it (default 100 us;
 * real ones take 20 to 30 ms).
 */
void sim_set_delays(struct kernel *kernel, unsigned int milliseconds,
		    unsigned int microseconds_each);

/*
 * Failures. The @n-th request (1: the next) of @verb (SIM_ANY: any) fails with @error (negative
 * errno). Up to 8 can be set.
 */
#define SIM_ANY (-1)

enum sim_failure {
	SIM_REFUSE,  /* nothing is done */
	SIM_DECEIVE, /* it is done but fails, as when the kernel cannot notify (before 6.12.109) */
	SIM_LOSE     /* it is done, but the reply is lost: this and all that follow in the batch are
			-EIO, and submit() returns @error */
};

int sim_fail(struct kernel *kernel, int verb, unsigned int n, enum sim_failure how, int error);
/* The number of failures still to come. */
unsigned int sim_failures_waiting(const struct kernel *kernel);

/* Requests executed since open, including reads. */
uint64_t sim_calls(const struct kernel *kernel);
/* The same for one verb. */
uint64_t sim_calls_of(const struct kernel *kernel, enum kernel_verb verb);

/*
 * Set enum kernel_capability bits; without CAPABILITY_UDP there is no l2tp: connect() gives
 * -ENOENT.
 */
void sim_set_capabilities(struct kernel *kernel, unsigned int capabilities);
/* Without it connect() and every l2tp request give -EPERM. */
void sim_set_permitted(struct kernel *kernel, bool permitted);

/*
 * The world around. @prefix is text such as "192.0.2.1/24". Return 0 or -EINVAL, -EEXIST, -ENOENT,
 * -ENODEV. The route to an address's prefix comes and goes with it.
 */
int sim_add_link(struct kernel *kernel, const char *name, bool bridge);
int sim_remove_link(struct kernel *kernel, const char *name);
int sim_rename_link(struct kernel *kernel, const char *from, const char *to);
int sim_add_vrf(struct kernel *kernel, const char *name);
/* Pull the cable, or plug it in again. */
int sim_set_carrier(struct kernel *kernel, const char *name, bool carrier);
/* As "ip link property add altname"; also for our own interfaces. */
int sim_add_alternative(struct kernel *kernel, const char *link, const char *name);
int sim_add_address(struct kernel *kernel, const char *link, const char *prefix, bool tentative);
int sim_remove_address(struct kernel *kernel, const char *prefix);
/* Let an address pass or fail duplicate address detection, or become deprecated. */
enum sim_mark { SIM_PLAIN, SIM_TENTATIVE, SIM_DUPLICATE, SIM_DEPRECATED };
int sim_mark_address(struct kernel *kernel, const char *prefix, enum sim_mark mark);
/* @error: 0: a route; else the error of using it: -EHOSTUNREACH, -EACCES ... */
int sim_add_route(struct kernel *kernel, const char *prefix, int error);
/* Set the source that it prefers, as "ip route add ... src". */
int sim_set_source(struct kernel *kernel, const char *prefix, const char *source);
int sim_remove_route(struct kernel *kernel, const char *prefix);
/* The sysctl ip_nonlocal_bind: lets sockets bind to addresses that the host does not have. */
void sim_allow_nonlocal_bind(struct kernel *kernel, bool allow);
/* Behave like a vendor's kernel that creates tunnels without a route to their peer. */
void sim_need_no_route(struct kernel *kernel);
/* Another program has a UDP socket on that (textual) address, until called with @busy false. */
int sim_set_port(struct kernel *kernel, const char *address, uint16_t port, bool busy);

/*
 * What others set with "bridge" and "ip link", as numbers. Ports get the defaults whenever they
 * join a bridge, links when they are created. -ENODEV.
 */
enum sim_setting {
	SIM_PORT_PVID,     /* default 1, untagged */
	SIM_PORT_ISOLATED, /* 0 */
	SIM_PORT_COST,     /* 100 */
	SIM_LINK_GROUP,    /* 0 */
	SIM_LINK_QUEUES,   /* 0; can be kept but not put back */
	SIM_SETTINGS
};
int sim_set(struct kernel *kernel, const char *link, enum sim_setting setting, uint32_t value);
int64_t sim_get(const struct kernel *kernel, const char *link, enum sim_setting setting);
/* Has it ever been up in a bridge's default VLAN since it was created? */
bool sim_carried_default(const struct kernel *kernel, const char *link);
/* The next @n times put_back() does not put a port back, and returns @error. */
void sim_fail_put_back(struct kernel *kernel, unsigned int n, int error);

/*
 * Execute a request of someone else ("ip l2tp", "ip link"): it is not counted as ours, and causes
 * the events that the kernel would send. Returns its result.
 */
int sim_foreign(struct kernel *kernel, struct kernel_request *request);
/* Send an event of another network namespace. */
void sim_noise(struct kernel *kernel, uint32_t tunnel_id, uint32_t session_id);
/* Let the event queue overflow. */
void sim_lose_events(struct kernel *kernel);
/* Let the next dumps of sessions and of tunnels leave out every @n-th entry; 0: none. */
void sim_miss_in_dump(struct kernel *kernel, unsigned int n);
/* Interrupt the next @n dumps of links: they leave out every second link. */
void sim_interrupt_dumps(struct kernel *kernel, unsigned int n);

/*
 * Add to the counters of a session and its tunnel, or of the tunnel alone (@session_id 0). -ENOENT.
 */
int sim_count(struct kernel *kernel, uint32_t tunnel_id, uint32_t session_id,
	      const struct statistics *more);
/* Let every session send and receive this many packets of 100 bytes per second. */
void sim_set_traffic(struct kernel *kernel, unsigned int packets_per_second);
/*
 * Let the peer turn its sequence numbers on or off; SEND_SEQ follows, except in lns-mode. -ENOENT.
 */
int sim_peer_sequences(struct kernel *kernel, uint32_t tunnel_id, uint32_t session_id, bool on);

/* The alias of a link, "" when it has none. */
const char *sim_alias(const struct kernel *kernel, const char *link);

/*
 * What send_frames() sent: how many, and the last one. It counts as sent by the session of the
 * link.
 */
struct sim_frames {
	unsigned int sent, refused; /* refused: the link was down or gone */
	uint8_t last[512];
	size_t last_length;
};
const struct sim_frames *sim_frames(const struct kernel *kernel);
int sim_frames_on(const struct kernel *kernel, const char *link); /* how many; -ENODEV */
/* Without it send_frames() gives -EPERM. */
void sim_permit_frames(struct kernel *kernel, bool permitted);

/* The number of tunnels, sessions and links, including dying ones; to check for leftovers. */
struct sim_population {
	unsigned int tunnels, sessions, links;
};
struct sim_population sim_population(const struct kernel *kernel);

#endif
