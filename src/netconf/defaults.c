#include "netconf/defaults.h"

#include "netconf/blank.h"

static const char *const modes[] = {
	[DEFAULTS_EXPLICIT] = "explicit",
	[DEFAULTS_REPORT_ALL] = "report-all",
	[DEFAULTS_REPORT_ALL_TAGGED] = "report-all-tagged",
	[DEFAULTS_TRIM] = "trim",
};

int defaults_read(const struct node *operation, const char *uri, enum defaults *ret,
		  struct error *err)
{
	const struct node *node = node_child(operation, "with-defaults", uri);
	size_t length = node ? node->length : 0;
	const char *text = node ? blank_trim(node->text, &length) : "";
	int rc;

	*ret = DEFAULTS_EXPLICIT;
	if (!node)
		return 0;
	for (*ret = 0; *ret < sizeof(modes) / sizeof(modes[0]); ++*ret)
		if (strlen(modes[*ret]) == length && !memcmp(modes[*ret], text, length))
			return 0;
	rc = error_set(err, ERROR_INVALID_VALUE,
		       "with-defaults: allowed: explicit, report-all, report-all-tagged, trim");
	snprintf(err->info, sizeof(err->info), "with-defaults");
	return error_in_operation(err, rc);
}

static void trim(enum object object, union config *config)
{
	const struct row_set *set = &row_sets[object];
	const void *defaults = codec_defaults(object);

	for (unsigned int i = 0; i < set->config_count; i++)
		if (set->rows[i].fallback && codec_equal(&set->rows[i], config, defaults))
			codec_clear(&set->rows[i], config);
}

void defaults_apply(enum defaults mode, struct view *view, union config *room)
{
	uint64_t set;

	if (mode == DEFAULTS_EXPLICIT || !view->config)
		return;
	config_copy(view->object, room, view->config);
	view->config = room;
	if (mode == DEFAULTS_TRIM) {
		trim(view->object, room);
		return;
	}
	set = room->present;
	codec_complete(view->object, room);
	if (mode == DEFAULTS_REPORT_ALL_TAGGED)
		view->tagged = room->present & ~set;
}
