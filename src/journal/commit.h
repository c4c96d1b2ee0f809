/*
 * What stands in the journal's frames, as text:
 *
 *     base 16                            config.xml holds all up to commit 16
 *     confirm 17                         the kernel has commit 17 too
 *     commit number=17 time=... door=cli user=root tunnels=0 sessions=1 comment=
 *     session 1 2                        or: tunnel 1
 *     - peer-session-id=3 mtu=1400       as it was, if it was
 *     + peer-session-id=3 mtu=1450       as it became, if it is
 *
 * Leaves go by name and values by the codec's text, so that the order of the
 * mapping table's rows is free to change. In values, octets up to space, '%'
 * and DEL are written as %XX.
 */
#ifndef JOURNAL_COMMIT_H
#define JOURNAL_COMMIT_H

#include <stdio.h>

#include "store/candidate.h"
#include "journal/journal.h"

enum record_kind { RECORD_BASE, RECORD_CONFIRM, RECORD_COMMIT };

struct commit_record {
	enum record_kind kind;
	struct commit_info info;   /* of a mark: the number only */
	const char *changes, *end; /* the lines of changes, in the payload */
};

/* Errors are left in @file, as stdio does: see ferror(). */
void commit_print(FILE *file, const struct commit_info *info, const struct candidate *changes);
void commit_print_mark(FILE *file, enum record_kind kind, uint64_t number);

/*
 * How to read a version of the format. To change it: raise JOURNAL_VERSION
 * (frame.h), put the new functions in front and keep the old ones. A journal of
 * an old version is folded before anything is appended to it.
 */
struct commit_format {
	int version;
	/* -EPROTO: not of this format, though sound. */
	int (*read)(const char *payload, size_t length, struct commit_record *ret);
	/*
	 * Read the changes, one by one; a nonzero return of @each ends it.
	 * -EPROTO, with line and reason in @err: a leaf or value we do not know.
	 */
	int (*read_changes)(const struct commit_record *record,
			    int (*each)(const struct change *change, void *arg), void *arg,
			    struct error *err);
};

const struct commit_format *commit_format(int version); /* NULL: there is none */

#endif
