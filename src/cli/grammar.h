/*
 * The grammar: from argv to a typed request. It is that of `ip l2tp`: pairs of keyword and value in
 * any order, the object words "tunnel" and "session" anywhere among them, numbers in any C base,
 * switches on and off.
 */
#ifndef CLI_GRAMMAR_H
#define CLI_GRAMMAR_H

#include "cli/cli.h"
#include "cli/request.h"

/*
 * Parse the words after the command. CLI_USAGE: a word is unknown or unpaired, or an object or
 * identifier is missing; the word "help" leaves err->text empty. CLI_REFUSED: a value is wrong, and
 * err->path names its leaf.
 */
enum cli_status grammar_parse(enum verb verb, int argc, char *const argv[], struct request *ret,
			      struct error *err);

#endif
