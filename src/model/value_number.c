#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "model/codec.h"
#include "model/value.h"

int value_refuse(const struct row *row, enum error_code code, const char *given,
		 const char *allowed, const char *why, struct error *err)
{
	int rc;

	if (!why)
		why = row->why;
	rc = error_set(err, code, "given %s; allowed %s%s%s", given, allowed, why ? "; " : "",
		       why ? why : "");
	if (err)
		snprintf(err->info, sizeof(err->info), "%s", row->leaf);
	return rc;
}

void value_list_words(const struct word *words, char *ret, size_t size)
{
	size_t used = 0;

	ret[0] = '\0';
	for (; words->name && used < size; words++) {
		const char *separator = !used ? "" : words[1].name ? ", " : " or ";
		int count = snprintf(ret + used, size - used, "%s%s", separator, words->name);

		used += count > 0 ? (size_t)count : 0;
	}
}

static int refuse_number(const struct row *row, const char *given, struct error *err)
{
	char allowed[VALUE_TEXT_MAX];

	if (!err)
		return error_set(NULL, ERROR_INVALID_VALUE, "%s", "");
	if (row->type == TYPE_BOOL)
		snprintf(allowed, sizeof(allowed), "true or false");
	else if (row->type == TYPE_ENUM)
		value_list_words(row->words, allowed, sizeof(allowed));
	else if (row->type == TYPE_COUNTER || row->type == TYPE_TIME)
		snprintf(allowed, sizeof(allowed), "a number of 64 bits");
	else
		snprintf(allowed, sizeof(allowed), "%" PRIu32 "..%" PRIu32 "%s%s", row->min,
			 row->max, row->units ? " " : "", row->units ? row->units : "");
	return value_refuse(row, ERROR_INVALID_VALUE, given, allowed, NULL, err);
}

static int refuse_text(const struct row *row, const char *text, size_t length, struct error *err)
{
	char quoted[ERROR_QUOTE_MAX];

	error_quote(text, length, quoted);
	return refuse_number(row, quoted, err);
}

static bool is_text(const char *name, const char *text, size_t length)
{
	return strlen(name) == length && !memcmp(name, text, length);
}

int bool_parse(const struct row *row, void *member, const char *text, size_t length,
	       struct error *err)
{
	if (is_text("true", text, length))
		*(bool *)member = true;
	else if (is_text("false", text, length))
		*(bool *)member = false;
	else
		return refuse_text(row, text, length, err);
	return 0;
}

int enum_parse(const struct row *row, void *member, const char *text, size_t length,
	       struct error *err)
{
	const struct word *word;

	word = word_by_name(row->words, text, length);
	if (!word)
		return refuse_text(row, text, length, err);
	*(uint8_t *)member = word->value;
	return 0;
}

/* RFC 7950 section 9.2.1: a sign is allowed, leading zeros are, hexadecimal is not. */
static bool parse_decimal(const char *text, size_t length, uint64_t *ret)
{
	const uint64_t small = UINT64_MAX / 10; /* with another digit it cannot overflow */
	uint64_t value = 0;
	bool negative = length && *text == '-';
	size_t at = length && (*text == '-' || *text == '+') ? 1 : 0;

	if (at == length)
		return false;
	for (; at < length; at++) {
		unsigned int digit = (unsigned int)(unsigned char)text[at] - '0';

		if (digit > 9 || (value >= small && value > (UINT64_MAX - digit) / 10))
			return false;
		value = value * 10 + digit;
	}
	if (negative && value)
		return false;
	*ret = value;
	return true;
}

int number_parse(const struct row *row, void *member, const char *text, size_t length,
		 struct error *err)
{
	uint64_t value;

	if (!parse_decimal(text, length, &value))
		return refuse_text(row, text, length, err);
	return number_set(row, member, value, err);
}

static bool number_allowed(const struct row *row, uint64_t value)
{
	switch (row->type) {
	case TYPE_BOOL:
		return value <= 1;
	case TYPE_ENUM:
		return value <= UINT8_MAX && word_by_value(row->words, (unsigned int)value);
	case TYPE_TIME:
		return value <= INT64_MAX;
	case TYPE_COUNTER:
		return true;
	default:
		return value >= row->min && value <= row->max;
	}
}

void number_store(const struct row *row, void *member, uint64_t value)
{
	switch (row->type) {
	case TYPE_BOOL:
		*(bool *)member = value != 0;
		break;
	case TYPE_ENUM:
		*(uint8_t *)member = (uint8_t)value;
		break;
	case TYPE_U16:
		*(uint16_t *)member = (uint16_t)value;
		break;
	case TYPE_U32:
		*(uint32_t *)member = value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
		break;
	case TYPE_TIME:
		*(int64_t *)member = (int64_t)value;
		break;
	default:
		*(uint64_t *)member = value;
	}
}

int number_set(const struct row *row, void *member, uint64_t value, struct error *err)
{
	if (!number_allowed(row, value)) {
		char given[24];

		snprintf(given, sizeof(given), "%" PRIu64, value);
		return refuse_number(row, given, err);
	}
	number_store(row, member, value);
	return 0;
}

uint64_t number_get(const struct row *row, const void *member)
{
	switch (row->type) {
	case TYPE_BOOL:
		return *(const bool *)member;
	case TYPE_ENUM:
		return *(const uint8_t *)member;
	case TYPE_U16:
		return *(const uint16_t *)member;
	case TYPE_U32:
		return *(const uint32_t *)member;
	case TYPE_TIME:
		return (uint64_t) * (const int64_t *)member;
	default:
		return *(const uint64_t *)member;
	}
}

static size_t print_text(const char *text, char *ret)
{
	size_t length = strlen(text);

	memcpy(ret, text, length + 1);
	return length;
}

size_t bool_print(const struct row *row, const void *member, char *ret)
{
	(void)row;
	return print_text(*(const bool *)member ? "true" : "false", ret);
}

size_t enum_print(const struct row *row, const void *member, char *ret)
{
	const struct word *word = word_by_value(row->words, *(const uint8_t *)member);

	return print_text(word ? word->name : "", ret);
}

/* By hand: snprintf() is several times slower. */
size_t codec_print_decimal(uint64_t value, size_t width, char *ret)
{
	char digits[20];
	size_t count = 0;

	if (value < 10 && width <= 1) { /* as most counters of errors */
		ret[0] = (char)('0' + value);
		ret[1] = '\0';
		return 1;
	}
	do {
		digits[count++] = (char)('0' + value % 10);
		value /= 10;
	} while (value || count < width);
	for (size_t i = 0; i < count; i++)
		ret[i] = digits[count - 1 - i];
	ret[count] = '\0';
	return count;
}

size_t number_print(const struct row *row, const void *member, char *ret)
{
	return codec_print_decimal(number_get(row, member), 1, ret);
}

/*
 * "2026-11-22T13:41:35". The last one is kept: a reply has a time for each session, and sessions
 * made together share a second.
 */
static const char *second_text(time_t second)
{
	static time_t kept;
	static char text[sizeof("2026-11-22T13:41:35") + 8];
	struct tm parts;

	if (second == kept && text[0])
		return text;
	kept = second;
	if (!gmtime_r(&second, &parts) ||
	    !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts))
		text[0] = '\0';
	return text;
}

size_t codec_print_time(int64_t wall, size_t digits, char *ret)
{
	int64_t second = wall / NS_PER_S - (wall % NS_PER_S < 0),
		fraction = wall - second * NS_PER_S;
	size_t length = print_text(second_text((time_t)second), ret);

	if (!length)
		return 0;
	fraction /= digits == 3 ? NS_PER_S / 1000 : NS_PER_S / 1000000;
	ret[length++] = '.';
	return length + codec_print_decimal((uint64_t)fraction, digits, ret + length);
}

/* date-and-time, canonical for a known zone (RFC 6991 section 3), in UTC. */
size_t time_print(const struct row *row, const void *member, char *ret)
{
	size_t length = codec_print_time(((const struct moment *)member)->wall, 3, ret);

	(void)row;
	return length ? length + print_text("+00:00", ret + length) : 0;
}
