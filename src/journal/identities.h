/*
 * Identities: what neither the configuration nor the kernel can tell the next daemon about a tunnel
 * or session: which object with that id it is, when its counters began at 0, when its status last
 * changed, and whether we deleted it.
 *
 * The file `identities` in the state directory has a record of fixed size for each, updated in
 * place. It is not part of the journal, for it is not configuration: it is valid only for the boot
 * and the namespace that its header names, so it needs no fsync (the page cache survives kill -9),
 * no order and no history, and changes of status must not cost any. It is written, not mapped, so
 * that a failing disk gives an error and not a signal. A damaged record, or a file that is damaged
 * or unreadable, counts as missing: its objects are seen as if for the first time.
 */
#ifndef JOURNAL_IDENTITIES_H
#define JOURNAL_IDENTITIES_H

#include "journal/journal.h"
#include "model/entry.h"

#define IDENTITIES_FILE "identities"

/* The same in file and memory, with padding zeroed. */
struct identity {
	uint32_t crc; /* of what follows; set by identities_write() */
	struct key key;
	uint8_t oper_status, status_reason;
	bool transmit_failing, peer_silent;
	bool in_kernel;
	bool silenced; /* of a session's interface: session_state */
	int16_t status_errno;
	uint64_t object; /* ifindex, or the socket's cookie; 0: unknown */
	struct moment began, last_change;
	int64_t heard_time;                         /* CLOCK_BOOTTIME ... */
	uint64_t rx_packets, tx_packets, tx_errors; /* ... and counters at the time of writing */
};

/* Of no particular object. */
struct identity_of_all {
	struct moment last_commit;
	int64_t epoch; /* CLOCK_BOOTTIME when the SNMP master's sysUpTime was 0; 0: unknown */
};

struct identities;

/*
 * Open those in the directory of @journal, which must outlive them, for the kernel instance
 * @instance. 0 or -ENOMEM; any other failure is a line in @warning, "": none.
 */
int identities_open(struct identities **ret, const struct journal *journal, const char *instance,
		    char warning[JOURNAL_WARNING_MAX]);
void identities_close(struct identities *identities); /* writes nothing; accepts NULL */

/* What the last daemon left for the first key at or after @key; NULL: nothing. */
const struct identity *identities_from(const struct identities *identities, const struct key *key);
/* Take over what it left for @key. Returns the slot; 0: nothing. */
uint32_t identities_take(struct identities *identities, const struct key *key);
/* Forget what nobody has taken over. */
void identities_forget_rest(struct identities *identities);

/* What the last daemon left, and what to keep now. */
const struct identity_of_all *identities_of_all(const struct identities *identities);
/* The same for the caller to change: it is marked for writing. */
struct identity_of_all *identities_change_all(struct identities *identities);

/* Mark the record of *@slot for writing; assigns a slot if 0. False: no memory. */
bool identities_mark(struct identities *identities, uint32_t *slot, const struct key *key);
/* The object is gone: free its slot. */
void identities_release(struct identities *identities, uint32_t slot);
size_t identities_marked(const struct identities *identities);

/* Fill in the zeroed record of @key; false: there is nothing to keep. */
typedef bool identity_cb(const struct key *key, struct identity *ret, void *arg);
/*
 * Write up to 64 adjacent marked records with one call. Returns how many, or a negative errno with
 * @err; they then stay marked.
 */
int identities_write(struct identities *identities, identity_cb *fill, void *arg,
		     struct error *err);

#endif
