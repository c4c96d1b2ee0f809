/*
 * How values are spelled on a command line, where that differs from YANG:
 * numbers in any C base, "on" and "off", the words of `ip l2tp`, IPv4 addresses
 * with parts left out.
 */
#ifndef CLI_SPELLING_H
#define CLI_SPELLING_H

#include "model/codec.h"

/*
 * @text as YANG spells it: in @ret, or @text itself where there is nothing to
 * change or to understand (the codec then says what is wrong with it).
 */
const char *spelling_canonical(const struct row *row, const char *text, char ret[VALUE_TEXT_MAX]);

#endif
