/* Status in words: the sentence that an operator reads. The single words are in the table. */
#ifndef MODEL_STATUS_H
#define MODEL_STATUS_H

#include "model/table.h"

#define STATUS_TEXT_MAX 192

/*
 * Why the object is as it is and what would cure it, such as "no route to
 * 192.0.2.1 (Network is unreachable); retried when a route appears". Empty
 * when up. @state is the common part of @session's state or, when that is NULL,
 * of the tunnel's. Returns the length.
 */
size_t status_text(const struct state *state, const struct tunnel *tunnel,
		   const struct session *session, char ret[STATUS_TEXT_MAX]);

#endif
