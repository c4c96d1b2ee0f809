/*
 * Errors: one struct that says what, where and why; one table that says how each door reports it.
 *
 * A function that can refuse returns 0 or a negative errno and, where a person
 * will read the reason, fills a struct error that the caller owns.
 */
#ifndef MODEL_ERROR_H
#define MODEL_ERROR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum error_code {
	ERROR_NONE,
	/* a value by itself (RFC 7950 section 8.3.1) */
	ERROR_INVALID_VALUE,
	ERROR_INVALID_LENGTH,
	ERROR_INVALID_TYPE,
	/* the shape of an edit */
	ERROR_MISSING_KEY,
	ERROR_UNKNOWN_ELEMENT,
	ERROR_UNKNOWN_NAMESPACE,
	ERROR_UNKNOWN_ATTRIBUTE,
	ERROR_BAD_ATTRIBUTE,
	ERROR_MISSING_ATTRIBUTE,
	ERROR_NO_MESSAGE_ID,
	ERROR_MISSING_ELEMENT,
	ERROR_BAD_ELEMENT,
	ERROR_READ_ONLY,
	ERROR_MALFORMED,
	ERROR_TOO_BIG,
	/* against what is there */
	ERROR_EXISTS,
	ERROR_MISSING,
	ERROR_CHANGED_SINCE, /* by a later commit, so that one cannot be reverted */
	/* constraints over several leaves or entries (RFC 7950 section 15) */
	ERROR_MANDATORY,
	ERROR_MISSING_CHOICE,
	ERROR_NOT_APPLICABLE,
	ERROR_MUST,
	ERROR_NOT_UNIQUE,
	/* the surroundings */
	ERROR_FOREIGN,
	ERROR_LOCKED,
	ERROR_LOCK_DENIED,
	ERROR_NOT_LOCKED,
	ERROR_NO_MATCHES,  /* nothing is there that a partial lock could lock */
	ERROR_NOT_PENDING, /* no confirmed commit is */
	ERROR_BUSY,
	ERROR_STOPPING,
	ERROR_DENIED,
	ERROR_KERNEL,
	ERROR_STORAGE,
	ERROR_OUTCOME_UNKNOWN, /* done or not: read before you retry */
	ERROR_RESOURCE,
	ERROR_UNSUPPORTED,
	ERROR_ROLLBACK,
	ERROR_INTERNAL,
	ERROR_MORE, /* the end of a list of errors that is too long */
	ERROR_CODES
};

/* Zero it (or ERROR_INIT) before the first use. */
struct error {
	enum error_code code;
	int os_errno;         /* positive, 0 when no system call was to blame */
	const char *app_tag;  /* overrides the table's app-tag; static storage */
	bool protocol;        /* in the operation itself, not in the data that it is about */
	unsigned int session; /* ERROR_LOCK_DENIED: NETCONF session that holds the lock, 0 other */
	uint32_t tunnel_id, session_id; /* of the entry that `path` is in; 0: of none */
	char path[192]; /* instance path, "/l2tpv3/tunnel[tunnel-id='1']/mtu", or "" */
	/* ERROR_NOT_UNIQUE, ERROR_FOREIGN: the entry that it conflicts with, and the path of the
	   leaf; or 0 and "" */
	uint32_t other_tunnel_id, other_session_id;
	char other[128];
	char info[64];  /* the bad element or attribute by name, or "" */
	char info2[64]; /* bad attribute's element, or bad namespace, or "" */
	char text[384]; /* for a person: given, allowed, why; no final stop or newline */
	/* Several in a list; see error_append(). */
	bool collects;
	struct error *next;
};

#define ERROR_INIT ((struct error){.code = ERROR_NONE})

/*
 * SNMP error-status values (RFC 3416 section 3), named here so that the table
 * needs no SNMP header. A test compares them with net-snmp's.
 */
enum error_snmp {
	SNMP_WRONG_TYPE = 7,
	SNMP_WRONG_LENGTH = 8,
	SNMP_WRONG_VALUE = 10,
	SNMP_NO_CREATION = 11,
	SNMP_INCONSISTENT_VALUE = 12,
	SNMP_RESOURCE_UNAVAILABLE = 13,
	SNMP_COMMIT_FAILED = 14,
	SNMP_UNDO_FAILED = 15,
	SNMP_AUTHORIZATION_ERROR = 16,
	SNMP_NOT_WRITABLE = 17,
	SNMP_INCONSISTENT_NAME = 18,
	SNMP_GEN_ERR = 5,
};

struct error_kind {
	const char *name;    /* short word for logs and l2tpv3ctl */
	const char *type;    /* NETCONF error-type (RFC 6241 appendix A) */
	const char *tag;     /* NETCONF error-tag */
	const char *app_tag; /* NETCONF error-app-tag or NULL */
	enum error_snmp snmp;
	int os_errno; /* positive; what error_set() returns, negated */
};

/* The row for @code; never NULL, unknown codes give the row of ERROR_INTERNAL. */
const struct error_kind *error_kind(enum error_code code);

/* The app-tag of this error, or NULL. */
const char *error_app_tag(const struct error *err);

/*
 * The error-type of this error. A tag that may be of either type is of type protocol where
 * the operation is at fault, its parameters for instance (RFC 6241 section 4.3 and appendix A).
 */
const char *error_type(const struct error *err);

/* The fault, if @rc is one, is in the operation. Returns @rc. @err may be NULL. */
static inline int error_in_operation(struct error *err, int rc)
{
	if (err && rc < 0)
		err->protocol = true;
	return rc;
}

/*
 * Fill @err (which may be NULL) with @code and a printf text, clearing the
 * rest but not the path if one is set. Returns a negative errno fit for the
 * code (-EINVAL, -EEXIST, -ENOENT ...), so "return error_set(...)" reads well.
 */
int error_set(struct error *err, enum error_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * As error_set(), for a failed system or kernel call: remembers @os_errno (positive) and returns
 * it negated; the text gets ": " and its description at the end, unless that is in it already.
 */
int error_set_errno(struct error *err, enum error_code code, int os_errno, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Set the instance path; returns @err for chaining. Accepts NULL. */
struct error *error_at(struct error *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Several errors of one request: a caller that wants them all sets `collects` in the first, passes
 * it on as usual, and frees what follows it with error_list_free(). A caller that wants one takes
 * the first. A list ends after ERRORS_MAX with an ERROR_MORE that says how many more there were.
 */
#define ERRORS_MAX 100

/*
 * Add a copy of @one, which is set, to the list. 0: go on, looking for more. A negative errno fit
 * for @one: stop, for @err (NULL allowed) does not collect, or @one is about no entry but about
 * the whole, such as a lack of memory.
 */
int error_append(struct error *err, const struct error *one);
/* The same in the order of entries (tunnel, session), of which only the first of each is kept. */
int error_insert(struct error *err, const struct error *one);
/* Is it about the whole request, so that nobody need look for more? */
bool error_ends_list(const struct error *one);
/* @more errors were found when the list was full, and only counted: let its end say so. */
void error_leave_out(struct error *err, unsigned int more);
/* 0, if there is no error, or a negative errno fit for the first. */
int error_result(const struct error *err);
void error_list_free(struct error *err); /* what follows @err; it is empty then, and collects */

#define ERROR_QUOTE_MAX 56 /* NUL included */

/*
 * Quote what a client gave, for an error text: in quotes, cut with "..."
 * when long, control characters and broken UTF-8 replaced by "?".
 */
void error_quote(const void *given, size_t length, char ret[ERROR_QUOTE_MAX]);

/*
 * Length of the well-formed UTF-8 sequence at the head of @text (1 to 4), or 0
 * when there is none: cut short, overlong, surrogate, beyond U+10FFFF, or U+FFFE
 * or U+FFFF, which XML excludes. The other noncharacters pass, as with libyang,
 * though RFC 7950 section 14 (yang-char) leaves them out.
 * @ret_point (may be NULL) gets the code point.
 */
size_t utf8_sequence(const void *text, size_t length, unsigned int *ret_point);

#endif
