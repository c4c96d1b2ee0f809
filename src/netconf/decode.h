/*
 * Turns the content of <config> into a typed edit while it is read: a reader handler driven by the
 * mapping table. It builds no tree. Semantics: RFC 6241 section 7.2, RFC 7950 sections 7.5.8,
 * 7.6.7 and 7.8.6.
 *
 * Where the RFCs leave room: the container l2tpv3 has no presence, so it exists while there is
 * something in it, and that decides whether create and delete fail; default-operation replace with
 * an empty <config> empties it, too. The contents of a deleted entry are checked as everywhere and
 * then ignored; an operation of their own is refused. An entry that is given twice is found when
 * the edit is applied.
 */
#ifndef NETCONF_DECODE_H
#define NETCONF_DECODE_H

#include <errno.h>

#include "netconf/reader.h"
#include "store/edit.h"

struct decoder;

/* Entries of one request: each takes many times as much memory as it may take on the wire. */
#define DECODER_ENTRIES_MAX (1U << 18)

/* @limit: entries, 0: no limit. NULL: no memory. */
struct decoder *decoder_open(enum edit_operation default_operation, size_t limit);
/* It gets a whole configuration, in which an element has no operation of its own. */
void decoder_refuse_operations(struct decoder *decoder);
/* Read on after a refusal, and list them all. */
void decoder_collect(struct decoder *decoder);
void decoder_close(struct decoder *decoder); /* Accepts NULL. */

/*
 * Feed it what is inside <config>, from the container's start to its end; @arg of its functions is
 * the decoder. It keeps the first refusal, unless told to collect them. The path of one needs keys
 * that may come later in the entry, so the functions return DECODER_REFUSED only when nothing that
 * may still come matters.
 */
extern const struct reader_handler decoder_handler;
#define DECODER_REFUSED (-ECANCELED)

bool decoder_failed(const struct decoder *decoder);
size_t decoder_memory(const struct decoder *decoder); /* bytes of the edit so far */

/*
 * Everything was read: hand the edit to the caller, who owns it, or return the refusal, or a list
 * of them that is freed with the decoder. With @continues (continue-on-error) what is refused is
 * listed in the edit, which leaves it out.
 */
int decoder_finish(struct decoder *decoder, bool continues, struct edit **ret_edit,
		   struct error *err);

/* "merge", "replace" ...; false: not an operation. */
bool decode_operation(const char *text, size_t length, enum edit_operation *ret);

#endif
