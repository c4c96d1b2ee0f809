#include "netconf/encoding.h"

#include <ctype.h>

#include "netconf/reader.h"
#include "netconf/blank.h"

static bool names_utf8(const char *name, size_t length)
{
	static const char *const names[] = {"utf8",    "csutf8",       "usascii",  "ascii",
					    "csascii", "ansix3.41968", "iso646us", "us"};
	char plain[16];
	size_t used = 0;

	for (size_t i = 0; i < length; i++) {
		if (name[i] == '-' || name[i] == '_')
			continue;
		if (used + 1 == sizeof(plain))
			return false;
		plain[used++] = (char)tolower((unsigned char)name[i]);
	}
	plain[used] = '\0';
	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(names[i], plain))
			return true;
	return false;
}

static const char *skip_blanks(const char *at, const char *end)
{
	while (at < end && blank_is(at, 1))
		at++;
	return at;
}

static bool starts_with(const char *at, const char *end, const char *text)
{
	size_t length = strlen(text);

	return (size_t)(end - at) >= length && !memcmp(at, text, length);
}

static const char *declaration_refusal(const char *at, const char *end)
{
	static const char key[] = "encoding";
	const char *stop;

	end = memmem(at, (size_t)(end - at), "?>", 2);
	if (!end)
		return "the XML declaration has no end";
	at = memmem(at, (size_t)(end - at), key, sizeof(key) - 1);
	if (!at)
		return NULL;
	at = skip_blanks(at + sizeof(key) - 1, end);
	at = skip_blanks(at < end && *at == '=' ? at + 1 : at, end);
	stop = at < end ? memchr(at + 1, *at, (size_t)(end - at - 1)) : NULL;
	if (stop && !names_utf8(at + 1, (size_t)(stop - at - 1)))
		return "the encoding must be UTF-8";
	return NULL;
}

const char *encoding_refusal(const char *document, size_t length)
{
	const char *at = document, *end = document + length;

	if (starts_with(at, end, "\xef\xbb\xbf"))
		at += 3;
	if (starts_with(at, end, "<?xml") && blank_is(at + 5, at + 5 < end))
		return declaration_refusal(at, end);
	at = skip_blanks(at, end);
	if (at < end && *at != '<')
		return "an XML document begins with '<', in UTF-8";
	return NULL;
}
