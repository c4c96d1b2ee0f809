#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "model/codec.h"
#include "model/value.h"

#define MAC_ALLOWED     "a unicast MAC address that is not all zeros, as 02:00:00:00:00:01"
#define COOKIE_ALLOWED  "0, 8 or 16 hexadecimal digits (0, 4 or 8 octets)"
#define ADDRESS_ALLOWED "a unicast IPv4 or IPv6 address without a zone"
#define IFNAME_ALLOWED                                                                             \
	"1..15 printable ASCII characters but space, \"/\", \":\" and \"%\", "                     \
	"and not \".\", \"..\", \"all\" or \"default\""

static int refuse(const struct row *row, enum error_code code, const void *given, size_t length,
		  const char *allowed, const char *why, struct error *err)
{
	char quoted[ERROR_QUOTE_MAX];

	if (row->secret)
		snprintf(quoted, sizeof(quoted), "%zu characters, not shown here", length);
	else
		error_quote(given, length, quoted);
	return value_refuse(row, code, quoted, allowed, why, err);
}

/* Strings */

static void store_text(const struct row *row, void *member, const void *bytes, size_t length)
{
	memset(member, 0, row->size);
	if (length)
		memcpy(member, bytes, length);
}

static int refuse_string(const struct row *row, enum error_code code, const void *text,
			 size_t length, struct error *err)
{
	char allowed[80];

	snprintf(allowed, sizeof(allowed), "%u..%u octets of UTF-8 without control characters",
		 row->min, row->max);
	return refuse(row, code, text, length, allowed, NULL, err);
}

static bool is_printable_utf8(const char *text, size_t length)
{
	for (size_t at = 0, step; at < length; at += step) {
		unsigned int point;

		step = utf8_sequence(text + at, length - at, &point);
		if (!step || point < 0x20 || (point >= 0x7f && point < 0xa0))
			return false;
	}
	return true;
}

int string_set(const struct row *row, void *member, const void *bytes, size_t length,
	       struct error *err)
{
	if (length < row->min || length > row->max)
		return refuse_string(row, ERROR_INVALID_LENGTH, bytes, length, err);
	if (!is_printable_utf8(bytes, length))
		return refuse_string(row, ERROR_INVALID_VALUE, bytes, length, err);
	store_text(row, member, bytes, length);
	return 0;
}

static bool is_name(const char *name, const char *text, size_t length)
{
	return strlen(name) == length && !memcmp(name, text, length);
}

/* "%" makes the kernel choose a number; "all" and "default" are directories of /proc/sys/net. */
static bool is_ifname(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (text[i] <= ' ' || text[i] > '~' || text[i] == '/' || text[i] == ':' ||
		    text[i] == '%')
			return false;
	}
	return !is_name(".", text, length) && !is_name("..", text, length) &&
	       !is_name("all", text, length) && !is_name("default", text, length);
}

int ifname_set(const struct row *row, void *member, const void *bytes, size_t length,
	       struct error *err)
{
	if (length < row->min || length > row->max)
		return refuse(row, ERROR_INVALID_LENGTH, bytes, length, IFNAME_ALLOWED, NULL, err);
	if (!is_ifname(bytes, length))
		return refuse(row, ERROR_INVALID_VALUE, bytes, length, IFNAME_ALLOWED, NULL, err);
	store_text(row, member, bytes, length);
	return 0;
}

int string_parse(const struct row *row, void *member, const char *text, size_t length,
		 struct error *err)
{
	return string_set(row, member, text, length, err);
}

int ifname_parse(const struct row *row, void *member, const char *text, size_t length,
		 struct error *err)
{
	return ifname_set(row, member, text, length, err);
}

size_t string_print(const struct row *row, const void *member, char *ret)
{
	size_t length = strnlen(member, row->size - 1U);

	memcpy(ret, member, length);
	ret[length] = '\0';
	return length;
}

size_t string_get(const void *member, const void **ret_bytes)
{
	*ret_bytes = member;
	return strlen(member);
}

/* Addresses */

/*
 * The kernel accepts most of these and then sends nothing, or to itself
 * (net/l2tp/l2tp_core.c, measured on 6.1 and 6.12).
 */
static const char *unusable_ipv4(const uint8_t *bytes)
{
	uint32_t host = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
			(uint32_t)bytes[2] << 8 | bytes[3];

	if (host == 0)
		return "0.0.0.0 names no host; the kernel would take it for this one";
	if (host == 0xffffffff)
		return "255.255.255.255 is the broadcast address; a tunnel has one peer";
	if (host >> 28 == 0xe)
		return "224.0.0.0/4 is multicast (RFC 5771); a tunnel has one peer";
	return NULL;
}

static const char *unusable_ipv6(const uint8_t *bytes)
{
	static const uint8_t unspecified[16];
	static const uint8_t mapped[12] = {[10] = 0xff, 0xff};

	if (!memcmp(bytes, unspecified, sizeof(unspecified)))
		return ":: names no host; the kernel would take it for this one";
	if (bytes[0] == 0xff)
		return "ff00::/8 is multicast (RFC 4291 section 2.7); a tunnel has one peer";
	if (bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80)
		return "fe80::/10 is link-local; the kernel's L2TP interface has no scope for it";
	if (!memcmp(bytes, mapped, sizeof(mapped)))
		return "::ffff:0:0/96 is IPv4 (RFC 4291 section 2.5.5.2); give the IPv4 address";
	return NULL;
}

static int address_store(const struct row *row, void *member, const uint8_t *bytes, size_t length,
			 const char *text, size_t text_length, struct error *err)
{
	struct address *address = member;
	const char *why = length == 4 ? unusable_ipv4(bytes) : unusable_ipv6(bytes);

	if (why)
		return refuse(row, ERROR_INVALID_VALUE, text, text_length, ADDRESS_ALLOWED, why,
			      err);
	memset(address, 0, sizeof(*address));
	address->family = length == 4 ? AF_INET : AF_INET6;
	memcpy(address->bytes, bytes, length);
	return 0;
}

int address_set(const struct row *row, void *member, const void *bytes, size_t length,
		struct error *err)
{
	char given[INET6_ADDRSTRLEN] = "";

	if (length != 4 && length != 16) {
		snprintf(given, sizeof(given), "%zu octets", length);
		return value_refuse(row, ERROR_INVALID_LENGTH, given, ADDRESS_ALLOWED,
				    "4 octets are IPv4, 16 are IPv6", err);
	}
	inet_ntop(length == 4 ? AF_INET : AF_INET6, bytes, given, sizeof(given));
	return address_store(row, member, bytes, length, given, strlen(given), err);
}

/* No address has any of these letters. */
static bool is_host_name(const char *text, size_t length)
{
	bool letter = false;

	for (size_t i = 0; i < length; i++) {
		if (text[i] <= ' ' || strchr(":/%", text[i]))
			return false;
		letter |= (text[i] >= 'g' && text[i] <= 'z') || (text[i] >= 'G' && text[i] <= 'Z');
	}
	return letter;
}

static const char *why_no_address(const char *text, size_t length)
{
	if (memchr(text, '%', length))
		return "the kernel's L2TP interface has no scope to put a zone in";
	if (is_host_name(text, length))
		return "a host name would be looked up once, and a peer that moves not followed: "
		       "give what \"getent ahosts\" says of it";
	return "dotted decimal without leading zeros, or RFC 4291 section 2.2";
}

int address_parse(const struct row *row, void *member, const char *text, size_t length,
		  struct error *err)
{
	char copy[INET6_ADDRSTRLEN];
	uint8_t bytes[16];
	const char *why = why_no_address(text, length);

	if (length == 0 || length >= sizeof(copy) || memchr(text, '\0', length))
		return refuse(row, ERROR_INVALID_VALUE, text, length, ADDRESS_ALLOWED, why, err);
	memcpy(copy, text, length);
	copy[length] = '\0';
	if (inet_pton(AF_INET, copy, bytes) == 1)
		return address_store(row, member, bytes, 4, text, length, err);
	if (inet_pton(AF_INET6, copy, bytes) == 1)
		return address_store(row, member, bytes, 16, text, length, err);
	return refuse(row, ERROR_INVALID_VALUE, text, length, ADDRESS_ALLOWED, why, err);
}

size_t address_print(const struct row *row, const void *member, char *ret)
{
	const struct address *address = member;

	(void)row;
	ret[0] = '\0';
	if (address->family != AF_UNSPEC)
		inet_ntop(address->family, address->bytes, ret, VALUE_TEXT_MAX);
	return strlen(ret);
}

size_t address_length(const struct address *address)
{
	return address->family == AF_INET ? 4 : address->family == AF_INET6 ? 16 : 0;
}

bool address_is_unspecified(const struct address *address)
{
	static const uint8_t zero[sizeof(address->bytes)];

	return memcmp(address->bytes, zero, sizeof(zero)) == 0;
}

size_t address_get(const void *member, const void **ret_bytes)
{
	const struct address *address = member;

	*ret_bytes = address->bytes;
	return address_length(address);
}

/* Hexadecimal */

static int hex_digit(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

/*
 * Octets of two digits each, with ":" between them if @gap is 1. All are counted,
 * @room of them stored: a wrong number is refused in the same words as through SNMP.
 */
static bool decode_hex(const char *text, size_t length, size_t gap, uint8_t *ret, size_t room,
		       size_t *ret_count)
{
	size_t step = 2 + gap, count = (length + gap) / step;

	if ((length + gap) % step)
		return false;
	for (size_t i = 0; i < count; i++, text += step) {
		int high = hex_digit(text[0]), low = hex_digit(text[1]);

		if (high < 0 || low < 0 || (gap && i + 1 < count && text[2] != ':'))
			return false;
		if (i < room)
			ret[i] = (uint8_t)(high << 4 | low);
	}
	*ret_count = count;
	return true;
}

static size_t encode_hex(const uint8_t *bytes, size_t count, const char *gap, char *ret)
{
	static const char digits[] = "0123456789abcdef";
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		if (i && *gap)
			ret[used++] = *gap;
		ret[used++] = digits[bytes[i] >> 4];
		ret[used++] = digits[bytes[i] & 15];
	}
	ret[used] = '\0';
	return used;
}

/* MAC addresses; all zeros stand for none */

static bool is_zero_mac(const uint8_t *bytes)
{
	static const uint8_t zero[sizeof(struct mac)];

	return !memcmp(bytes, zero, sizeof(zero));
}

static const char *unusable_mac(const uint8_t *bytes)
{
	if (bytes[0] & 1)
		return "the first octet is odd, which makes it a group address (IEEE Std 802)";
	if (is_zero_mac(bytes))
		return "the kernel refuses zeros (include/linux/etherdevice.h is_valid_ether_addr)";
	return NULL;
}

int mac_set(const struct row *row, void *member, const void *bytes, size_t length,
	    struct error *err)
{
	char given[24];
	const char *why;

	if (length != sizeof(struct mac)) {
		snprintf(given, sizeof(given), "%zu octets", length);
		return value_refuse(row, ERROR_INVALID_LENGTH, given, MAC_ALLOWED,
				    "a MAC address has 6 octets", err);
	}
	why = unusable_mac(bytes);
	if (why) {
		encode_hex(bytes, length, ":", given);
		return value_refuse(row, ERROR_INVALID_VALUE, given, MAC_ALLOWED, why, err);
	}
	memcpy(member, bytes, length);
	return 0;
}

int mac_parse(const struct row *row, void *member, const char *text, size_t length,
	      struct error *err)
{
	uint8_t bytes[sizeof(struct mac)];
	size_t count;

	if (!decode_hex(text, length, 1, bytes, sizeof(bytes), &count))
		return refuse(row, ERROR_INVALID_VALUE, text, length, MAC_ALLOWED,
			      "six octets in hexadecimal with \":\" between (RFC 6991)", err);
	return mac_set(row, member, bytes, count, err);
}

size_t mac_print(const struct row *row, const void *member, char *ret)
{
	const struct mac *mac = member;

	(void)row;
	return encode_hex(mac->bytes, is_zero_mac(mac->bytes) ? 0 : sizeof(*mac), ":", ret);
}

size_t mac_get(const void *member, const void **ret_bytes)
{
	const struct mac *mac = member;

	*ret_bytes = mac->bytes;
	return is_zero_mac(mac->bytes) ? 0 : sizeof(*mac);
}

/* Cookies: octets in the order in which they travel, never a number. */

int cookie_set(const struct row *row, void *member, const void *bytes, size_t length,
	       struct error *err)
{
	struct cookie *cookie = member;
	char given[32];

	if (length != 0 && length != 4 && length != 8) {
		snprintf(given, sizeof(given), "%zu octets", length);
		return value_refuse(row, ERROR_INVALID_LENGTH, given, "0, 4 or 8 octets", NULL,
				    err);
	}
	memset(cookie, 0, sizeof(*cookie));
	cookie->length = (uint8_t)length;
	if (length)
		memcpy(cookie->bytes, bytes, length);
	return 0;
}

int cookie_parse(const struct row *row, void *member, const char *text, size_t length,
		 struct error *err)
{
	uint8_t bytes[COOKIE_LENGTH];
	size_t count;

	if (!decode_hex(text, length, 0, bytes, sizeof(bytes), &count))
		return refuse(row, length % 2 ? ERROR_INVALID_LENGTH : ERROR_INVALID_VALUE, text,
			      length, COOKIE_ALLOWED, NULL, err);
	return cookie_set(row, member, bytes, count, err);
}

size_t cookie_print(const struct row *row, const void *member, char *ret)
{
	const struct cookie *cookie = member;

	(void)row;
	return encode_hex(cookie->bytes, cookie->length, "", ret);
}

size_t cookie_get(const void *member, const void **ret_bytes)
{
	const struct cookie *cookie = member;

	*ret_bytes = cookie->bytes;
	return cookie->length;
}
