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
	struct commit_info info;   /* of all but commits: the number only */
	bool has_config;           /* of a base: what config.xml holds is there */
	uint32_t config;           /* its checksum */
	const char *changes, *end; /* the lines of changes, in the payload */
};

/* Errors are left in @file, as stdio does: see ferror(). */
void commit_print_info(FILE *file, const struct commit_info *info); /* the first line */
void commit_print_change(FILE *file, const struct change *change);
void commit_print_mark(FILE *file, enum record_kind kind, uint64_t number);
/* @checksum is of config.xml, which holds @running; NULL: not said. */
void commit_print_base(FILE *file, uint64_t number, const uint32_t *checksum,
		       const struct datastore *running);

/* A change as it was read: its before and after, where it has them, are values beside it. */
struct change_read {
	struct change change;
	union config before, after;
};

/*
 * How to read a version of the format. To change it: raise JOURNAL_VERSION
 * (frame.h), put the new functions in front and keep the old ones. A journal of
 * an old version is folded before anything is appended to it.
 */
struct commit_format {
	int version;
	bool ends; /* a whole journal ends with an end mark */
	/* -EPROTO: not of this format, though sound. */
	int (*read)(const char *payload, size_t length, struct commit_record *ret);
	/*
	 * Read one change and move record->changes behind it. 1: there was one; 0: there is no
	 * more. -EPROTO, with line and reason in @err: a leaf or value we do not know.
	 */
	int (*read_change)(struct commit_record *record, struct change_read *ret,
			   struct error *err);
};

const struct commit_format *commit_format(int version); /* NULL: there is none */

#endif
