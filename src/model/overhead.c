#include "model/overhead.h"

#include <sys/socket.h>

#include "model/codec.h"

enum {
	IP4_HEADER = 20,
	IP6_HEADER = 40,
	UDP_HEADER = 8,
	FLAGS = 4, /* flags, version and reserved, over UDP */
	SESSION_HEADER = 4,
	SUBLAYER = 4,
	ETHERNET_HEADER = 14,
	VLAN_TAG = 4
};

unsigned int overhead_in_kernel(const struct tunnel *tunnel, const struct session *session)
{
	unsigned int sum = tunnel->remote_address.family == AF_INET6 ? IP6_HEADER : IP4_HEADER;

	if (codec_applies(&row_sets[OBJECT_TUNNEL].rows[TUNNEL_LOCAL_PORT], tunnel))
		sum += UDP_HEADER + FLAGS;
	sum += SESSION_HEADER + session->tx_cookie.length;
	if (session->l2_specific_sublayer != SUBLAYER_NONE)
		sum += SUBLAYER;
	if (session->pseudowire_type != PSEUDOWIRE_PPP)
		sum += ETHERNET_HEADER;
	return sum;
}

unsigned int overhead_of(const struct tunnel *tunnel, const struct session *session)
{
	return overhead_in_kernel(tunnel, session) +
	       (session->pseudowire_type == PSEUDOWIRE_ETHERNET_VLAN ? VLAN_TAG : 0);
}
