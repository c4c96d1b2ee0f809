/*
 * The grammar: argv to typed request. It is that of `ip l2tp`: pairs of keyword
 * and value in any order, the object words "tunnel" and "session" anywhere
 * among them, numbers in any C base, switches on and off.
 */
#ifndef CLI_GRAMMAR_H
#define CLI_GRAMMAR_H

#include <stdint.h>

#include "cli/cli.h"
#include "model/codec.h"

enum verb {
	VERB_ADD,
	VERB_DELETE,
	VERB_SET,
	VERB_SHOW, /* this and below: the pairs are a filter */
	VERB_GET,
	VERB_ADOPT,
	VERBS
};

#define GRAMMAR_TERMS 16
#define NOTES_MAX     160

/* One condition of a filter, in canonical text. */
struct term {
	const struct row *row;
	char text[VALUE_TEXT_MAX];
};

struct request {
	enum verb verb;
	bool wants[OBJECTS]; /* the object words given */
	bool check;          /* set by the caller: an edit is to be judged, not made */
	/* For edits: the leaves given, by their presence bits, keys among them. */
	struct tunnel tunnel;
	struct session session;
	uint64_t cleared[OBJECTS]; /* no-KEYWORD */
	/* For filters. */
	struct term terms[GRAMMAR_TERMS];
	unsigned int term_count;
	/* Keywords, "a, b", to tell the user of: what `ip l2tp` takes here and makes nothing of, */
	char ignored[NOTES_MAX];
	char misplaced[NOTES_MAX]; /* and those of them that a session would have */
};

/*
 * Parse the words after the command. CLI_USAGE: an unknown or unpaired word, a
 * missing object or identifier; without a text, the word "help". CLI_REFUSED: a value is wrong;
 * err->path names the leaf.
 */
enum cli_status grammar_parse(enum verb verb, int argc, char *const argv[], struct request *ret,
			      struct error *err);

/* Tell the user, on stderr, of what was ignored. */
void request_note_ignored(const struct request *request);

/* The condition on @row, or NULL. */
const char *request_term(const struct request *request, const struct row *row);

/* struct tunnel or struct session of @request. */
const void *request_config(const struct request *request, enum object object);

#endif
