#include "netconf/nmda.h"

#include <errno.h>

#include "model/names.h"

const struct nmda_datastore nmda_datastores[] = {
	{"running", ENGINE_RUNNING, true},   {"candidate", ENGINE_CANDIDATE, true},
	{"intended", ENGINE_RUNNING, false}, {"operational", ENGINE_DATASTORES, false},
	{NULL, ENGINE_DATASTORES, false},
};

/* Identities of ietf-origin; the first is the base of the others. */
static const struct {
	const char *name;
	unsigned int origins;
} origins[] = {
	{"origin", ~0U},
	{"intended", BIT(VIEW_INTENDED)},
	{"system", BIT(VIEW_SYSTEM)},
	{"default", BIT(VIEW_DEFAULT)},
	{"unknown", BIT(VIEW_UNKNOWN)},
	{"learned", 0},
	{"dynamic", 0},
};

const struct nmda_datastore *nmda_find_datastore(const struct node *node)
{
	const struct nmda_datastore *at = nmda_datastores;

	while (at->name && !node_names_identity(node, NAMESPACE_DATASTORES, at->name))
		at++;
	return at->name ? at : NULL;
}

int nmda_read_origin(const struct node *node, unsigned int *ret, struct error *err)
{
	int rc;

	for (size_t i = 0; i < sizeof(origins) / sizeof(origins[0]); i++) {
		if (!node_names_identity(node, NAMESPACE_ORIGIN, origins[i].name))
			continue;
		*ret = origins[i].origins;
		return 0;
	}
	rc = error_set(err, ERROR_INVALID_VALUE, "%s: allowed: the identities of ietf-origin",
		       node->name);
	snprintf(err->info, sizeof(err->info), "%s", node->name);
	return rc;
}

/* Of a leaf that is configured, or has its default: is that what the kernel has? */
static bool is_in_use(const struct row *row, const void *want, const void *actual)
{
	/* A bridge or VRF may have other names: any will do. */
	if (row->change == CHANGE_LINK && row->type == TYPE_IFNAME)
		return codec_present(row, actual);
	return codec_same_in_kernel(row, want, actual);
}

/* A cookie without bytes is none. */
static bool is_something(const struct row *row, const void *actual)
{
	const void *bytes;

	return codec_present(row, actual) &&
	       (row->type != TYPE_COOKIE || codec_get_bytes(row, actual, &bytes) > 0);
}

static enum view_origin show_leaf(const struct row *row, uint64_t set, union config *config,
				  const void *actual)
{
	if (config->present & BIT(row_number(row))) {
		if (is_in_use(row, config, actual))
			return set & BIT(row_number(row)) ? VIEW_INTENDED : VIEW_DEFAULT;
		codec_copy(row, config, actual);
		return VIEW_UNKNOWN;
	}
	if (codec_applies(row, config) && is_something(row, actual))
		codec_copy(row, config, actual);
	return VIEW_SYSTEM;
}

/* What is of effect without the kernel. */
static bool is_kept_here(const struct row *row)
{
	return row->access == ACCESS_KEY || row->change == CHANGE_LOCAL ||
	       row->change == CHANGE_EXIST;
}

void nmda_show_in_use(const struct entry *entry, struct view *view, struct view_origins *ret,
		      union config *config)
{
	const struct row_set *set = &row_sets[view->object];
	const void *configured = entry_config(entry), *actual;
	union config room;
	uint64_t given;

	*ret = (struct view_origins){.entry = configured ? VIEW_INTENDED : VIEW_SYSTEM};
	view->origins = ret;
	if (!configured) {
		ret->rows[VIEW_SYSTEM] = ROWS_ALL;
		return;
	}
	config_copy(view->object, config, configured);
	given = config->present;
	codec_complete(view->object, config);
	view->config = config;
	actual = entry->in_kernel ? entry_actual(entry, &room) : NULL;
	for (unsigned int i = 0; i < set->config_count; i++) {
		const struct row *row = &set->rows[i];
		enum view_origin origin = given & BIT(i) ? VIEW_INTENDED : VIEW_DEFAULT;

		if (actual)
			origin = show_leaf(row, given, config, actual);
		else if (!is_kept_here(row))
			codec_clear(row, config);
		ret->rows[origin] |= BIT(i);
	}
}
