/*
 * How values are spelled on a command line, where that differs from YANG:
 * numbers in any C base, "on" and "off", the words of `ip l2tp`, IPv4 addresses
 * with parts left out.
 */
#ifndef CLI_SPELLING_H
#define CLI_SPELLING_H

#include "model/codec.h"

/*
 * "any" of an address is as if it were not given: to `ip l2tp` it has no family
 * (iproute2 lib/utils.c get_addr()).
 */
bool spelling_means_absent(const struct row *row, const char *text);

/* Do both texts spell the same number? */
bool spelling_same_number(const char *a, const char *b);

/*
 * codec_parse() of @text as a command line spells it; a secret may be elsewhere (secret.h). What is
 * no number here is none, even where YANG has another view: "08" is a bad octal number, "1 " has a
 * blank too many. After a refusal the leaf may be clear.
 */
int spelling_parse(const struct row *row, void *object, const char *text, struct error *err);

#endif
