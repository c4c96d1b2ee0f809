/*
 * Values, between rows of the mapping table and variable bindings. Reading gives a struct value;
 * writing puts a struct varbind into a draft. What to do depends on the row's type, never on the
 * row.
 */
#ifndef AGENT_VALUE_H
#define AGENT_VALUE_H

#include "model/status.h"
#include "subject.h"

/* A value as net-snmp wants it: a C type for each ASN.1 type. */
struct value {
	unsigned char type; /* ASN_* */
	union {
		long integer; /* also ASN_UNSIGNED, ASN_TIMETICKS */
		struct counter64 counter;
	} number;
	const void *bytes;   /* ASN_OCTET_STR: into the datastore, static storage, or room */
	size_t length;       /* of bytes */
	union config config; /* room for values that have no place of their own */
	char text[STATUS_TEXT_MAX];
};

void value_integer(struct value *value, long number);
void value_unsigned(struct value *value, unsigned long number);
void value_counter(struct value *value, uint64_t number);
void value_counter32(struct value *value, uint64_t number); /* its lower half */
void value_bytes(struct value *value, const void *bytes, size_t length);
void value_string(struct value *value, const char *text);

/* What to hand to snmp_set_var_typed_value(). */
const void *value_data(const struct value *value, size_t *ret_size);

/*
 * When the agent's sysUpTime was 0, on CLOCK_BOOTTIME in nanoseconds: TimeStamp columns count from
 * there. Keep it steady: a TimeStamp that moves by a tick between two polls tells a manager that
 * counters restarted. When sysUpTime wraps, after 497 days, it begins again: times before that are
 * 0 from then on, as RFC 2579 wants it (TimeStamp).
 */
struct epoch {
	int64_t at;
};
void epoch_follow(struct epoch *epoch, int64_t now, unsigned long uptime);
/* sysUpTime (RFC 2579 TimeStamp) of @at; 0 for times before it and for 0, "never". */
unsigned long epoch_ticks(const struct epoch *epoch, int64_t at);
void value_time(struct value *value, const struct epoch *epoch, int64_t at); /* a TimeStamp */

/*
 * A subject's value of a row. What is absent reads as the default, as zero or as zero length.
 * False (no such instance): a mandatory column of a pending row that nobody has set yet.
 */
bool value_of_row(const struct row *row, const struct subject *subject, const struct epoch *epoch,
		  struct value *ret);
/* The InetAddressType of an address row. */
bool value_of_address_type(const struct row *row, const struct subject *subject, struct value *ret);

/* A variable binding of a set request. */
struct varbind {
	const oid *name;
	size_t name_length;
	unsigned char type; /* ASN_* */
	const void *bytes;
	size_t length;
	long integer; /* integers of all kinds */
};

/* Fill @err (NULL allowed), without a path; return @status. */
int varbind_refuse(enum error_snmp status, enum error_code code, struct error *err,
		   const char *text);
int varbind_no_memory(struct error *err);

/*
 * Put a column's value into a draft, after checking its type, length and value by themselves.
 * Returns 0 or an SNMP error-status, with @err filled.
 */
int value_take(const struct column *column, const struct varbind *varbind, struct draft *draft,
	       struct error *err);

/* Refuse any ASN.1 type but @type: 0 or SNMP_WRONG_TYPE. */
int value_check_type(const struct varbind *varbind, unsigned char type, struct error *err);

#endif
