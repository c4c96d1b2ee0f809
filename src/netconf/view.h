/*
 * A view: an entry as it is shown and filtered. Pointers to the structs that the rows of the
 * mapping table read from; made anew each time, never kept.
 */
#ifndef NETCONF_VIEW_H
#define NETCONF_VIEW_H

#include "model/codec.h"
#include "store/datastore.h"

/* Rows of an entry, configuration, state and statistics, as bits by row number. */
#define ROWS_ALL UINT64_MAX

/* Where a value in use comes from (RFC 8342 section 5.3.4). */
enum view_origin { VIEW_INTENDED, VIEW_SYSTEM, VIEW_DEFAULT, VIEW_UNKNOWN, VIEW_ORIGINS };

struct view_origins {
	enum view_origin entry;      /* and of its key */
	uint64_t rows[VIEW_ORIGINS]; /* its configuration leaves, by origin */
};

struct view {
	enum object object;
	uint32_t id;
	const void *config; /* struct tunnel or session; NULL: not known */
	const void *state;  /* struct tunnel_state or session_state; NULL: not asked for */
	const struct statistics *statistics; /* NULL: none */
	const struct tunnel *tunnel;         /* for the status text */
	const struct session *session;
	uint64_t hidden; /* rows that are not shown, as if the entry did not have them */
	const struct view_origins *origins; /* nmda.h; NULL: not known */
	uint64_t tagged;                    /* leaves to be tagged as defaults (defaults.h) */
};

/* Everything about an entry, ours or foreign (get). */
struct view view_entry(const struct entry *entry);
/* The configuration alone (get-config, the snapshot). */
struct view view_tunnel_config(const struct tunnel *config);
struct view view_session_config(const struct session *config);

/*
 * Print the value into @ret, and its length into @ret_length; false when the entry does not have
 * the leaf. It always has its key.
 */
bool view_leaf(const struct view *view, const struct row *row, char ret[VALUE_TEXT_MAX],
	       size_t *ret_length);

/* Does it have any of these leaves? */
bool view_any(const struct view *view, uint64_t rows);

/* The rows of one part; that of the key. */
uint64_t view_rows(enum object object, enum part part);
uint64_t view_key(enum object object);

#endif
