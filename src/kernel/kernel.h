/*
 * The narrow kernel interface. Nothing above it knows netlink; nothing below it knows doors. It has
 * two implementations: netlink (the kernel) and sim (in memory, behaving like two real kernels, and
 * failing on demand).
 *
 * Every call is synchronous and bounded. Requests are passed in batches and pipelined: netlink
 * executes a batch in order within one system call, so the caller sizes batches by the time it has.
 * Up to 6.11 deleting an Ethernet session takes 20 to 30 ms, within the call; no other request
 * takes that long.
 *
 * Facts of net/l2tp stay below this line, at the head of the .c file that deals with them. Those
 * above it must know: an object is gone only when a GET returns ENODEV and its link is gone;
 * deletes are asynchronous; events are hints.
 */
#ifndef KERNEL_KERNEL_H
#define KERNEL_KERNEL_H

#include <errno.h>
#include <net/if.h>
#include <stddef.h>
#include <string.h>

#include "model/error.h"
#include "model/model.h"

struct kernel;

enum kernel_verb {
	KERNEL_TUNNEL_CREATE,
	KERNEL_TUNNEL_DELETE, /* deletes the tunnel's sessions too */
	KERNEL_TUNNEL_GET,
	KERNEL_SESSION_CREATE, /* give interface_name: letting the kernel choose takes quadratic
				  time */
	KERNEL_SESSION_MODIFY, /* sets the CHANGE_MODIFY rows */
	KERNEL_SESSION_DELETE, /* checks that it belongs to this tunnel (kernels from 6.11 on do
				  not) */
	KERNEL_SESSION_GET,    /* the same check: -ENODEV for another tunnel's session */
	KERNEL_LINK_SET,    /* sets what `link_set` selects of `link` on the link `link.name` or, if
			       "", `link.index`: first the MAC (-EBUSY while it is up: take it down
			       first), then MTU, alias, dormant, master, up */
	KERNEL_LINK_GET,    /* by link.index, or by link.name when index is 0; fills `link` */
	KERNEL_VLAN_CREATE, /* an 802.1Q link `link.name` of `link.vlan_id` over `link.parent` */
	KERNEL_LINK_DELETE  /* an 802.1Q link; an L2TP interface gives -EOPNOTSUPP */
};

/* A link: what can be read or set. Zero the struct first. */
enum kernel_link_bit {
	LINK_UP = 1 << 0,
	LINK_MTU = 1 << 1,
	LINK_MAC = 1 << 2,
	LINK_MASTER = 1 << 3, /* master 0: leave the bridge or VRF */
	LINK_NAME = 1 << 4,   /* rename; selects the link by index */
	LINK_ALIAS = 1 << 5,  /* alias NULL: have none */
	LINK_DORMANT = 1 << 6
};

struct kernel_link {
	char name[IFNAME_LENGTH + 1];
	unsigned int index;
	unsigned int mtu;
	unsigned int master; /* ifindex of the bridge or VRF; 0: none */
	unsigned int parent; /* ifindex of an 802.1Q link's lower link, else 0 */
	uint16_t vlan_id;    /* 0: not an 802.1Q link */
	bool kind;           /* the kernel names its kind, as it does not for L2TP interfaces */
	bool vrf;            /* it is a VRF */
	struct mac mac;
	bool up;
	bool carrier; /* ... and has a carrier, as far as it knows */
	bool dormant; /* operationally down by request (RFC 2863); it receives, and frames can be
			 sent on it */
	/*
	 * Alternative names short enough for an interface-name, each NUL-terminated, with an empty
	 * one at the end. NULL: none. Only in dumps and events; borrowed until the callback
	 * returns.
	 */
	const char *alternatives;
	/* IFLA_IFALIAS, text of any kind, up to 255 bytes; NULL: none, or not asked for. As above.
	 */
	const char *alias;
};

/* Does the link have this alias? NULL and "": none. */
static inline bool kernel_has_alias(const struct kernel_link *link, const char *alias)
{
	return strcmp(link->alias ? link->alias : "", alias ? alias : "") == 0;
}

/*
 * What others set on a link and no leaf covers: all settings of its bridge port with VLANs,
 * alternative names, group, queue length, promiscuity, addresses. One block of memory: free() it.
 */
struct kernel_kept;

#define KERNEL_LOST_MAX 256 /* bytes of text that names what is lost with a link */

/*
 * One request. Borrows `tunnel` and `session` until the batch returns. A create needs completed
 * configurations (codec_complete), and the tunnel's local_address (the engine resolves
 * local-interface). `result` is 0 or the kernel's negative errno. GET fills the `ret_*` that are
 * not NULL: counters, and the config leaves that the kernel reports (others are absent).
 */
struct kernel_request {
	enum kernel_verb verb;
	uint32_t tunnel_id,
		session_id; /* for DELETE and GET; CREATE and MODIFY use the structs below */
	const struct tunnel *tunnel;
	const struct session *session;
	struct kernel_link link;
	unsigned int link_set; /* enum kernel_link_bit */
	struct tunnel *ret_tunnel;
	struct session *ret_session;
	struct statistics *ret_statistics;
	int result;
};

/* An Ethernet frame to be sent on the link of that ifindex. */
struct kernel_frame {
	unsigned int index;
	const void *bytes;
	size_t length;
};

/*
 * Events are hints to look again: the netlink group "l2tp" reports those of every namespace, and
 * loses some. Changes that we made to tunnels and sessions cause no events, only changes of links
 * do.
 */
enum kernel_event_type {
	KERNEL_EVENT_TUNNEL, /* created, modified or deleted: GET it */
	KERNEL_EVENT_SESSION,
	KERNEL_EVENT_LINK,      /* `link` as it is now */
	KERNEL_EVENT_LINK_GONE, /* `link.index`, `link.name` */
	KERNEL_EVENT_ADDRESS,   /* some address came, went or is no longer tentative */
	KERNEL_EVENT_ROUTE,
	KERNEL_EVENT_FAMILY, /* the l2tp family appeared, as when its module is loaded: connect() */
	KERNEL_EVENT_LOST    /* ENOBUFS: anything may have happened; read everything again */
};

struct kernel_event {
	enum kernel_event_type type;
	uint32_t tunnel_id, session_id;
	struct kernel_link link;
};

/* Capabilities found by probing, as in l2tpv3KernelCapabilities; the MIB's bit numbers. */
enum kernel_capability {
	CAPABILITY_UDP = 1 << 0,
	CAPABILITY_IP = 1 << 1,
	CAPABILITY_IP6 = 1 << 2,
	CAPABILITY_ETHERNET = 1 << 3,
	CAPABILITY_PPP = 1 << 4
};

/* The route of what a tunnel sends, as somebody configured it. */
struct kernel_route {
	unsigned int link; /* ifindex of the outgoing link; 0: none, or several */
	bool down;         /* that link is down or has no carrier */
	uint32_t mtu;      /* of the route; 0: that of the link */
};

/* The way of what a tunnel sends, as the kernel takes it now. */
struct kernel_path {
	unsigned int link;      /* ifindex; 0: none, or several */
	struct address source;  /* the tunnel's own, or else what the route prefers */
	struct address gateway; /* AF_UNSPEC: none, the peer is on the link */
	uint32_t mtu;           /* of the route, or learnt from the path; 0: that of the link */
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

/* Receives the entries of a dump; set the callback of its kind. */
struct kernel_visitor {
	kernel_tunnel_cb *tunnel;
	kernel_session_cb *session;
	kernel_link_cb *link;
	void *arg;
};

enum kernel_address_state {
	ADDRESS_UNKNOWN, /* the kernel could not be asked */
	ADDRESS_ABSENT,
	ADDRESS_TENTATIVE, /* duplicate address detection is under way */
	ADDRESS_DUPLICATE, /* it has failed: another host has the address */
	ADDRESS_READY
};

/*
 * Does the result of a question about addresses or routes answer it? Other errors, such as for lack
 * of memory, say nothing about them: ask again.
 */
static inline bool kernel_answered(int rc)
{
	return rc == 0 || rc == -ENETUNREACH || rc == -EHOSTUNREACH || rc == -EINVAL ||
	       rc == -EACCES || rc == -ENODEV || rc == -EADDRNOTAVAIL || rc == -EAGAIN;
}

struct kernel_operations {
	const char *name;
	void (*close)(struct kernel *kernel);

	/*
	 * (Re)connect to the l2tp family. -ENOENT when the module is missing (@err names it),
	 * -EPERM without CAP_NET_ADMIN. Harmless when connected.
	 */
	int (*connect)(struct kernel *kernel, struct error *err);

	/*
	 * Execute @count requests in order. 0: every request has a result; a negative errno: the
	 * socket failed, and unknown results are -EIO (find out by GET).
	 */
	int (*submit)(struct kernel *kernel, struct kernel_request *requests, size_t count);

	/*
	 * Keep what others set on a link, before it is deleted or leaves its bridge. Takes some ten
	 * system calls. -ENODEV, -ENOMEM, or the kernel's error, with *@ret NULL.
	 */
	int (*keep)(struct kernel *kernel, unsigned int index, struct kernel_kept **ret);
	/*
	 * Put it back on a link that is down; the settings of a port only if the link is in the
	 * same bridge again. A negative errno: the link may be in that bridge, and @ret_lost names
	 * port settings that could not be set, or read back differently. 0: the port is as before,
	 * and all else was put back as far as possible; @ret_lost names what is lost ("": nothing).
	 */
	int (*put_back)(struct kernel *kernel, unsigned int index, const struct kernel_kept *kept,
			char ret_lost[KERNEL_LOST_MAX]);

	/*
	 * Send frames, with as few system calls as possible. One whose link is gone, down or busy
	 * is dropped. Returns how many were sent, or a negative errno: there is no socket for it
	 * (-EPERM: CAP_NET_RAW was missing when it was opened).
	 */
	int (*send_frames)(struct kernel *kernel, const struct kernel_frame *frames, size_t count);

	/*
	 * Dumps. A callback's nonzero return ends the dump and is returned. An entry missing from a
	 * dump proves nothing (up to 6.11 dumps miss some): confirm with GET. Sessions come in no
	 * particular order. dump_links gives every link of the namespace; -EINTR: links came or
	 * went meanwhile, and some may be missing: dump again.
	 */
	int (*dump_tunnels)(struct kernel *kernel, kernel_tunnel_cb *cb, void *arg);
	int (*dump_sessions)(struct kernel *kernel, kernel_session_cb *cb, void *arg);
	int (*dump_links)(struct kernel *kernel, kernel_link_cb *cb, void *arg);

	/*
	 * The same in pieces of some hundred entries. 1: there are more; 0: the end; a negative
	 * errno ends it too. Only one can be under way: @begin ends an earlier one.
	 */
	int (*dump_piece)(struct kernel *kernel, enum kernel_dump what, bool begin,
			  const struct kernel_visitor *visitor);
	void (*leave_dump)(struct kernel *kernel);

	/*
	 * The counters of all sessions in one dump, some hundred per call. A call gives what was
	 * read when the last call ended; with @begin, when the dump begins. 1: there are more; 0:
	 * the end; a negative errno ends it too. From 6.12 on they come in order of tunnel and
	 * session ids; before, in no order, and in quadratic time.
	 */
	int (*read_counters)(struct kernel *kernel, bool begin, kernel_counters_cb *cb, void *arg);
	/* End such a dump early. Harmless when none is under way. */
	void (*leave_counters)(struct kernel *kernel);

	/* Is the address on this host, in the VRF of that ifindex (0: in no VRF), and usable? */
	enum kernel_address_state (*address_state)(struct kernel *kernel,
						   const struct address *address, unsigned int vrf);
	/*
	 * Choose the global address of @interface from which to reach @remote. Temporary (RFC 8981)
	 * and deprecated ones come last. Of equals it takes *@ret if that is one (the kernel lists
	 * the newest IPv6 address first), else the source that the route to @remote prefers, else
	 * what the kernel would take to go out through @interface, else the first. -EAGAIN: all of
	 * them, such as *@ret, have yet to pass duplicate address detection. -ENODEV: no such
	 * interface; -EADDRNOTAVAIL: no such address.
	 */
	int (*interface_address)(struct kernel *kernel, const char *interface,
				 const struct address *remote, struct address *ret);
	/*
	 * 0: @interface has the address, whatever its scope, even tentative. -ENODEV: no such
	 * interface; -EADDRNOTAVAIL: it has not.
	 */
	int (*interface_has)(struct kernel *kernel, const char *interface,
			     const struct address *address);
	/*
	 * 0: what the ends of @tunnel send (from any local address if that is unspecified; by their
	 * ports if it is over UDP) has a route, without an MTU that was learnt. -ENETUNREACH: no
	 * route; -EINVAL: a blackhole, -EACCES: a prohibit, -EHOSTUNREACH: an unreachable route, or
	 * a rule of that type.
	 */
	int (*route)(struct kernel *kernel, const struct tunnel *tunnel, struct kernel_route *ret);
	/* Which way that is. Errors as of route(). */
	int (*path)(struct kernel *kernel, const struct tunnel *tunnel, struct kernel_path *ret);

	/*
	 * Event descriptors to poll for reading (up to 2; returns how many); read and pass on the
	 * events.
	 */
	unsigned int (*event_fds)(struct kernel *kernel, int ret_fds[2]);
	void (*read_events)(struct kernel *kernel, kernel_event_cb *cb, void *arg);

	/*
	 * Stop events of addresses and routes, while thousands of our own interfaces would cause
	 * some; those of links and l2tp go on. After the end, anything may have changed.
	 */
	void (*hush)(struct kernel *kernel, bool hush);

	/* enum kernel_capability bits; cached: probes at most once per connect. */
	unsigned int (*capabilities)(struct kernel *kernel);
	/*
	 * A name for this boot's kernel and network namespace; it changes with a boot. Indexes and
	 * cookies are meaningful within one instance only.
	 */
	const char *(*instance)(struct kernel *kernel);
	/*
	 * The cookie of the tunnel's UDP socket, which identifies the tunnel among all past and
	 * future ones. 0: unknown, as for every tunnel over IP.
	 */
	uint64_t (*tunnel_socket)(struct kernel *kernel, const struct tunnel *tunnel);
	/* uname -r or "simulated ..." */
	const char *(*release)(struct kernel *kernel);
	/*
	 * Writes sent since open: create, modify, delete, link set. For tests that nothing is
	 * written.
	 */
	uint64_t (*writes)(struct kernel *kernel);
};

/* The first member of either implementation's struct. */
struct kernel {
	const struct kernel_operations *ops;
};

/*
 * Open. @netns: the name below /run/netns of the namespace for the sockets, or NULL; the process
 * itself stays in its own. Succeeds without the l2tp module; connect() will fail. The caller closes
 * with kernel->ops->close.
 */
int kernel_open_netlink(struct kernel **ret, const char *netns, struct error *err);

#define KERNEL_EXPLAIN_MAX 384

/*
 * Print why @verb returned @error (negative errno): likely cause, cure, and the errno's own text.
 * @tunnel and @session may be NULL. Returns the length.
 */
int kernel_explain(enum kernel_verb verb, int error, const struct tunnel *tunnel,
		   const struct session *session, char ret[KERNEL_EXPLAIN_MAX]);

/* @profile: "6.1" or "6.12", the kernel to behave like. Controls are in sim.h. */
int kernel_open_sim(struct kernel **ret, const char *profile, struct error *err);

#endif
