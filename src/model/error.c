#include "model/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/*
 * Tags: RFC 6241 appendix A; RFC 7950 section 8.3.1 (values: invalid-value, a
 * leaf whose "when" is false: unknown-element, two cases: bad-element) and
 * section 15 (unique, must, mandatory choice). SNMP: RFC 3416 section 4.2.5.
 */
/* clang-format off */
static const struct error_kind kinds[ERROR_CODES] = {
	[ERROR_NONE] = { "none", "application", "operation-failed", NULL,
		SNMP_GEN_ERR, EINVAL },

	[ERROR_INVALID_VALUE] = { "invalid-value", "application", "invalid-value", NULL,
		SNMP_WRONG_VALUE, EINVAL },
	[ERROR_INVALID_LENGTH] = { "invalid-length", "application", "invalid-value", NULL,
		SNMP_WRONG_LENGTH, EINVAL },
	[ERROR_INVALID_TYPE] = { "invalid-type", "application", "invalid-value", NULL,
		SNMP_WRONG_TYPE, EINVAL },

	[ERROR_MISSING_KEY] = { "missing-key", "application", "missing-element", NULL,
		SNMP_NO_CREATION, EINVAL },
	[ERROR_UNKNOWN_ELEMENT] = { "unknown-element", "application", "unknown-element", NULL,
		SNMP_NO_CREATION, EINVAL },
	[ERROR_UNKNOWN_NAMESPACE] = { "unknown-namespace", "application", "unknown-namespace", NULL,
		SNMP_NO_CREATION, EINVAL },
	[ERROR_UNKNOWN_ATTRIBUTE] = { "unknown-attribute", "protocol", "unknown-attribute", NULL,
		SNMP_GEN_ERR, EINVAL },
	[ERROR_BAD_ATTRIBUTE] = { "bad-attribute", "protocol", "bad-attribute", NULL,
		SNMP_GEN_ERR, EINVAL },
	[ERROR_MISSING_ATTRIBUTE] = { "missing-attribute", "protocol", "missing-attribute", NULL,
		SNMP_GEN_ERR, EINVAL },
	[ERROR_NO_MESSAGE_ID] = { "no-message-id", "rpc", "missing-attribute", NULL,
		SNMP_GEN_ERR, EINVAL },
	[ERROR_MISSING_ELEMENT] = { "missing-element", "protocol", "missing-element", NULL,
		SNMP_INCONSISTENT_VALUE, EINVAL },
	[ERROR_BAD_ELEMENT] = { "bad-element", "application", "bad-element", NULL,
		SNMP_INCONSISTENT_VALUE, EINVAL },
	[ERROR_READ_ONLY] = { "read-only", "application", "unknown-element", "read-only",
		SNMP_NOT_WRITABLE, EACCES },
	[ERROR_MALFORMED] = { "malformed", "rpc", "malformed-message", NULL,
		SNMP_GEN_ERR, EBADMSG },
	[ERROR_TOO_BIG] = { "too-big", "rpc", "too-big", NULL,
		SNMP_RESOURCE_UNAVAILABLE, EMSGSIZE },

	[ERROR_EXISTS] = { "exists", "application", "data-exists", NULL,
		SNMP_INCONSISTENT_VALUE, EEXIST },
	[ERROR_MISSING] = { "missing", "application", "data-missing", NULL,
		SNMP_INCONSISTENT_NAME, ENOENT },

	[ERROR_CHANGED_SINCE] = { "changed-since", "application", "operation-failed", "changed-since",
		SNMP_INCONSISTENT_VALUE, EEXIST },

	[ERROR_MANDATORY] = { "mandatory", "application", "data-missing", NULL,
		SNMP_INCONSISTENT_VALUE, EINVAL },
	[ERROR_MISSING_CHOICE] = { "missing-choice", "application", "data-missing", "missing-choice",
		SNMP_INCONSISTENT_VALUE, EINVAL },
	[ERROR_NOT_APPLICABLE] = { "not-applicable", "application", "unknown-element", NULL,
		SNMP_INCONSISTENT_VALUE, EINVAL },
	[ERROR_MUST] = { "must", "application", "operation-failed", "must-violation",
		SNMP_INCONSISTENT_VALUE, EINVAL },
	[ERROR_NOT_UNIQUE] = { "not-unique", "application", "operation-failed", "data-not-unique",
		SNMP_INCONSISTENT_VALUE, EEXIST },

	[ERROR_FOREIGN] = { "foreign", "application", "in-use", "foreign-object",
		SNMP_INCONSISTENT_VALUE, EBUSY },
	[ERROR_LOCKED] = { "locked", "protocol", "in-use", NULL,
		SNMP_RESOURCE_UNAVAILABLE, EBUSY },
	[ERROR_LOCK_DENIED] = { "lock-denied", "protocol", "lock-denied", NULL,
		SNMP_RESOURCE_UNAVAILABLE, EBUSY },
	[ERROR_NOT_LOCKED] = { "not-locked", "protocol", "operation-failed", "not-locked",
		SNMP_GEN_ERR, EPERM },
	[ERROR_NO_MATCHES] = { "no-matches", "protocol", "operation-failed", "no-matches",
		SNMP_GEN_ERR, ENOENT },
	[ERROR_NOT_PENDING] = { "not-pending", "protocol", "operation-failed", "no-confirmed-commit",
		SNMP_GEN_ERR, EPERM },
	[ERROR_BUSY] = { "busy", "application", "in-use", NULL,
		SNMP_RESOURCE_UNAVAILABLE, EBUSY },
	[ERROR_STOPPING] = { "stopping", "application", "operation-failed", "daemon-stopping",
		SNMP_RESOURCE_UNAVAILABLE, ECANCELED },
	[ERROR_DENIED] = { "denied", "application", "access-denied", NULL,
		SNMP_AUTHORIZATION_ERROR, EACCES },
	[ERROR_KERNEL] = { "kernel", "application", "operation-failed", "kernel-refused",
		SNMP_COMMIT_FAILED, EIO },
	[ERROR_STORAGE] = { "storage", "application", "operation-failed", "storage-failed",
		SNMP_COMMIT_FAILED, EIO },
	[ERROR_OUTCOME_UNKNOWN] = { "outcome-unknown", "application", "operation-failed",
		"outcome-unknown", SNMP_UNDO_FAILED, EIO },
	[ERROR_RESOURCE] = { "resource", "application", "resource-denied", NULL,
		SNMP_RESOURCE_UNAVAILABLE, ENOMEM },
	[ERROR_UNSUPPORTED] = { "unsupported", "application", "operation-not-supported", NULL,
		SNMP_WRONG_VALUE, EOPNOTSUPP },
	[ERROR_ROLLBACK] = { "rollback", "application", "rollback-failed", NULL,
		SNMP_UNDO_FAILED, EIO },
	[ERROR_INTERNAL] = { "internal", "application", "operation-failed", "internal-error",
		SNMP_GEN_ERR, ENOTRECOVERABLE },
	[ERROR_MORE] = { "more", "application", "operation-failed", "more-errors",
		SNMP_GEN_ERR, EINVAL },
};
/* clang-format on */

const struct error_kind *error_kind(enum error_code code)
{
	if ((unsigned int)code >= ERROR_CODES)
		code = ERROR_INTERNAL;
	return &kinds[code];
}

const char *error_app_tag(const struct error *err)
{
	return err->app_tag ? err->app_tag : error_kind(err->code)->app_tag;
}

/*
 * Tags that appendix A of RFC 6241 defines for data only, or for one layer only, as section 4.3
 * does for a missing message-id.
 */
static bool may_be_protocol(const struct error_kind *kind)
{
	static const char *const others[] = {"data-exists", "data-missing", "malformed-message"};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (!strcmp(kind->tag, others[i]))
			return false;
	return kind != &kinds[ERROR_NO_MESSAGE_ID];
}

const char *error_type(const struct error *err)
{
	const struct error_kind *kind = error_kind(err->code);

	return err->protocol && may_be_protocol(kind) ? "protocol" : kind->type;
}

/* snprintf() may have cut a UTF-8 sequence in two, which no XML parser accepts. */
static void mend_tail(char *text)
{
	size_t length = strlen(text);
	size_t head = length;

	while (head && length - head < 4 && ((unsigned char)text[head - 1] & 0xc0) == 0x80)
		head--;
	if (head && (unsigned char)text[head - 1] >= 0xc0)
		head--;
	if (head < length && !utf8_sequence(text + head, length - head, NULL))
		text[head] = '\0';
}

__attribute__((format(printf, 3, 0))) static void fill(char *ret, size_t size, const char *format,
						       va_list args)
{
	vsnprintf(ret, size, format, args);
	mend_tail(ret);
}

static void begin(struct error *err, enum error_code code)
{
	err->code = code;
	err->os_errno = 0;
	err->app_tag = NULL;
	err->protocol = false;
	err->session = 0;
	err->other_tunnel_id = err->other_session_id = 0;
	err->other[0] = '\0';
	err->info[0] = '\0';
	err->info2[0] = '\0';
}

int error_set(struct error *err, enum error_code code, const char *format, ...)
{
	va_list args;

	if (err) {
		begin(err, code);
		va_start(args, format);
		fill(err->text, sizeof(err->text), format, args);
		va_end(args);
	}
	return -error_kind(code)->os_errno;
}

int error_set_errno(struct error *err, enum error_code code, int os_errno, const char *format, ...)
{
	const char *why = strerror(os_errno);
	va_list args;
	size_t length;

	if (!err)
		return -os_errno;
	begin(err, code);
	err->os_errno = os_errno;
	va_start(args, format);
	fill(err->text, sizeof(err->text), format, args);
	va_end(args);
	length = strlen(err->text);
	if (!strstr(err->text, why)) /* what is passed on may say it already */
		snprintf(err->text + length, sizeof(err->text) - length, ": %s", why);
	return -os_errno;
}

struct error *error_at(struct error *err, const char *format, ...)
{
	va_list args;

	if (!err)
		return NULL;
	err->tunnel_id = err->session_id = 0;
	va_start(args, format);
	fill(err->path, sizeof(err->path), format, args);
	va_end(args);
	return err;
}

size_t utf8_sequence(const void *text, size_t length, unsigned int *ret_point)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const uint8_t *bytes = text;
	size_t need;
	uint32_t point;

	if (!length)
		return 0;
	need = bytes[0] < 0x80   ? 1
	       : bytes[0] < 0xc2 ? 0
	       : bytes[0] < 0xe0 ? 2
	       : bytes[0] < 0xf0 ? 3
				 : 4;
	if (!need || need > length || bytes[0] > 0xf4)
		return 0;
	point = need == 1 ? bytes[0] : bytes[0] & (0x7fU >> need);
	for (size_t i = 1; i < need; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (bytes[i] & 0x3f);
	}
	if (point < least[need] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff) ||
	    point == 0xfffe || point == 0xffff)
		return 0;
	if (ret_point)
		*ret_point = point;
	return need;
}

void error_quote(const void *given, size_t length, char ret[ERROR_QUOTE_MAX])
{
	const size_t room = ERROR_QUOTE_MAX - sizeof("\"...\"");
	const char *text = given;
	size_t used = 0, at = 0;

	ret[used++] = '"';
	while (at < length) {
		unsigned int point;
		size_t count = utf8_sequence(text + at, length - at, &point);

		if (used + (count ? count : 1) > room)
			break;
		if (!count || point < 0x20 || (point >= 0x7f && point < 0xa0)) {
			ret[used++] = '?';
			at += count ? count : 1;
			continue;
		}
		memcpy(ret + used, text + at, count);
		used += count;
		at += count;
	}
	snprintf(ret + used, ERROR_QUOTE_MAX - used, "%s\"", at < length ? "..." : "");
}
