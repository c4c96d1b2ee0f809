/* Blanks: what XML calls white space (XML 1.0 section 2.3). */
#ifndef NETCONF_BLANK_H
#define NETCONF_BLANK_H

#include <stdbool.h>
#include <stddef.h>

/* Are there only blanks in it? */
static inline bool blank_is(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] != ' ' && text[i] != '\n' && text[i] != '\t' && text[i] != '\r')
			return false;
	return true;
}

/* @text without the blanks around it. */
static inline const char *blank_trim(const char *text, size_t *length)
{
	for (; *length && blank_is(text, 1); --*length)
		text++;
	while (*length && blank_is(text + *length - 1, 1))
		--*length;
	return text;
}

#endif
