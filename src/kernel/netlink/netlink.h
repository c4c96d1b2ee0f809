/* What the files of the netlink implementation share. */
#ifndef KERNEL_NETLINK_NETLINK_H
#define KERNEL_NETLINK_NETLINK_H

#include <sys/utsname.h>

#include "kernel/netlink/channel.h"
#include "kernel/kernel.h"
#include "kernel/netlink/l2tp.h"

/*
 * Sockets. Requests and dumps use different ones so that a dump's callback may submit; events have
 * their own because a requester that listens gets its own event before the answer, with the
 * answer's sequence number.
 */
enum channel_use {
	CHANNEL_GENL,
	CHANNEL_ROUTE,
	CHANNEL_GENL_DUMP,
	CHANNEL_ROUTE_DUMP,
	CHANNEL_COUNTERS,     /* a dump of counters, read in pieces */
	CHANNEL_GENL_PIECES,  /* other dumps, read in pieces ... */
	CHANNEL_ROUTE_PIECES, /* ... those of links */
	CHANNEL_GENL_EVENTS,
	CHANNEL_ROUTE_EVENTS,
	CHANNEL_DIAG, /* sockets; not every kernel has it */
	CHANNELS
};

/* The most requests sent before answers are received: these fit any receive buffer. */
#define BATCH_MESSAGES 128
#define MESSAGE_BYTES  1024  /* more than any of our requests needs */
#define OUTBOX_BYTES   65536 /* less than net.core.wmem_default */

/* A message sent, and whether it was answered. */
struct awaited {
	struct kernel_request *request;
	bool guard; /* the GET before a session's MODIFY or DELETE */
	bool answered;
};

/* Requests under way; batch.c. */
struct batch {
	struct awaited awaited[BATCH_MESSAGES];
	unsigned int count;
	uint32_t first_sequence; /* awaited[i] has first_sequence + i */
	enum channel_use use;    /* the socket that the outbox is for */
	size_t length;
	_Alignas(struct nlmsghdr) char outbox[OUTBOX_BYTES];
	struct inbox inbox;
};

struct netlink;

/* A handler's nonzero return ends the reading and is returned. */
typedef int message_cb(struct netlink *netlink, const struct nlmsghdr *message, void *arg);

/* An answer being received, and its result. */
struct answer {
	enum channel_use use;
	message_cb *cb;
	void *arg;
	uint32_t sequence;
	bool ended;
	bool interrupted; /* NLM_F_DUMP_INTR: the dumped objects changed meanwhile */
	int result;       /* valid when ended */
};

struct netlink {
	struct kernel kernel;
	int netns; /* descriptor of the sockets' namespace; -1: the daemon's own */
	struct channel channels[CHANNELS];
	int frames; /* the packet socket, or the negative errno why there is none */
	struct l2tp_decoder decoder;
	uint16_t family; /* 0: not connected */
	uint32_t group;
	uint32_t sequence; /* the last one used */
	uint64_t writes;
	bool capabilities_known;
	unsigned int capabilities;
	struct utsname host;
	char instance[64];
	struct answer counters; /* ended: no dump of counters is under way */
	struct answer pieces;   /* ... none in pieces */
	struct batch batch;
	_Alignas(struct nlmsghdr) char request[MESSAGE_BYTES];
};

static inline struct netlink *netlink_of(struct kernel *kernel)
{
	return (struct netlink *)(void *)kernel;
}

/*
 * opening.c: opens all sockets in the namespace @netns (NULL: the daemon's own); reopens a closed
 * one.
 */
int netlink_open_sockets(struct netlink *netlink, const char *netns, struct error *err);
int netlink_open_again(struct netlink *netlink, enum channel_use use);

/* genl.c: headers, one-message exchanges and dumps. */
struct nlmsghdr *genl_put_header(const struct netlink *netlink, void *buffer, uint8_t command,
				 uint16_t flags);
struct nlmsghdr *route_put_header(void *buffer, uint16_t type, uint16_t flags);
/*
 * Send, and pass every message of the answer to @cb. Returns the kernel's result (0 or a negative
 * errno) or @cb's nonzero return; -EINTR after a dump that may lack some objects. Always receives a
 * dump to its end.
 */
int exchange(struct netlink *netlink, enum channel_use use, struct nlmsghdr *message,
	     message_cb *cb, void *arg);
/* The same in steps: send, then receive one datagram per call until it has ended. */
int answer_begin(struct netlink *netlink, struct answer *answer, struct nlmsghdr *message);
int answer_step(struct netlink *netlink, struct answer *answer);
/* Find the family and its group: netlink->family, netlink->group. -ENOENT: no module. */
int genl_resolve(struct netlink *netlink);
/* Do we have permission? 0 or -EPERM. */
int genl_probe(struct netlink *netlink);

/* identity.c */
void identity_note_instance(struct netlink *netlink);
const char *netlink_instance(struct kernel *kernel);
uint64_t netlink_tunnel_socket(struct kernel *kernel, const struct tunnel *tunnel);

/* batch.c */
int netlink_submit(struct kernel *kernel, struct kernel_request *requests, size_t count);

/* keep.c */
int netlink_keep(struct kernel *kernel, unsigned int index, struct kernel_kept **ret);
int netlink_put_back(struct kernel *kernel, unsigned int index, const struct kernel_kept *kept,
		     char ret_lost[KERNEL_LOST_MAX]);

/* frames.c */
void frames_open(struct netlink *netlink);
int netlink_send_frames(struct kernel *kernel, const struct kernel_frame *frames, size_t count);

/* observe.c */
int netlink_dump_tunnels(struct kernel *kernel, kernel_tunnel_cb *cb, void *arg);
int netlink_dump_sessions(struct kernel *kernel, kernel_session_cb *cb, void *arg);
int netlink_dump_piece(struct kernel *kernel, enum kernel_dump what, bool begin,
		       const struct kernel_visitor *visitor);
void netlink_leave_dump(struct kernel *kernel);
int netlink_read_counters(struct kernel *kernel, bool begin, kernel_counters_cb *cb, void *arg);
void netlink_leave_counters(struct kernel *kernel);
int netlink_dump_links(struct kernel *kernel, kernel_link_cb *cb, void *arg);

/* path.c */
enum kernel_address_state netlink_address_state(struct kernel *kernel,
						const struct address *address, unsigned int vrf);
int netlink_interface_address(struct kernel *kernel, const char *interface,
			      const struct address *remote, struct address *ret);
int netlink_interface_has(struct kernel *kernel, const char *interface,
			  const struct address *address);
int netlink_route(struct kernel *kernel, const struct tunnel *tunnel, struct kernel_route *ret);
int netlink_path(struct kernel *kernel, const struct tunnel *tunnel, struct kernel_path *ret);

/* events.c */
int events_join(struct netlink *netlink);
int events_join_l2tp(struct netlink *netlink);
void netlink_hush(struct kernel *kernel, bool hush);
unsigned int netlink_event_fds(struct kernel *kernel, int ret_fds[2]);
void netlink_read_events(struct kernel *kernel, kernel_event_cb *cb, void *arg);

/* capabilities.c */
unsigned int netlink_capabilities(struct kernel *kernel);
/* Learn about modules from the result of a create. */
void capabilities_learn(struct netlink *netlink, const struct kernel_request *request);

#endif
