/*
 * The datastore: all tunnels and sessions, whether we configured them or only see them in the
 * kernel, in order of their ids. One truth for all doors.
 *
 * An entry exists while it is configured, in the kernel, or held (being removed). Doors only read:
 * they walk with *_from() and keep the id, never the pointer, across a return to the event loop.
 * Only the engine changes it.
 *
 * The configuration has two layers. The base is what is merged. The top is a commit's changes:
 * attached to the entries they touch while nobody sees it, published by one assignment, and merged
 * into the base in slices (publish.h). Every function here answers for the published layer: all of
 * a commit, or none of it. So ask entry_config(), tunnel_config() or session_config() what an
 * entry's configuration is.
 *
 * Look-ups and changes cost O(log n), O(1) for sessions in order. About 540 bytes a session.
 */
#ifndef STORE_DATASTORE_H
#define STORE_DATASTORE_H

#include <bsd/sys/tree.h>
#include <stddef.h>

#include "model/entry.h"
#include "model/model.h"
#include "store/change.h"
#include "store/names.h"

enum layer { LAYER_BASE, LAYER_TOP, LAYERS };

#define LAYER_BIT(layer) (1U << (layer))
#define LAYERS_ALL       (LAYER_BIT(LAYER_BASE) | LAYER_BIT(LAYER_TOP))

/* What tunnels and sessions have in common; the first member of both. */
struct entry {
	struct key key; /* always valid; config and actual are not, in a held entry */
	bool in_kernel : 1, held : 1;
	bool unlinked : 1;          /* a held session whose interface was seen to go */
	bool seen : 1;              /* for the engine: the dump under way has shown it */
	bool as_configured : 1;     /* a session: see its actual */
	uint8_t layers;             /* bits of the layers that show it */
	uint32_t slot;              /* for the engine: where its identity is kept, 0 nowhere */
	const union config *config; /* shared; in the base layer; NULL: not configured there */
	struct change *change;      /* attached: its `after` is the top layer; NULL: none */
};

struct session_entry {
	struct entry entry;
	struct tunnel_entry *tunnel;
	RB_ENTRY(session_entry) link;     /* in its tunnel, by id */
	RB_ENTRY(session_entry) by_id;    /* in the namespace, by session id, then tunnel id */
	RB_ENTRY(session_entry) by_name;  /* those with a name, foreign ones too */
	RB_ENTRY(session_entry) by_index; /* those with an if_index */
	struct session_state state;
	/*
	 * As the kernel reported it: ask entry_actual(). Shared with the configuration while that
	 * says the same (as_configured), but for MTU and MAC, which are in the state. Of one that
	 * is not in the kernel: session_last().
	 */
	const union config *actual;
	struct saved *saved; /* what others had set on its interface: the engine's (saved.h) */
};

RB_HEAD(session_tree, session_entry);

struct tunnel_counts {
	uint32_t sessions, configured;
	uint32_t watched; /* configured ones with a dead-interval */
};

struct tunnel_entry {
	struct entry entry;
	struct datastore *store;
	RB_ENTRY(tunnel_entry) link;
	RB_ENTRY(tunnel_entry) by_endpoint; /* UDP ones with a local-address, foreign ones too */
	struct session_tree sessions;       /* that both layers show */
	struct session_tree only[LAYERS];   /* ... that one shows */
	struct tunnel_counts counts[LAYERS];
	struct tunnel_state state;
	struct tunnel actual;
};

RB_HEAD(tunnel_tree, tunnel_entry);
RB_HEAD(session_id_tree, session_entry);
RB_HEAD(session_name_tree, session_entry);
RB_HEAD(session_index_tree, session_entry);
RB_HEAD(endpoint_tree, tunnel_entry);
RB_HEAD(name_change_tree, change);
RB_HEAD(endpoint_change_tree, change);

struct datastore_counts {
	size_t tunnel_count, session_count; /* entries, foreign ones too */
	size_t configured_tunnels, configured_sessions;
	/* Of foreign and of configured ones; status 0: not known yet. */
	uint32_t by_status[OBJECTS][2][OPER_STATUSES][STATUS_REASONS];
	size_t nameless; /* configured sessions that need an interface-name and have none */
};

struct acm;

struct datastore {
	struct tunnel_tree tunnels;      /* that both layers show */
	struct tunnel_tree only[LAYERS]; /* ... that one shows */
	struct session_id_tree ids;      /* of the sessions that both layers show */
	struct session_id_tree only_ids[LAYERS];
	struct session_index_tree indexes; /* of the sessions of any layer */
	struct session_name_tree names; /* names and endpoints in the base layer, actual ones too */
	struct endpoint_tree endpoints;
	struct name_change_tree top_names; /* ... in the top layer, where that differs */
	struct endpoint_change_tree top_endpoints;
	struct session_entry *recent; /* that a look-up found last; NULL: it is gone */
	struct datastore_counts counts[LAYERS];
	struct name_pool pool;    /* numbers of the l2tpeth<n> in both layers */
	size_t tunnels_in_kernel; /* foreign ones too, and those that are held and shown */
	size_t unindexed;         /* sessions in the kernel without an if_index */
	uint64_t changes;         /* counts changes in what is configured, seen or held */
	size_t attached;          /* changes in the top layer */
	bool published;           /* the top layer is the one to be seen */
	struct past *pasts;       /* open (past.h) */
	const struct acm *acm;    /* NACM's configuration (acm.h); never NULL; owned */
	/*
	 * Called just before an entry is freed, when no look-up finds it any more; may be NULL.
	 * @seen: readers saw it, so it was not a commit's that came to nothing.
	 */
	void (*dropped)(const struct entry *entry, bool seen, void *arg);
	void *dropped_arg;
	/* Frees what an entry has saved, when that is freed. NULL: none has. */
	void (*free_saved)(struct saved *saved);
};

struct datastore *datastore_new(void); /* NULL: no memory */
void datastore_free(struct datastore *ds);

/* Configure NACM. @acm is shared; NULL changes nothing. */
void datastore_set_acm(struct datastore *ds, const struct acm *acm);

/* The entry as a tunnel, or as a session; NULL: it is the other, or NULL itself. */
static inline struct tunnel_entry *entry_tunnel(const struct entry *entry)
{
	return entry && entry->key.session_id == 0 ? (struct tunnel_entry *)entry : NULL;
}

static inline struct session_entry *entry_session(const struct entry *entry)
{
	return entry && entry->key.session_id != 0 ? (struct session_entry *)entry : NULL;
}

static inline enum object entry_object(const struct entry *entry)
{
	return entry->key.session_id == 0 ? OBJECT_TUNNEL : OBJECT_SESSION;
}

/* The tunnel that the entry is, or is in. */
static inline struct tunnel_entry *entry_tunnel_of(const struct entry *entry)
{
	return entry->key.session_id ? entry_session(entry)->tunnel : entry_tunnel(entry);
}

/* The layer to be seen. */
static inline enum layer datastore_layer(const struct datastore *ds)
{
	return ds->published ? LAYER_TOP : LAYER_BASE;
}

static inline const struct datastore_counts *datastore_counts(const struct datastore *ds)
{
	return &ds->counts[datastore_layer(ds)];
}

/* How many are up. */
size_t datastore_up(const struct datastore *ds, enum object object);

static inline const struct tunnel_counts *tunnel_counts(const struct tunnel_entry *tunnel)
{
	return &tunnel->counts[datastore_layer(tunnel->store)];
}

/* Its configuration, of either kind (struct tunnel, struct session); NULL: not configured. */
static inline const void *entry_config(const struct entry *entry)
{
	if (entry->change && entry_tunnel_of(entry)->store->published)
		return entry->change->after;
	return entry->config;
}

static inline const struct tunnel *tunnel_config(const struct tunnel_entry *tunnel)
{
	return entry_config(&tunnel->entry);
}

static inline const struct session *session_config(const struct session_entry *session)
{
	return entry_config(&session->entry);
}

/* The state that both kinds have in common. */
struct state *entry_state(const struct entry *entry);
/* What the kernel reported, of either kind; of one that is in the kernel. @room is for the answer.
 */
const void *entry_actual(const struct entry *entry, union config *room);
/* What doors show of it: its configuration, else what was seen; NULL: neither. */
const void *entry_shown(const struct entry *entry);
/* What it is, or was when it was last configured or in the kernel; never NULL. */
const struct session *session_last(const struct session_entry *session);
/*
 * Before an entry's state is read: note the overhead of a session as it is shown. That follows from
 * its leaves and its tunnel's, and takes less time to make than to keep.
 */
void entry_put_overhead(const struct entry *entry);
/* Did others make it? It is in the kernel, not configured, and not being removed by us. */
bool entry_is_foreign(const struct entry *entry);

/* Exact look-ups; NULL when there is none. @session_id 0: the tunnel. */
struct entry *datastore_entry(const struct datastore *ds, uint32_t tunnel_id, uint32_t session_id);
struct tunnel_entry *datastore_tunnel(const struct datastore *ds, uint32_t tunnel_id);
struct session_entry *datastore_session(const struct datastore *ds, uint32_t tunnel_id,
					uint32_t session_id);
/* The first entry with that session id in any tunnel, then session_same_id() for more. */
struct session_entry *datastore_session_by_id(const struct datastore *ds, uint32_t session_id);
struct session_entry *session_same_id(const struct session_entry *session);
/*
 * The first session at or after that id; of several with one id the configured one, or else that of
 * the least tunnel id.
 */
struct session_entry *datastore_id_from(const struct datastore *ds, uint32_t session_id);
/* The same for the id after this session's. */
struct session_entry *datastore_id_next(const struct session_entry *session);
/* The configured session with that interface-name. */
struct session_entry *datastore_session_by_name(const struct datastore *ds, const char *name);
/* Any session with that name, foreign ones too, then session_same_name() for more. */
struct session_entry *datastore_named(const struct datastore *ds, const char *name);
struct session_entry *session_same_name(const struct session_entry *session);
struct session_entry *datastore_session_by_index(const struct datastore *ds, unsigned int index);
/*
 * Any tunnel with that UDP local address and port, foreign ones too; tunnel_same_endpoint() finds
 * more.
 */
struct tunnel_entry *datastore_bound(const struct datastore *ds, const struct address *address,
				     uint16_t port);
struct tunnel_entry *tunnel_same_endpoint(const struct tunnel_entry *tunnel);

/* The name of its interface as configured, else as seen; "": none. */
const char *session_name(const struct session_entry *session);
/* The UDP local address and port that @tunnel binds; false: none, or not known beforehand. */
bool tunnel_endpoint(const struct tunnel *tunnel, struct address *ret_address, uint16_t *ret_port);

/* Walking: the first entry whose id is @id or greater; NULL at the end. */
struct tunnel_entry *datastore_tunnel_from(const struct datastore *ds, uint32_t tunnel_id);
struct session_entry *tunnel_session_from(const struct tunnel_entry *tunnel, uint32_t session_id);
struct session_entry *datastore_index_from(const struct datastore *ds, unsigned int index);
struct tunnel_entry *tunnel_next(const struct tunnel_entry *tunnel);
struct session_entry *session_next(const struct session_entry *session); /* in its tunnel */

/* All entries in order, a tunnel before its sessions: the first from there on; NULL at the end. */
struct entry *datastore_entry_from(const struct datastore *ds, uint32_t tunnel_id,
				   uint32_t session_id);
struct entry *entry_next(const struct entry *entry);

/*
 * Configure (@config, of the entry's kind, not NULL) or unconfigure (NULL). Creates the entry if
 * there is none, and a tunnel for a session; drops it when nothing keeps it. The caller must not
 * unconfigure a tunnel whose sessions are still configured (asserted). Returns the entry, or NULL
 * when it was dropped or memory ran out (@config not NULL).
 */
struct entry *datastore_configure(struct datastore *ds, uint32_t tunnel_id, uint32_t session_id,
				  const void *config);

/*
 * What the kernel has (NULL: no longer). An entry that is not configured becomes foreign. NULL: the
 * entry is gone, or memory ran out, and it is as it was.
 */
struct entry *datastore_observe(struct datastore *ds, uint32_t tunnel_id, uint32_t session_id,
				const void *actual);
/* The same of an entry that was looked up already. */
struct entry *datastore_observe_entry(struct datastore *ds, struct entry *entry,
				      const void *actual);
/* The same of one that has changed in its link leaves only. False: no memory. */
bool datastore_observe_link(struct session_entry *session, const struct session *actual);

void datastore_set_index(struct datastore *ds, struct session_entry *session, unsigned int index);

/*
 * Hold an entry that is neither configured nor in the kernel. Letting go may free it, and its
 * tunnel if that was there only for its sake.
 */
void datastore_hold(struct datastore *ds, struct entry *entry, bool held);

/* Change the status and the counts of what is up; returns true if oper_status changed. */
bool datastore_set_status(struct datastore *ds, struct entry *entry, enum oper_status status,
			  enum status_reason reason, int os_errno, struct moment now);

#endif
