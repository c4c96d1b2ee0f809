#include "engine/lldpdu.h"

#include <string.h>

#define ETHERTYPE_LLDP 0x88cc
#define ETHERTYPE_VLAN 0x8100

#define SUBTYPE_NONE    0
#define CHASSIS_LOCAL   7 /* locally assigned */
#define PORT_INTERFACE  5 /* interface name */
#define TLV_LENGTH_BITS 9

enum tlv {
	TLV_END,
	TLV_CHASSIS_ID,
	TLV_PORT_ID,
	TLV_TIME_TO_LIVE,
	TLV_PORT_DESCRIPTION,
	TLV_SYSTEM_NAME
};

/* The nearest bridge keeps frames to it, so the far end's bridge does not forward them. */
static const uint8_t nearest_bridge[6] = {0x01, 0x80, 0xc2, 0x00, 0x00, 0x0e};

static uint8_t *put(uint8_t *at, const void *bytes, size_t length)
{
	memcpy(at, bytes, length);
	return at + length;
}

static uint8_t *put_u16(uint8_t *at, unsigned int number)
{
	*at++ = (uint8_t)(number >> 8);
	*at++ = (uint8_t)number;
	return at;
}

static uint8_t *put_text(uint8_t *at, enum tlv tlv, uint8_t subtype, const char *text)
{
	size_t length = strnlen(text, LLDPDU_TEXT_MAX);
	unsigned int whole = (unsigned int)length + (subtype != SUBTYPE_NONE);

	at = put_u16(at, (unsigned int)tlv << TLV_LENGTH_BITS | whole);
	if (subtype != SUBTYPE_NONE)
		*at++ = subtype;
	return put(at, text, length);
}

size_t lldpdu_build(const struct lldpdu *lldpdu, uint8_t ret[LLDPDU_MAX])
{
	uint8_t *at = put(ret, nearest_bridge, sizeof(nearest_bridge));

	at = put(at, lldpdu->source.bytes, sizeof(lldpdu->source.bytes));
	if (lldpdu->vlan_id) {
		at = put_u16(at, ETHERTYPE_VLAN);
		at = put_u16(at, lldpdu->vlan_id);
	}
	at = put_u16(at, ETHERTYPE_LLDP);
	at = put_text(at, TLV_CHASSIS_ID, CHASSIS_LOCAL, lldpdu->host);
	at = put_text(at, TLV_PORT_ID, PORT_INTERFACE, lldpdu->port);
	at = put_u16(at, TLV_TIME_TO_LIVE << TLV_LENGTH_BITS | sizeof(lldpdu->time_to_live));
	at = put_u16(at, lldpdu->time_to_live);
	if (lldpdu->description[0])
		at = put_text(at, TLV_PORT_DESCRIPTION, SUBTYPE_NONE, lldpdu->description);
	at = put_text(at, TLV_SYSTEM_NAME, SUBTYPE_NONE, lldpdu->host);
	at = put_u16(at, TLV_END);
	return (size_t)(at - ret);
}
