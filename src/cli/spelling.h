/*
 * How a command line spells values, where that differs from YANG: numbers in any C base, "on" and
 * "off", the words of `ip l2tp`, IPv4 addresses with parts left out.
 */
#ifndef CLI_SPELLING_H
#define CLI_SPELLING_H

#include "model/codec.h"

/*
 * The address "any" is as if not given: in `ip l2tp` it has no family (iproute2 lib/utils.c
 * get_addr()).
 */
bool spelling_means_absent(const struct row *row, const char *text);

/* Do both texts spell the same number? */
bool spelling_same_number(const char *a, const char *b);

/*
 * codec_parse() for @text as a command line spells it; a secret may be elsewhere (secret.h). A text
 * that is no C number is refused, even if YANG would accept it: "08" is a bad octal number, and "1
 * " ends in a blank. A refusal may leave the leaf cleared.
 */
int spelling_parse(const struct row *row, void *object, const char *text, struct error *err);

#endif
