/*
 * An entry as it is shown and filtered: pointers to the structs that the rows
 * of the mapping table are read from. Made anew each time, never kept.
 */
#ifndef NETCONF_VIEW_H
#define NETCONF_VIEW_H

#include "model/codec.h"
#include "store/datastore.h"

/* Rows of an entry, configuration, state and statistics, as bits by row number. */
#define ROWS_ALL UINT64_MAX

struct view {
	enum object object;
	uint32_t id;
	const void *config; /* struct tunnel or session; NULL: not known */
	const void *state;  /* struct tunnel_state or session_state; NULL: not asked for */
	const struct statistics *statistics; /* NULL: none */
	const struct tunnel *tunnel;         /* for the status text */
	const struct session *session;
};

/* All there is of an entry, ours or foreign (get). */
struct view view_entry(const struct entry *entry);
/* Configuration alone (get-config, the snapshot). */
struct view view_tunnel_config(const struct tunnel *config);
struct view view_session_config(const struct session *config);

/*
 * The value's text into @ret, and its length in @ret_length; false when the
 * entry has no such leaf. The key is always there.
 */
bool view_leaf(const struct view *view, const struct row *row, char ret[VALUE_TEXT_MAX],
	       size_t *ret_length);

/* Has it any of these leaves? */
bool view_any(const struct view *view, uint64_t rows);

/* Rows of one part. */
uint64_t view_rows(enum object object, enum part part);
uint64_t view_key(enum object object);

#endif
