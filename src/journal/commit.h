/*
 * What stands in the journal's frames, as text:
 *
 *     base 16 config=9a1b0c7d            config.xml, of that checksum, holds all up to commit 16,
 *     session 1 2                        and this is what it holds; without the checksum
 *     + peer-session-id=3 mtu=1400       nothing follows
 *     commit number=17 time=... door=cli user=root tunnels=0 sessions=1 comment=
 *     session 1 2                        or: tunnel 1
 *     - peer-session-id=3 mtu=1400       as it was, if it was
 *     + peer-session-id=3 mtu=1450       as it became, if it is
 *                                        tentative=16 at its end: to be undone, back to commit
 *                                        16, if the last commit says so
 *     nacm                               or: NACM's configuration, whole, before and after:
 *     - 1:write-default=permit           depth, item and text of each node, in order
 *     + 1:groups= 2:group=g 3:user-name=a
 *     confirm 17                         the kernel has commit 17 too
 *     end 17                             the last commit is 17, and nothing follows
 *     doubt 17                           the same, but what the disk has of this file is not
 *                                        certain: nothing is to be appended to it
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

enum record_kind { RECORD_BASE, RECORD_CONFIRM, RECORD_COMMIT, RECORD_END, RECORD_DOUBT };

struct commit_record {
	enum record_kind kind;
	struct commit_info info;   /* only the number, unless it is a commit */
	bool has_config;           /* of a base: has the contents of config.xml */
	uint32_t config;           /* its checksum */
	const char *changes, *end; /* the lines with changes, in the payload */
};

/* Errors stay in @file, for ferror(). */
void commit_print_info(FILE *file, const struct commit_info *info); /* the first line */
void commit_print_change(FILE *file, const struct change *change);
void commit_print_acm(FILE *file, const struct candidate *changes); /* if it changes */
void commit_print_mark(FILE *file, enum record_kind kind, uint64_t number);
/* @checksum: of the config.xml that holds @running; NULL: none to write. */
void commit_print_base(FILE *file, uint64_t number, const uint32_t *checksum,
		       const struct datastore *running);

/*
 * A change that was read. before and after point to the values beside them, or are NULL. If it is
 * one of NACM's configuration, that has no tunnel-id, and the two trees. Zero it before the first
 * is read, and drop the trees of the last.
 */
struct change_read {
	struct change change;
	union config before, after;
	struct acm *acm_before, *acm;
};
void change_read_end(struct change_read *read);
/* Make it so in @candidate; as it was, with @back. 0 or -ENOMEM. */
int change_read_put(const struct change_read *read, bool back, struct candidate *candidate);

/*
 * How to read a version of the format. To change the format, raise JOURNAL_VERSION (frame.h), put
 * the new functions in front and keep the old ones. A journal of an old version is folded before
 * anything is appended to it.
 */
struct commit_format {
	int version;
	bool ends; /* a complete journal ends with an end mark */
	/* -EPROTO: the frame is sound, but not of this format. */
	int (*read)(const char *payload, size_t length, struct commit_record *ret);
	/*
	 * Read one change and move record->changes behind it. 1: read one; 0: there are no more;
	 * -EPROTO, with line and reason in @err: an unknown leaf or value.
	 */
	int (*read_change)(struct commit_record *record, struct change_read *ret,
			   struct error *err);
};

const struct commit_format *commit_format(int version); /* NULL: unknown version */

#endif
