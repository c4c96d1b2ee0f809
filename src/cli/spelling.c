#include "cli/spelling.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cli/secret.h"

typedef bool speller(const struct row *row, const char *text, char ret[VALUE_TEXT_MAX]);

/* Parse a C number at *@text and move past it. strtoull() alone would accept signs and blanks. */
static bool take_number(const char **text, uint64_t *ret)
{
	char *end;

	if (!isdigit((unsigned char)**text))
		return false;
	errno = 0;
	*ret = strtoull(*text, &end, 0);
	*text = end;
	return !errno;
}

static bool spell_number(const struct row *row, const char *text, char ret[VALUE_TEXT_MAX])
{
	uint64_t value;

	(void)row;
	text += *text == '+';
	if (!take_number(&text, &value) || *text)
		return false;
	snprintf(ret, VALUE_TEXT_MAX, "%" PRIu64, value);
	return true;
}

static bool spell_switch(const struct row *row, const char *text, char ret[VALUE_TEXT_MAX])
{
	bool on = !strcmp(text, "on");

	(void)row;
	if (!on && strcmp(text, "off") != 0)
		return false;
	snprintf(ret, VALUE_TEXT_MAX, "%s", on ? "true" : "false");
	return true;
}

static bool spell_word(const struct row *row, const char *text, char ret[VALUE_TEXT_MAX])
{
	const struct word *word = word_by_spelling(row->words, text);

	if (word)
		snprintf(ret, VALUE_TEXT_MAX, "%s", word->name);
	return word;
}

/* As ip does: up to four parts in any base; missing ones are 0. */
static bool spell_address(const struct row *row, const char *text, char ret[VALUE_TEXT_MAX])
{
	uint64_t parts[4] = {0};

	(void)row;
	for (unsigned int i = 0; i < 4; i++) {
		if (!take_number(&text, &parts[i]) || parts[i] > 255)
			return false;
		if (!*text)
			break;
		if (i == 3 || *text++ != '.')
			return false;
	}
	snprintf(ret, VALUE_TEXT_MAX, "%u.%u.%u.%u", (unsigned int)parts[0], (unsigned int)parts[1],
		 (unsigned int)parts[2], (unsigned int)parts[3]);
	return true;
}

static bool is_number(const struct row *row)
{
	return row->type == TYPE_U16 || row->type == TYPE_U32 || row->type == TYPE_COUNTER;
}

/* @text as YANG spells it; unchanged if it is so already, or not understood. */
static const char *canonical_text(const struct row *row, const char *text, char ret[VALUE_TEXT_MAX])
{
	static speller *const spellers[TYPES] = {
		[TYPE_U16] = spell_number,     [TYPE_U32] = spell_number,
		[TYPE_COUNTER] = spell_number, [TYPE_BOOL] = spell_switch,
		[TYPE_ENUM] = spell_word,      [TYPE_ADDRESS] = spell_address,
	};
	speller *spell = spellers[row->type];

	return spell && spell(row, text, ret) ? ret : text;
}

bool spelling_means_absent(const struct row *row, const char *text)
{
	return row->type == TYPE_ADDRESS && !strcmp(text, "any");
}

bool spelling_same_number(const char *a, const char *b)
{
	uint64_t left, right;

	return take_number(&a, &left) && !*a && take_number(&b, &right) && !*b && left == right;
}

static int parse_secret(const struct row *row, void *object, const char *word, struct error *err)
{
	char secret[SECRET_MAX] = "";
	int rc = secret_read(word, secret, err);

	if (!rc)
		rc = codec_parse(row, object, secret, strlen(secret), err);
	explicit_bzero(secret, sizeof(secret));
	return rc;
}

/* Trim @text where the codec does. A text too long for a value stays as it is. */
static const char *without_blanks(const struct row *row, const char *text, char ret[VALUE_TEXT_MAX])
{
	size_t length = strlen(text);
	const char *start = codec_trim(row, text, &length);

	if (length >= VALUE_TEXT_MAX)
		return text;
	memcpy(ret, start, length);
	ret[length] = '\0';
	return ret;
}

int spelling_parse(const struct row *row, void *object, const char *given, struct error *err)
{
	char trimmed[VALUE_TEXT_MAX];
	const char *text = without_blanks(row, given, trimmed);
	char buffer[VALUE_TEXT_MAX], quoted[ERROR_QUOTE_MAX];
	const char *canonical = canonical_text(row, text, buffer);
	int rc;

	if (row->secret && secret_is_elsewhere(text))
		return parse_secret(row, object, text, err);
	rc = codec_parse(row, object, canonical, strlen(canonical), err);
	if (rc || canonical != text || !is_number(row))
		return rc;
	codec_clear(row, object);
	error_quote(text, strlen(text), quoted);
	return error_set(err, ERROR_INVALID_VALUE,
			 "given %s; a number that begins with 0 is octal, or hexadecimal with 0x",
			 quoted);
}
