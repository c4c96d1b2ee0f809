/*
 * The content of <config> to a typed edit, as it is read: a reader handler
 * driven by the mapping table. No tree is built. Semantics: RFC 6241 section
 * 7.2, RFC 7950 sections 7.5.8, 7.6.7 and 7.8.6.
 *
 * What RFCs leave open: the container l2tpv3, having no presence, exists while
 * there is something in it, so create and delete fail or not by that;
 * default-operation replace with an empty <config> empties it too. What is inside
 * a deleted entry is looked at as anywhere, and then passed over; an operation of
 * its own is refused. That an entry is not given twice is seen when the edit is applied.
 */
#ifndef NETCONF_DECODE_H
#define NETCONF_DECODE_H

#include <errno.h>

#include "netconf/reader.h"
#include "store/edit.h"

struct decoder;

/* Entries of one request: each costs memory many times the bytes it may have on the wire. */
#define DECODER_ENTRIES_MAX (1U << 18)

/*
 * @secrets: may this user write secret leaves? Else giving one is refused, and
 * what is replaced keeps those it has. @limit: entries, 0 no limit. NULL: no
 * memory.
 */
struct decoder *decoder_open(enum edit_operation default_operation, bool secrets, size_t limit);
/* It gets a whole configuration, in which an element has no operation of its own. */
void decoder_refuse_operations(struct decoder *decoder);
void decoder_close(struct decoder *decoder); /* Accepts NULL. */

/*
 * Gets what is inside <config>, start and end of the container first and last;
 * its functions' @arg is the decoder. The first refusal is kept, with its path,
 * which needs keys that may come later in the entry: they return
 * DECODER_REFUSED once nothing that may come matters any more.
 */
extern const struct reader_handler decoder_handler;
#define DECODER_REFUSED (-ECANCELED)

bool decoder_failed(const struct decoder *decoder);
size_t decoder_memory(const struct decoder *decoder); /* bytes of the edit so far */

/* All was read: give the edit to the caller, or the refusal. */
int decoder_finish(struct decoder *decoder, struct edit **ret_edit, struct error *err);

/* "merge", "replace" ...; false when it is no operation. */
bool decode_operation(const char *text, size_t length, enum edit_operation *ret);

#endif
