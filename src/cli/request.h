/* A typed request: a command line after parsing, before it becomes a message. */
#ifndef CLI_REQUEST_H
#define CLI_REQUEST_H

#include <stdint.h>
#include <stdio.h>

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

union leaves {
	struct tunnel tunnel;
	struct session session;
};

struct request {
	enum verb verb;
	bool wants[OBJECTS]; /* the object words given */
	bool check;          /* set by the caller: test the edit only ... */
	bool staged;         /* ... or make it in the candidate */
	const char *comment; /* for the history; NULL: none; borrowed */
	/* For edits: the leaves given, by their presence bits, keys among them. */
	struct tunnel tunnel;
	struct session session;
	uint64_t cleared[OBJECTS]; /* no-KEYWORD */
	/* For filters. */
	struct term terms[GRAMMAR_TERMS];
	unsigned int term_count;
	bool problem; /* only what is not up and should be */
	/*
	 * Keywords, as "a, b", for notes to the user: those that `ip l2tp` accepts here and
	 * ignores,
	 */
	char ignored[NOTES_MAX];
	char misplaced[NOTES_MAX]; /* and those of a session */
};

/* Add a keyword to one of the notes; print the notes. */
void request_note(char notes[NOTES_MAX], const char *keyword);
void request_print_notes(FILE *file, const struct request *request);

/*
 * Is it about a session that exists, and names its id alone? That is unique in the network
 * namespace: whoever sends the request looks for its tunnel.
 */
bool request_lacks_tunnel(const struct request *request);

/* The condition on @row, or NULL. */
const char *request_term(const struct request *request, const struct row *row);

/* struct tunnel or struct session of @request. */
void *request_leaves(struct request *request, enum object object);
const void *request_config(const struct request *request, enum object object);

#endif
