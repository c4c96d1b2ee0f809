#include "store/edit.h"

#include "store/acm.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/cursor.h"
#include "model/codec.h"

struct edit *edit_new(void)
{
	struct edit *edit = calloc(1, sizeof(*edit));

	if (!edit)
		return NULL;
	edit->operation = EDIT_MERGE;
	edit->last = &edit->first;
	return edit;
}

void edit_free(struct edit *edit)
{
	if (!edit)
		return;
	for (struct edit_entry *at = edit->first; at && edit->holding > 0; at = at->next)
		edit_drop_values(edit, at);
	arena_free(&edit->entries);
	acm_drop(edit->acm);
	error_list_free(&edit->refused);
	free(edit);
}

struct freeing {
	struct cursor cursor;
	struct edit *edit;
};

static int freeing_forth(struct cursor *cursor)
{
	struct edit *edit = ((struct freeing *)cursor)->edit;
	struct edit_entry *entry = edit->first;

	if (edit->holding == 0)
		return arena_free_block(&edit->entries);
	edit_drop_values(edit, entry);
	edit->first = entry->next;
	return 1;
}

static void freeing_close(struct cursor *cursor)
{
	edit_free(((struct freeing *)cursor)->edit);
}

struct cursor *edit_free_begin(struct edit *edit)
{
	static const struct cursor_kind kind = {.forth = freeing_forth, .close = freeing_close};
	struct freeing *freeing = cursor_new(&kind, sizeof(*freeing));

	if (!freeing) {
		edit_free(edit);
		return NULL;
	}
	freeing->cursor.decided = true;
	freeing->edit = edit;
	return &freeing->cursor;
}

size_t edit_memory(const struct edit *edit)
{
	return edit->entries.size + edit->holding * CONFIG_MEMORY;
}

void edit_drop_values(struct edit *edit, struct edit_entry *entry)
{
	if (!entry->values)
		return;
	config_drop(entry->values);
	entry->values = NULL;
	edit->holding--;
}

const union config *edit_share_values(struct edit *edit, struct edit_entry *entry)
{
	const union config *values = entry->values;

	if (!edit->once)
		return config_share(values);
	entry->values = NULL;
	edit->holding--;
	return values;
}

static struct edit_entry *edit_append(struct edit *edit, enum edit_operation operation,
				      uint32_t tunnel_id, uint32_t session_id)
{
	struct edit_entry *entry = arena_alloc(&edit->entries, sizeof(*entry));

	if (!entry)
		return NULL;
	entry->values = config_blank();
	if (!entry->values)
		return NULL;
	edit->holding++;
	entry->operation = operation;
	entry->tunnel_id = tunnel_id;
	entry->session_id = session_id;
	*edit->last = entry;
	edit->last = &entry->next;
	edit->count++;
	return entry;
}

struct edit_entry *edit_tunnel(struct edit *edit, enum edit_operation operation, uint32_t tunnel_id)
{
	struct edit_entry *entry = edit_append(edit, operation, tunnel_id, 0);

	if (!entry)
		return NULL;
	entry->object = OBJECT_TUNNEL;
	entry->values->tunnel.tunnel_id = tunnel_id;
	entry->values->present = BIT(TUNNEL_ID);
	return entry;
}

struct edit_entry *edit_session(struct edit *edit, enum edit_operation operation,
				uint32_t tunnel_id, uint32_t session_id)
{
	struct edit_entry *entry = edit_append(edit, operation, tunnel_id, session_id);

	if (!entry)
		return NULL;
	entry->object = OBJECT_SESSION;
	entry->values->session.session_id = session_id;
	entry->values->present = BIT(SESSION_ID);
	return entry;
}

void *edit_values(struct edit_entry *entry)
{
	return entry->values;
}

/* Keys may be repeated, not changed (RFC 7950 section 7.8.5). */
static int check_key(const struct edit_entry *entry, const struct row *row, const char *text,
		     size_t length, struct error *err)
{
	union config given = {0};
	int rc = codec_parse(row, &given, text, length, err);

	if (rc != 0 || codec_equal(row, &given, entry->values))
		return rc;
	return error_set(err, ERROR_BAD_ELEMENT,
			 "%s is the entry's key and cannot be changed: delete the entry and "
			 "create another",
			 row->leaf);
}

static int check_text(const struct row *row, const char *text, size_t length, struct error *err)
{
	union config unused = {0};

	return codec_parse(row, &unused, text, length, err);
}

static int set_leaf(struct edit_entry *entry, const struct row *row, enum edit_operation operation,
		    const char *text, size_t length, struct error *err)
{
	uint32_t bit = (uint32_t)BIT(row_number(row));

	switch (operation) {
	case EDIT_DELETE:
		entry->must_exist |= bit;
		entry->cleared |= bit;
		return 0;
	case EDIT_REMOVE:
		entry->cleared |= bit;
		return 0;
	case EDIT_NONE:
		entry->must_exist |= bit;
		return check_text(row, text, length, err);
	case EDIT_CREATE:
		entry->must_not_exist |= bit;
		break;
	default:
		break;
	}
	return codec_parse(row, entry->values, text, length, err);
}

static int edit_leaf_unplaced(struct edit_entry *entry, const struct row *row,
			      enum edit_operation operation, const char *text, size_t length,
			      struct error *err)
{
	uint64_t given = entry->values->present | entry->cleared | entry->must_exist;

	if (row->access == ACCESS_KEY)
		return check_key(entry, row, text, length, err);
	if (row->access == ACCESS_READ)
		return error_set(err, ERROR_READ_ONLY, "%s is state, which cannot be set",
				 row->leaf);
	if (given & BIT(row_number(row)))
		return error_set(err, ERROR_BAD_ELEMENT, "%s is given twice; allowed once",
				 row->leaf);
	return set_leaf(entry, row, operation, text, length, err);
}

int edit_leaf(struct edit_entry *entry, const struct row *row, enum edit_operation operation,
	      const char *text, size_t length, struct error *err)
{
	int rc = edit_leaf_unplaced(entry, row, operation, text, length, err);

	if (rc == 0 || !err)
		return rc;
	error_at_entry(err, entry->tunnel_id, entry->session_id, row);
	snprintf(err->info, sizeof(err->info), "%s", row->leaf);
	return rc;
}
