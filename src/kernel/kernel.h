/*
 * The narrow kernel interface. Nothing above it knows netlink; nothing below it
 * knows doors. Two implementations: netlink (the kernel) and sim (in memory,
 * behaving as the two real kernels do, failing when told to).
 *
 * Every call is synchronous and bounded. Requests are handed over as a batch
 * and are pipelined: netlink executes them in order within one system call, so
 * the caller chooses the batch by the time it has: deleting an Ethernet session
 * takes 20 to 30 ms up to 6.11, within the call; no other request so long.
 *
 * Traps kept below this line: facts of net/l2tp, at the head of the .c file that
 * deals with them. Above it: an object is gone only when a GET says ENODEV and
 * its link is gone; deletes are asynchronous; events are hints.
 */
#ifndef KERNEL_KERNEL_H
#define KERNEL_KERNEL_H

#include <net/if.h>
#include <stddef.h>

#include "model/error.h"
#include "model/model.h"

struct kernel;

enum kernel_verb {
	KERNEL_TUNNEL_CREATE,
	KERNEL_TUNNEL_DELETE, /* takes the tunnel's sessions with it */
	KERNEL_TUNNEL_GET,
	KERNEL_SESSION_CREATE, /* give interface_name: letting the kernel choose is quadratic */
	KERNEL_SESSION_MODIFY, /* the CHANGE_MODIFY rows */
	KERNEL_SESSION_DELETE, /* checks first that it is this tunnel's (6.11+ does not) */
	KERNEL_SESSION_GET,    /* likewise: another tunnel's session is -ENODEV */
	KERNEL_LINK_SET,       /* the bits of `link_set` of `link`, on the link `link.name` or, if
				  that is "", `link.index`: first the MAC, which an interface that
				  is up refuses (-EBUSY: take it down first), then MTU, master, up */
	KERNEL_LINK_GET,       /* by link.index, or by link.name when index is 0; fills `link` */
	KERNEL_VLAN_CREATE,    /* an 802.1Q link `link.name` of `link.vlan_id` over `link.parent` */
	KERNEL_LINK_DELETE     /* an 802.1Q link; an L2TP interface gives -EOPNOTSUPP */
};

/* What of a link there is to know or set. Zero the struct first. */
enum kernel_link_bit {
	LINK_UP = 1 << 0,
	LINK_MTU = 1 << 1,
	LINK_MAC = 1 << 2,
	LINK_MASTER = 1 << 3, /* master 0: take out of its bridge */
	LINK_NAME = 1 << 4    /* rename: the link is selected by index then */
};

struct kernel_link {
	char name[IFNAME_LENGTH + 1];
	unsigned int index;
	unsigned int mtu;
	unsigned int master; /* ifindex of the bridge, 0 none */
	unsigned int parent; /* 802.1Q: ifindex of the lower link, else 0 */
	uint16_t vlan_id;    /* 0: not an 802.1Q link */
	bool kind;           /* it says of what kind it is, which L2TP interfaces do not */
	bool vrf;            /* it is one */
	struct mac mac;
	bool up;
	bool carrier; /* ... and connected, as far as it knows */
	/* Alternative names that an interface-name can be: one after the other, each ended by NUL,
	 * an empty one last. NULL none. Of dumps and events only, borrowed until the callback
	 * returns. */
	const char *alternatives;
};

/*
 * What others have set on a link, of which no leaf tells: all settings of a bridge's
 * port with its VLANs, alternative names, alias, group, queue length, promiscuity,
 * addresses. One block of memory: free() it.
 */
struct kernel_kept;

#define KERNEL_LOST_MAX 256 /* of text that names what is lost with a link */

/*
 * One request. `tunnel` and `session` are borrowed until the batch returns.
 * Creating takes completed configurations (codec_complete); tunnel's
 * local_address must be set (the engine resolves local-interface). `result` is
 * 0 or a negative errno as the kernel gave it. GET fills the `ret_*` that are
 * not NULL: config leaves the kernel reports (others absent) and counters.
 */
struct kernel_request {
	enum kernel_verb verb;
	uint32_t tunnel_id, session_id; /* DELETE, GET; CREATE and MODIFY take them from below */
	const struct tunnel *tunnel;
	const struct session *session;
	struct kernel_link link;
	unsigned int link_set; /* enum kernel_link_bit */
	struct tunnel *ret_tunnel;
	struct session *ret_session;
	struct statistics *ret_statistics;
	int result;
};

/*
 * Events are hints to look again: netlink group "l2tp" tells every namespace's,
 * and loses some. Our own tunnels' and sessions' changes are not told, only
 * what becomes of links.
 */
enum kernel_event_type {
	KERNEL_EVENT_TUNNEL, /* created, modified or deleted: GET it */
	KERNEL_EVENT_SESSION,
	KERNEL_EVENT_LINK,      /* `link` as it is now */
	KERNEL_EVENT_LINK_GONE, /* `link.index`, `link.name` */
	KERNEL_EVENT_ADDRESS,   /* some address came, went or left the tentative state */
	KERNEL_EVENT_ROUTE,
	KERNEL_EVENT_FAMILY, /* the l2tp family came, as with its module: connect() */
	KERNEL_EVENT_LOST    /* ENOBUFS: anything may have happened, read everything again */
};

struct kernel_event {
	enum kernel_event_type type;
	uint32_t tunnel_id, session_id;
	struct kernel_link link;
};

/* Capabilities found by probing, as in l2tpv3KernelCapabilities; bit numbers are the MIB's. */
enum kernel_capability {
	CAPABILITY_UDP = 1 << 0,
	CAPABILITY_IP = 1 << 1,
	CAPABILITY_IP6 = 1 << 2,
	CAPABILITY_ETHERNET = 1 << 3,
	CAPABILITY_PPP = 1 << 4
};

typedef int kernel_tunnel_cb(const struct tunnel *tunnel, const struct statistics *statistics,
			     void *arg);
typedef int kernel_session_cb(uint32_t tunnel_id, const struct session *session,
			      const struct statistics *statistics, void *arg);
typedef void kernel_counters_cb(uint32_t tunnel_id, uint32_t session_id,
				const struct statistics *statistics, void *arg);
typedef int kernel_link_cb(const struct kernel_link *link, void *arg);
typedef void kernel_event_cb(const struct kernel_event *event, void *arg);

enum kernel_dump { DUMP_LINKS, DUMP_TUNNELS, DUMP_SESSIONS };

/* Who is given what a dump has: the callback of its kind is set. */
struct kernel_visitor {
	kernel_tunnel_cb *tunnel;
	kernel_session_cb *session;
	kernel_link_cb *link;
	void *arg;
};

enum kernel_address_state {
	ADDRESS_ABSENT,
	ADDRESS_TENTATIVE, /* under duplicate address detection */
	ADDRESS_DUPLICATE, /* which has failed: another host has it */
	ADDRESS_READY
};

struct kernel_operations {
	const char *name;
	void (*close)(struct kernel *kernel);

	/*
	 * (Re)connect to the l2tp family; -ENOENT when the module is not there
	 * (err names it), -EPERM without CAP_NET_ADMIN. Harmless when connected.
	 */
	int (*connect)(struct kernel *kernel, struct error *err);

	/*
	 * Execute @count requests in order. Returns 0 when every request has a
	 * result; a negative errno when the socket failed (results not yet known
	 * are -EIO: GET before concluding).
	 */
	int (*submit)(struct kernel *kernel, struct kernel_request *requests, size_t count);

	/*
	 * Keep what others have set on a link, before it goes or leaves its bridge. Takes
	 * some ten system calls. -ENODEV, -ENOMEM, or what the kernel says; *@ret is then NULL.
	 */
	int (*keep)(struct kernel *kernel, unsigned int index, struct kernel_kept **ret);
	/*
	 * Put it back on a link, which is down; the settings of its port if it is in the same
	 * bridge as then. A negative errno: it is in that bridge, perhaps, and @ret_lost names
	 * what of the port could not be set, or reads otherwise. 0: the port is set as it was;
	 * all else is put back as far as can be, and @ret_lost names what is gone ("" nothing).
	 */
	int (*put_back)(struct kernel *kernel, unsigned int index, const struct kernel_kept *kept,
			char ret_lost[KERNEL_LOST_MAX]);

	/*
	 * Dumps. A callback's nonzero return ends the dump and is returned. An
	 * entry missing from a dump proves nothing (up to 6.11 they miss some):
	 * confirm with GET. Sessions come in no particular order. dump_links gives
	 * every link of the namespace; -EINTR: links came or went meanwhile, and it
	 * may have passed some over: dump again.
	 */
	int (*dump_tunnels)(struct kernel *kernel, kernel_tunnel_cb *cb, void *arg);
	int (*dump_sessions)(struct kernel *kernel, kernel_session_cb *cb, void *arg);
	int (*dump_links)(struct kernel *kernel, kernel_link_cb *cb, void *arg);

	/*
	 * The same by pieces of some hundred: 1 while there are more, 0 at the end, or
	 * a negative errno, which is an end too. One is under way at a time: @begin
	 * leaves the one before.
	 */
	int (*dump_piece)(struct kernel *kernel, enum kernel_dump what, bool begin,
			  const struct kernel_visitor *visitor);
	void (*leave_dump)(struct kernel *kernel);

	/*
	 * The counters of all sessions by one dump, some hundred a call: what a
	 * call gives was read when the call before it ended, or when it began the
	 * dump itself with @begin. Returns 1 while there are more, 0 at the end,
	 * or a negative errno, which is an end too. From 6.12 on they come in order
	 * of tunnel and session ids; before, in none, and in quadratic time.
	 */
	int (*read_counters)(struct kernel *kernel, bool begin, kernel_counters_cb *cb, void *arg);
	/* Leave such a dump before its end. Harmless when none is under way. */
	void (*leave_counters)(struct kernel *kernel);

	/* Is the address on this host, in the VRF of that ifindex (0: in none), and usable? */
	enum kernel_address_state (*address_state)(struct kernel *kernel,
						   const struct address *address, unsigned int vrf);
	/*
	 * The global address of @interface to reach @remote from. Temporary ones
	 * (RFC 8981) and deprecated ones come last. Of equals *@ret if it is one (of
	 * IPv6 the kernel lists the newest first), else the source that the route to
	 * @remote prefers, else what the kernel would take if it went out by
	 * @interface, else the first. -EAGAIN: there are only such, and *@ret is
	 * one, as duplicate address detection has not passed. -ENODEV no such
	 * interface, -EADDRNOTAVAIL no such address.
	 */
	int (*interface_address)(struct kernel *kernel, const char *interface,
				 const struct address *remote, struct address *ret);
	/*
	 * 0 when @interface has the address, of whatever scope and be it tentative.
	 * -ENODEV no such interface, -EADDRNOTAVAIL it has not.
	 */
	int (*interface_has)(struct kernel *kernel, const char *interface,
			     const struct address *address);
	/*
	 * 0 when what the ends of @tunnel send (from any local address where that is
	 * unspecified, by their ports where it is over UDP) has a route, and
	 * then *@ret_down is the ifindex it goes out by if that is down or has no
	 * carrier, else 0. -ENETUNREACH there is none; -EINVAL a blackhole route,
	 * -EACCES a prohibit route, -EHOSTUNREACH an unreachable one; or a rule.
	 */
	int (*route)(struct kernel *kernel, const struct tunnel *tunnel, unsigned int *ret_down);

	/* Event descriptors to watch for reading (up to 2; returns how many), and to drain. */
	unsigned int (*event_fds)(struct kernel *kernel, int ret_fds[2]);
	void (*read_events)(struct kernel *kernel, kernel_event_cb *cb, void *arg);

	/*
	 * Stop hearing of addresses and routes, while thousands of interfaces of
	 * our own would tell of theirs; links and l2tp go on. Heard again, anything
	 * may have changed meanwhile.
	 */
	void (*hush)(struct kernel *kernel, bool hush);

	/* enum kernel_capability bits; cached, probes at most once a connect. */
	unsigned int (*capabilities)(struct kernel *kernel);
	/*
	 * Which kernel and network namespace it is, for as long as it runs: another after a
	 * boot. Indexes and cookies mean something in one instance only.
	 */
	const char *(*instance)(struct kernel *kernel);
	/*
	 * What identifies the tunnel among all that were or will be there: the cookie of
	 * its UDP socket. 0: unknown; over IP nothing does.
	 */
	uint64_t (*tunnel_socket)(struct kernel *kernel, const struct tunnel *tunnel);
	/* uname -r or "simulated ..." */
	const char *(*release)(struct kernel *kernel);
	/* Writes sent since open: create, modify, delete, link set. For "no kernel write" tests. */
	uint64_t (*writes)(struct kernel *kernel);
};

/* The first member of both implementations' structs. */
struct kernel {
	const struct kernel_operations *ops;
};

/*
 * Open. @netns: name below /run/netns to enter for the sockets (the process
 * stays where it is), or NULL. Succeeds without the l2tp module: connect() says
 * so later. The caller closes with kernel->ops->close.
 */
int kernel_open_netlink(struct kernel **ret, const char *netns, struct error *err);

#define KERNEL_EXPLAIN_MAX 384

/*
 * In words why @verb gave @error (negative errno): likely cause, cure, and the
 * errno's own text. @tunnel and @session may be NULL. Returns the length.
 */
int kernel_explain(enum kernel_verb verb, int error, const struct tunnel *tunnel,
		   const struct session *session, char ret[KERNEL_EXPLAIN_MAX]);

/* @profile: "6.1" or "6.12", whose behaviour it shows. See sim.h for its controls. */
int kernel_open_sim(struct kernel **ret, const char *profile, struct error *err);

#endif
