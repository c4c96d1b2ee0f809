/*
 * Identities: what neither the configuration nor the kernel can tell the next
 * daemon of a tunnel or session: which of the objects of that id it is, when its
 * counters began at 0, when its status last changed, and whether we deleted it.
 *
 * The file `identities` in the state directory has a record of fixed size for
 * each, in place. It is not in the journal, for it is not configuration: nothing of
 * it outlives the boot and the namespace that the header names, so it needs no
 * fsync (the page cache outlives kill -9), no order and no history, and a change
 * of status must not cost one. It is written, and not mapped into memory, so that a disk
 * that fails gives an error and not a signal. A record that is damaged, or a file that is
 * or cannot be read, is as none: its objects are seen as if for the first time.
 */
#ifndef JOURNAL_IDENTITIES_H
#define JOURNAL_IDENTITIES_H

#include "journal/journal.h"
#include "model/entry.h"

#define IDENTITIES_FILE "identities"

/* In the file as in memory, padding zeroed. */
struct identity {
	uint32_t crc; /* of what follows; identities_write() sees to it */
	struct key key;
	uint8_t oper_status, status_reason;
	bool transmit_failing, peer_silent;
	bool in_kernel;
	int16_t status_errno;
	uint64_t object; /* ifindex, or cookie of the socket; 0 unknown */
	struct moment began, last_change;
	int64_t heard_time;                         /* CLOCK_BOOTTIME ... */
	uint64_t rx_packets, tx_packets, tx_errors; /* ... and counters, when it was written */
};

/* Of no object. */
struct identity_of_all {
	struct moment last_commit;
	int64_t epoch; /* CLOCK_BOOTTIME when the SNMP master's sysUpTime was 0; 0 unknown */
};

struct identities;

/*
 * Of the directory of @journal, which must outlive them, and of the kernel that calls
 * itself @instance. -ENOMEM; any other failure is a line in @warning, "" none.
 */
int identities_open(struct identities **ret, const struct journal *journal, const char *instance,
		    char warning[JOURNAL_WARNING_MAX]);
void identities_close(struct identities *identities); /* writes nothing; accepts NULL */

/* What the last daemon left of the first key at or after @key; NULL none, or it is settled. */
const struct identity *identities_from(const struct identities *identities, const struct key *key);
/* Go on with what it left of @key: the slot; 0: nothing. */
uint32_t identities_take(struct identities *identities, const struct key *key);
/* What nobody has taken until now is forgotten. */
void identities_settle(struct identities *identities);

/* What the last daemon left, then what is to be kept: changed there, and marked. */
struct identity_of_all *identities_of_all(struct identities *identities);
void identities_mark_all(struct identities *identities);

/* The record of @slot is to be written; 0 there gets one. False: no memory. */
bool identities_mark(struct identities *identities, uint32_t *slot, const struct key *key);
/* There is no such object any more. */
void identities_release(struct identities *identities, uint32_t slot);
size_t identities_marked(const struct identities *identities);

/* Fill in the zeroed record of @key; false: there is nothing to be kept of it. */
typedef bool identity_cb(const struct key *key, struct identity *ret, void *arg);
/*
 * Write at most 64 of those marked that are next to each other, with one call.
 * Returns how many, or a negative errno with @err, and they stay marked.
 */
int identities_write(struct identities *identities, identity_cb *fill, void *arg,
		     struct error *err);

#endif
