/*
 * The codec: verbs per type, driven by the mapping table. An "object" here is
 * a pointer to the struct that the row's part names: struct tunnel or struct
 * session for PART_CONFIG, struct tunnel_state or session_state for
 * PART_STATE, struct statistics for PART_STATISTICS.
 *
 * Setting a configuration leaf sets its presence bit. On refusal the object is
 * as it was, and @err (NULL allowed) has code and text; the path is the
 * caller's to set, who knows the entry.
 */
#ifndef MODEL_CODEC_H
#define MODEL_CODEC_H

#include <sys/types.h>

#include "model/error.h"
#include "model/table.h"

/* Room for any object. */
union codec_object {
	struct tunnel tunnel;
	struct session session;
	struct tunnel_state tunnel_state;
	struct session_state session_state;
	struct statistics statistics;
};

#define VALUE_TEXT_MAX 256 /* fits the text of any value, NUL included */

/*
 * Text, as in XML, in the journal and on the command line. Lexical forms are
 * YANG's (so no word aliases and no hexadecimal numbers). Blanks around a value belong to it in a
 * description or an interface's name; around numbers, words, addresses and cookies they are
 * ignored. @text need not end in NUL. Errors: -EINVAL with ERROR_INVALID_VALUE or
 * ERROR_INVALID_LENGTH, and err->info the leaf.
 */
int codec_parse(const struct row *row, void *object, const char *text, size_t length,
		struct error *err);

/* @text without the blanks around it, where values of this type ignore those. */
const char *codec_trim(const struct row *row, const char *text, size_t *length);

/*
 * Canonical text of the value whether present or not (an absent leaf of a
 * zeroed object gives "0", "", ...). Times print as date-and-time in UTC.
 * Returns the length, always < VALUE_TEXT_MAX.
 */
size_t codec_print(const struct row *row, const void *object, char ret[VALUE_TEXT_MAX]);
/* At least @width digits, at most 20, and a NUL. Returns how many digits. */
size_t codec_print_decimal(uint64_t value, size_t width, char *ret);
/*
 * Nanoseconds of CLOCK_REALTIME as "2026-11-22T13:41:35.678": UTC, with 3 or 6 digits of the
 * second, and no zone yet.
 */
size_t codec_print_time(int64_t wall, size_t digits, char *ret);

/*
 * Numbers, as in SNMP: BOOL (0, 1), U16, U32, ENUM (YANG value), COUNTER, TIME.
 * -EINVAL with ERROR_INVALID_VALUE, or ERROR_INVALID_TYPE for other types.
 */
int codec_set_number(const struct row *row, void *object, uint64_t value, struct error *err);
uint64_t codec_get_number(const struct row *row, const void *object);

/*
 * Bytes, as in SNMP: STRING, IFNAME, MAC, COOKIE, ADDRESS (4 or 16).
 * codec_get_bytes() points into the object and returns the length.
 */
int codec_set_bytes(const struct row *row, void *object, const void *bytes, size_t length,
		    struct error *err);
size_t codec_get_bytes(const struct row *row, const void *object, const void **ret_bytes);

/* Are the values equal? Ignores presence. */
bool codec_equal(const struct row *row, const void *a, const void *b);

/* Copy value and presence; copying an absent leaf clears it. */
void codec_copy(const struct row *row, void *to, const void *from);

/* Clear value and presence. */
void codec_clear(const struct row *row, void *object);

/*
 * Is the leaf present? In configuration, its presence bit says so. In state, a number below the
 * row's minimum, a number without a word and an address without a family count as absent.
 */
bool codec_present(const struct row *row, const void *object);

/*
 * SNMP has no absent columns in a row: does setting the leaf to 0 or to zero
 * length clear it (and does it read so when absent)?
 */
bool codec_zero_is_absent(const struct row *row);

/* Does the leaf apply, given the object's other leaves (defaults counted)? */
bool codec_applies(const struct row *row, const void *config);

/* Why not, as in "only when pseudowire-type is ethernet-vlan"; "" when it always applies. */
const char *codec_condition(const struct row *row);

/* An object in which every leaf that has a default is present and has that value. */
const void *codec_defaults(enum object object);

/*
 * @object with every absent leaf that applies set to its default, and marked
 * present; leaves without a default stay absent. This is what the kernel gets.
 */
void codec_complete(enum object object, void *config);

/*
 * Rows (as presence bits) in which two configurations differ: by value, or by
 * presence. Complete both first to compare meaning rather than text.
 */
uint64_t codec_difference(enum object object, const void *a, const void *b);

/*
 * Does the kernel have what is wanted? @wanted is complete (codec_complete),
 * @found was read by codec_from_wire(). True for what the kernel does not tell
 * (SOURCE_RECORD), for words that mean the same to it (ethernet, ethernet-vlan),
 * for a reorder-timeout rounded up to the clock tick, for SEND_SEQ that follows
 * the peer (SOURCE_DRIFT, lns-mode false), for leaves that do not apply, and for a leaf that is
 * absent in @wanted; only an absent cookie means "none".
 */
bool codec_same_in_kernel(const struct row *row, const void *wanted, const void *found);

/* Bytes of an address: 4, 16, or 0 for none. */
size_t address_length(const struct address *address);
/* Is it 0.0.0.0, ::, or none? */
bool address_is_unspecified(const struct address *address);

/* Does any row of @rows have this cost? */
bool codec_any_change(enum object object, uint64_t rows, enum cost change);

/* One netlink attribute, bytes as they go on the wire (host order integers). */
struct wire_attribute {
	uint16_t attr;
	uint16_t length;
	uint8_t bytes[24];
};

/*
 * To the wire: at most two attributes into @ret; returns how many. 0 for an
 * absent leaf, for one not in netlink, and for a flag that is false by its absence.
 */
unsigned int codec_to_wire(const struct row *row, const void *object, struct wire_attribute ret[2]);

/*
 * From the wire: take one attribute into the object and mark the leaf present,
 * without the checks of codec_parse(): others may have made nonsense.
 * -EPROTO when the length is wrong (object untouched). Reading a message:
 * codec_wire_defaults() first, which zeroes the object and sets what the kernel
 * says by absence (checksum flags, no sequencing, reorder-timeout 0), then
 * codec_from_wire() per attribute, then codec_wire_finish(), which clears what
 * does not apply to the object as read (IPv6 flags of an IPv4 tunnel).
 */
int codec_from_wire(const struct row *row, void *object, unsigned int attr, const void *bytes,
		    size_t length);
void codec_wire_defaults(enum object object, void *config);
void codec_wire_finish(enum object object, void *config);

#endif
