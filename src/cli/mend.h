/*
 * Corrections of a request that need all its words, so that it means what `ip l2tp` would mean:
 * words that it ignores, and words whose meaning depends on others.
 */
#ifndef CLI_MEND_H
#define CLI_MEND_H

#include "cli/request.h"

/* Call it when all words are parsed. */
void mend_request(struct request *request);

#endif
