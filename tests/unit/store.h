/* What the tests of the store have in common: edits in one line, and a snapshot codec. */
#ifndef TESTS_UNIT_STORE_H
#define TESTS_UNIT_STORE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "model/codec.h"
#include "journal/journal.h"
#include "store/publish.h"

#define UNUSED __attribute__((unused))

/* Leaves as "leaf=value leaf=value"; "!leaf" deletes, "~leaf" removes, "*leaf=v" creates. */
UNUSED static int give(struct edit_entry *entry, const char *leaves, struct error *err)
{
	char words[512], *rest = words, *word;
	int result = 0;

	snprintf(words, sizeof(words), "%s", leaves);
	while (result == 0 && (word = strsep(&rest, " ")) != NULL) {
		enum edit_operation operation = *word == '!'   ? EDIT_DELETE
						: *word == '~' ? EDIT_REMOVE
						: *word == '*' ? EDIT_CREATE
							       : EDIT_MERGE;
		const struct row *row;
		char *value;

		if (*word == '\0')
			continue;
		word += strspn(word, "!~*");
		value = word + strcspn(word, "=");
		row = row_by_leaf(entry->object, word, (size_t)(value - word));
		assert_non_null(row);
		value += *value == '=';
		result = edit_leaf(entry, row, operation, value, strlen(value), err);
	}
	return result;
}

/* An entry of an edit; session 0 for the tunnel. */
UNUSED static struct edit_entry *add(struct edit *edit, enum edit_operation operation,
				     uint32_t tunnel, uint32_t session, const char *leaves)
{
	struct edit_entry *entry = session == 0 ? edit_tunnel(edit, operation, tunnel)
						: edit_session(edit, operation, tunnel, session);

	assert_non_null(entry);
	assert_int_equal(give(entry, leaves, NULL), 0);
	return entry;
}

/* A complete tunnel or session, as no other has it. */
UNUSED static void add_tunnel(struct edit *edit, enum edit_operation operation, uint32_t id)
{
	char leaves[128];

	snprintf(leaves, sizeof(leaves),
		 "peer-tunnel-id=%" PRIu32
		 " local-address=10.1.%u.%u remote-address=10.2.0.1 local-port=%u",
		 id, id >> 8 & 255, id & 255, 1024 + id % 60000);
	add(edit, operation, id, 0, leaves);
}

UNUSED static void add_session(struct edit *edit, enum edit_operation operation, uint32_t tunnel,
			       uint32_t id)
{
	char leaves[64];

	snprintf(leaves, sizeof(leaves), "peer-session-id=%" PRIu32 " mtu=1400", id);
	add(edit, operation, tunnel, id, leaves);
}

/* Apply and free the edit. */
UNUSED static int apply(struct candidate *candidate, struct edit *edit, struct error *err)
{
	int result = candidate_apply(candidate, edit, err);

	edit_free(edit);
	return result;
}

/* The whole way of a good edit into running; frees it. */
UNUSED static void commit(struct datastore *running, struct edit *edit)
{
	struct error err = ERROR_INIT;
	struct candidate candidate;

	candidate_open(&candidate, running);
	if (apply(&candidate, edit, &err) != 0 ||
	    candidate_choose_names(&candidate, NULL, NULL, &err) != 0 ||
	    candidate_validate(&candidate, &err) != 0)
		fail_msg("%s: %s", err.path, err.text);
	assert_int_equal(candidate_publish(&candidate, running), 0);
	candidate_discard(&candidate);
}

/* @tunnels tunnels of @sessions sessions each; session ids count up from 1. */
UNUSED static struct datastore *populate(uint32_t tunnels, uint32_t sessions)
{
	struct datastore *running = datastore_new();
	struct edit *edit = edit_new();
	uint32_t id = 0;

	for (uint32_t t = 1; t <= tunnels; t++) {
		add_tunnel(edit, EDIT_CREATE, t);
		for (uint32_t s = 0; s < sessions; s++)
			add_session(edit, EDIT_CREATE, t, ++id);
	}
	commit(running, edit);
	return running;
}

/* A snapshot codec without XML: an entry a line, its leaves below, each "leaf value". */

static void snapshot_put(FILE *file, enum object object, const void *config)
{
	const struct row_set *set = &row_sets[object];
	char text[VALUE_TEXT_MAX];

	for (unsigned int i = 0; i < set->config_count; i++) {
		if (set->rows[i].access == ACCESS_KEY || !codec_present(&set->rows[i], config))
			continue;
		codec_print(&set->rows[i], config, text);
		fprintf(file, "%s %s\n", set->rows[i].leaf, text);
	}
}

static int snapshot_put_all(FILE *file, const struct datastore *running, void *arg)
{
	(void)arg;
	for (struct tunnel_entry *t = datastore_tunnel_from(running, 0); t; t = tunnel_next(t)) {
		if (!entry_config(&t->entry))
			continue;
		fprintf(file, "= %" PRIu32 " 0\n", t->entry.key.tunnel_id);
		snapshot_put(file, OBJECT_TUNNEL, tunnel_config(t));
		for (struct session_entry *s = tunnel_session_from(t, 0); s; s = session_next(s)) {
			if (!entry_config(&s->entry))
				continue;
			fprintf(file, "= %" PRIu32 " %" PRIu32 "\n", t->entry.key.tunnel_id,
				s->entry.key.session_id);
			snapshot_put(file, OBJECT_SESSION, session_config(s));
		}
	}
	fputs("end\n", file);
	return 0;
}

static int snapshot_take_line(struct edit *edit, struct edit_entry **entry, char *line)
{
	unsigned int tunnel, session;
	const struct row *row;
	char *value;

	if (sscanf(line, "= %u %u", &tunnel, &session) == 2) {
		*entry = session ? edit_session(edit, EDIT_REPLACE, tunnel, session)
				 : edit_tunnel(edit, EDIT_REPLACE, tunnel);
		return 0;
	}
	value = strchr(line, ' ');
	row = value && *entry ? row_by_leaf((*entry)->object, line, (size_t)(value - line)) : NULL;
	if (row == NULL)
		return -EINVAL;
	return edit_leaf(*entry, row, EDIT_MERGE, value + 1, strcspn(value + 1, "\n"), NULL);
}

static int snapshot_take_all(const char *path, struct edit **ret_edit, struct error *err, void *arg)
{
	FILE *file = fopen(path, "r");
	struct edit *edit = edit_new();
	struct edit_entry *entry = NULL;
	char line[512] = "";
	int result = 0;

	(void)arg;
	edit->operation = EDIT_REPLACE;
	if (file == NULL) {
		edit_free(edit);
		return error_set_errno(err, ERROR_STORAGE, errno, "cannot open %s", path);
	}
	while (result == 0 && fgets(line, sizeof(line), file) && strcmp(line, "end\n") != 0)
		result = snapshot_take_line(edit, &entry, line);
	fclose(file);
	if (result == 0 && strcmp(line, "end\n") == 0) {
		*ret_edit = edit;
		return 0;
	}
	edit_free(edit);
	return error_set(err, ERROR_MALFORMED, "%s: cannot read \"%.20s\"", path, line);
}

UNUSED static const struct snapshot_codec test_codec = {snapshot_put_all, snapshot_take_all, NULL};

/* Are two configurations the same, entry by entry? */
UNUSED static bool same_config(const struct datastore *a, const struct datastore *b)
{
	char *text[2] = {NULL, NULL};
	size_t length[2];
	const struct datastore *stores[2] = {a, b};
	bool same;

	for (int i = 0; i < 2; i++) {
		FILE *file = open_memstream(&text[i], &length[i]);

		snapshot_put_all(file, stores[i], NULL);
		fclose(file);
	}
	same = strcmp(text[0], text[1]) == 0;
	free(text[0]);
	free(text[1]);
	return same;
}

#endif
