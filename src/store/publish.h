/*
 * Putting a candidate into running, in three parts, so that what grows with it goes in slices and
 * nobody sees half of it:
 *
 * 	candidate_attach_begin()   before it is decided: every change to its entry in
 * 	                           running, as a layer that nobody sees; entries that are
 * 	                           to come are made. The only part that can fail.
 * 	datastore_publish()        one assignment: from here on everybody sees all of it.
 * 	candidate_merge_begin()    the layer becomes the base, change by change, and
 * 	                           what was unconfigured goes.
 *
 * To drop it instead of publishing, use candidate_detach_begin() in place of the second. From the
 * beginning of the first to the end of the last the candidate is read-only, stays in place, and no
 * other is attached.
 */
#ifndef STORE_PUBLISH_H
#define STORE_PUBLISH_H

#include "store/candidate.h"

/* May fail or be abandoned: then nothing is attached. */
struct cursor *candidate_attach_begin(struct candidate *candidate, struct datastore *running,
				      struct error *err);
/* Take off what is attached and not published. NULL: there was no memory; it is all off already. */
struct cursor *candidate_detach_begin(struct candidate *candidate, struct datastore *running);

void datastore_publish(struct datastore *running);
/* NULL: there was no memory; it is all merged already. */
struct cursor *candidate_merge_begin(struct candidate *candidate, struct datastore *running);

/* All of it at once, without a layer. -ENOMEM: running has a part of it, and is of no use. */
int candidate_publish(struct candidate *candidate, struct datastore *running);

#endif
