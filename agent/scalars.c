#include "scalars.h"

#include <string.h>

#ifndef VERSION
#define VERSION "unknown"
#endif

/* BITS: bit 0 is the most significant of the first octet (RFC 2578 section 7.1.4). */
static void give_capabilities(unsigned int capabilities, struct value *ret)
{
	ret->text[0] = 0;
	for (unsigned int bit = 0; bit < 8; bit++) {
		if (capabilities & (1U << bit))
			ret->text[0] = (char)(ret->text[0] | (0x80 >> bit));
	}
	value_bytes(ret, ret->text, 1);
}

static void give_info(struct mib *mib, unsigned int number, struct value *ret)
{
	struct engine_info info = {.release = ""};

	if (mib->engine)
		engine_info(mib->engine, &info);
	switch (number) {
	case SCALAR_KERNEL_RELEASE:
		value_string(ret, info.release ? info.release : "");
		break;
	case SCALAR_KERNEL_CAPABILITIES:
		give_capabilities(info.capabilities, ret);
		break;
	case SCALAR_LAST_CHANGE:
		value_time(ret, &mib->epoch, info.last_change.at);
		break;
	default:
		value_counter(ret, info.generation);
	}
}

static void give_total(struct mib *mib, unsigned int number, struct value *ret)
{
	struct engine_totals totals = {0};

	if (mib->engine)
		engine_totals(mib->engine, &totals);
	switch (number) {
	case SCALAR_TOTAL_TX_PACKETS:
		value_counter(ret, totals.tunnels.tx_packets);
		break;
	case SCALAR_TOTAL_TX_BYTES:
		value_counter(ret, totals.tunnels.tx_bytes);
		break;
	case SCALAR_TOTAL_RX_PACKETS:
		value_counter(ret, totals.tunnels.rx_packets);
		break;
	case SCALAR_TOTAL_RX_BYTES:
		value_counter(ret, totals.tunnels.rx_bytes);
		break;
	default:
		value_time(ret, &mib->epoch, totals.tunnels.discontinuity_time.at);
	}
}

void scalar_value(struct mib *mib, unsigned int number, struct value *ret)
{
	const struct datastore *store = mib->store;

	switch ((enum scalar)number) {
	case SCALAR_VERSION:
		value_string(ret, VERSION);
		break;
	case SCALAR_TUNNEL_COUNT:
		value_unsigned(ret, datastore_counts(store)->tunnel_count);
		break;
	case SCALAR_TUNNEL_UP_COUNT:
		value_unsigned(ret, datastore_up(store, OBJECT_TUNNEL));
		break;
	case SCALAR_SESSION_COUNT:
		value_unsigned(ret, datastore_counts(store)->session_count);
		break;
	case SCALAR_SESSION_UP_COUNT:
		value_unsigned(ret, datastore_up(store, OBJECT_SESSION));
		break;
	case SCALAR_SPIN_LOCK:
		value_integer(ret, mib->spin_lock);
		break;
	case SCALAR_NOTIFICATION_ENABLE:
		value_integer(ret, mib->notify ? 1 : 2);
		break;
	case SCALAR_LAST_ERROR:
		value_bytes(ret, mib->last_error,
			    strnlen(mib->last_error, 255)); /* SnmpAdminString */
		break;
	case SCALAR_NOTIFICATIONS_LOST:
		value_counter32(ret, mib->notifications_lost);
		break;
	case SCALAR_TOTAL_TX_PACKETS:
	case SCALAR_TOTAL_TX_BYTES:
	case SCALAR_TOTAL_RX_PACKETS:
	case SCALAR_TOTAL_RX_BYTES:
	case SCALAR_TOTAL_DISCONTINUITY_TIME:
		give_total(mib, number, ret);
		break;
	default:
		give_info(mib, number, ret);
	}
}
