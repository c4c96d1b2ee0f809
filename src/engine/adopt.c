#include "engine/adopt.h"

#include <errno.h>
#include <string.h>

#include "engine/compare.h"
#include "model/codec.h"

/* Refuse what others made and no configuration can say, or would make so. */
static int check_adoptable(enum object object, const void *config, uint32_t tunnel_id,
			   uint32_t session_id, struct error *err)
{
	const struct row_set *set = &row_sets[object];
	union config read = {0};
	char text[VALUE_TEXT_MAX];

	for (unsigned int i = 0; i < set->config_count; i++) {
		const struct row *row = &set->rows[i];
		size_t length;
		int rc;

		if (!codec_present(row, config))
			continue;
		length = codec_print(row, config, text);
		rc = codec_parse(row, &read, text, length, err);
		if (rc == 0 && codec_equal(row, &read, config))
			continue;
		error_at_entry(err, tunnel_id, session_id, row);
		return rc < 0 ? rc
			      : error_set(err, ERROR_INVALID_VALUE,
					  "the kernel has a value that cannot be configured");
	}
	codec_complete(object, &read);
	if (!compare_kernel(object, &read, config, false))
		return 0;
	error_at_entry(err, tunnel_id, session_id, NULL);
	return error_set(err, ERROR_INVALID_VALUE,
			 "what the kernel has of it cannot be configured; make it anew here");
}

static int adopt_session(struct engine *engine, struct candidate *changes,
			 const struct session_entry *entry, struct error *err)
{
	struct session config = entry->actual;
	int rc = check_adoptable(OBJECT_SESSION, &config, entry->tunnel->entry.key.tunnel_id,
				 entry->entry.key.session_id, err);
	const struct kernel_link *link = links_by_index(&engine->links, entry->state.if_index);

	if (rc < 0)
		return rc;
	config.present |= BIT(SESSION_ID);
	/* MTU, MAC and bridge stay the administrator's; of the link only its state becomes ours */
	config.present &= ~(BIT(SESSION_MTU) | BIT(SESSION_MAC_ADDRESS) | BIT(SESSION_BRIDGE));
	if (link && link->up)
		config.present &= ~BIT(SESSION_LINK_ENABLED);
	for (unsigned int i = 0; i < row_sets[OBJECT_SESSION].config_count; i++) {
		const struct row *row = &row_sets[OBJECT_SESSION].rows[i];

		if (!codec_present(row, &config))
			codec_clear(row, &config);
	}
	return candidate_put(changes, entry->tunnel->entry.key.tunnel_id,
			     entry->entry.key.session_id, &config);
}

static int adopt_tunnel(struct candidate *changes, const struct tunnel_entry *entry,
			struct error *err)
{
	struct tunnel config = entry->actual;
	int rc;

	if (config.version && config.version != 3)
		return error_set(err, ERROR_UNSUPPORTED,
				 "tunnel %u is of L2TP version %u, which is not managed here",
				 entry->entry.key.tunnel_id, config.version);
	config.version = 0;
	rc = check_adoptable(OBJECT_TUNNEL, &config, entry->entry.key.tunnel_id, 0, err);
	return rc < 0 ? rc : candidate_put(changes, entry->entry.key.tunnel_id, 0, &config);
}

int adopt(struct engine *engine, uint32_t tunnel_id, struct candidate *changes, struct error *err)
{
	const struct tunnel_entry *tunnel = datastore_tunnel(engine->store, tunnel_id);
	const struct session_entry *session;
	int rc;

	changes->adopt = true;
	error_at_entry(err, tunnel_id, 0, NULL);
	if (!tunnel || !tunnel->entry.in_kernel)
		return error_set(err, ERROR_MISSING, "there is no tunnel %u in the kernel",
				 tunnel_id);
	session = tunnel_session_from(tunnel, 0);
	rc = entry_config(&tunnel->entry) ? 0 : adopt_tunnel(changes, tunnel, err);
	for (; session && rc == 0; session = session_next(session))
		if (session->entry.in_kernel && !entry_config(&session->entry))
			rc = adopt_session(engine, changes, session, err);
	if (rc == -ENOMEM)
		return error_set(err, ERROR_RESOURCE, "no memory to adopt tunnel %u", tunnel_id);
	if (rc < 0)
		return rc;
	if (!candidate_dirty(changes))
		return error_set(err, ERROR_EXISTS, "tunnel %u and its sessions are ours already",
				 tunnel_id);
	err->path[0] = '\0';
	return 0;
}
