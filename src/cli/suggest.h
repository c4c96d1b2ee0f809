/* "Did you mean": the word of a list that a misspelt one is close to. */
#ifndef CLI_SUGGEST_H
#define CLI_SUGGEST_H

#include <stddef.h>

struct suggestion {
	const char *word; /* the misspelt one */
	char best[40];    /* "": none is close enough */
	unsigned int distance;
};

/* Zero it, set its word, then try each of the words there are; "a|b" is two. */
void suggest_try(struct suggestion *suggestion, const char *words);
/* "; did you mean \"BEST\"?", or "". */
const char *suggest_text(const struct suggestion *suggestion, char ret[80]);

#endif
