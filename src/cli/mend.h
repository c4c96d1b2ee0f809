/*
 * What the words of a request mean together, where `ip l2tp` goes by all of
 * them and not by each: what it passes over, and what it means by them.
 */
#ifndef CLI_MEND_H
#define CLI_MEND_H

#include "cli/request.h"

/* After all words were taken. */
void mend_request(struct request *request);

#endif
