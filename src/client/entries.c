#include "client/entries.h"

#include "model/codec.h"
#include "netconf/encode.h"
#include "netconf/lines.h"

#define TREE_MAX (1U << 20)
#define NAMES    64 /* a power of two */

/* An entry being read. */
struct slot {
	enum object object;
	bool told;
	uint32_t id;
	const char *text[ROWS_MAX]; /* points into values or line; or NULL */
	union {
		char values[ROWS_MAX][VALUE_TEXT_MAX];
		char line[ROWS_MAX * VALUE_TEXT_MAX];
	};
};

struct entries {
	client_entry_cb *cb;
	void *arg;
	struct tree tree;
	struct tree_builder builder;
	bool in_container;
	bool in_lines;
	bool in_statistics;
	struct slot tunnel, session;
	struct slot *open; /* the innermost open one, or NULL */
	const struct row *row;
	unsigned int skip;                      /* depth inside an unknown element */
	const struct row *rows[OBJECTS][NAMES]; /* a cache, by the address of the name */
};

struct entries *entries_open(client_entry_cb *cb, void *arg)
{
	struct entries *entries = calloc(1, sizeof(*entries));

	if (!entries)
		return NULL;
	entries->cb = cb;
	entries->arg = arg;
	entries->builder = (struct tree_builder){&entries->tree, NULL, TREE_MAX};
	entries->tunnel.object = OBJECT_TUNNEL;
	entries->session.object = OBJECT_SESSION;
	return entries;
}

void entries_close(struct entries *entries)
{
	if (!entries)
		return;
	tree_free(&entries->tree);
	free(entries);
}

const struct node *entries_reply(const struct entries *entries)
{
	return entries->tree.root;
}

static int tell(struct entries *entries, struct slot *slot)
{
	struct client_entry entry = {
		.object = slot->object,
		.tunnel_id = entries->tunnel.id,
		.session_id = slot->object == OBJECT_SESSION ? slot->id : 0,
		.text = slot->text,
	};

	if (slot->told)
		return 0;
	slot->told = true;
	return entries->cb(&entry, entries->arg);
}

static void open_slot(struct entries *entries, struct slot *slot)
{
	memset(slot->text, 0, sizeof(slot->text));
	slot->told = false;
	slot->id = 0;
	entries->open = slot;
}

/* row_by_leaf() with a cache: the reader gives the same name at the same address each time. */
static const struct row *find_row(struct entries *entries, const char *name)
{
	enum object object = entries->open->object;
	const struct row **row = &entries->rows[object][((uintptr_t)name >> 3) % NAMES];

	if (!*row || strcmp((*row)->leaf, name) != 0)
		*row = row_by_leaf(object, name, strlen(name));
	return *row;
}

static void take_key(struct slot *slot)
{
	const char *text = slot->text[row_number(row_sets[slot->object].key)];

	if (text && !slot->id)
		slot->id = (uint32_t)strtoul(text, NULL, 10);
}

static void start_leaf(struct entries *entries, const char *name)
{
	const struct row *row = find_row(entries, name);

	if (!row || (row->part == PART_STATISTICS) != entries->in_statistics)
		entries->skip = 1;
	else
		entries->row = row;
}

static bool enters(const struct entries *entries, const struct slot *slot)
{
	const struct slot *parent = slot == &entries->session ? &entries->tunnel : NULL;

	return entries->open == parent && !entries->in_statistics;
}

/* An element inside the container. */
static int start_inside(struct entries *entries, const char *name)
{
	int rc = 0;

	if (entries->skip || entries->row) {
		entries->skip++;
	} else if (enters(entries, &entries->tunnel) &&
		   !strcmp(name, row_sets[OBJECT_TUNNEL].name)) {
		open_slot(entries, &entries->tunnel);
	} else if (enters(entries, &entries->session) &&
		   !strcmp(name, row_sets[OBJECT_SESSION].name)) {
		rc = tell(entries, &entries->tunnel);
		open_slot(entries, &entries->session);
	} else if (entries->open && !strcmp(name, ELEMENT_STATISTICS)) {
		entries->in_statistics = true;
	} else if (entries->open) {
		start_leaf(entries, name);
	} else {
		entries->skip = 1;
	}
	return rc;
}

static int start(const struct reader_element *element, void *arg, struct error *err)
{
	struct entries *entries = arg;

	if (entries->in_container)
		return start_inside(entries, element->name);
	if (!strcmp(element->name, ELEMENT_CONTAINER)) {
		entries->in_lines = !strcmp(element->uri, NAMESPACE_LINES);
		entries->in_container =
			entries->in_lines || !strcmp(element->uri, NAMESPACE_MODULE);
	}
	if (entries->in_container)
		return 0;
	return tree_builder_handler.start(element, &entries->builder, err);
}

static int take_line(struct slot *slot, const char *bytes, size_t length, struct error *err)
{
	bool taken = length < sizeof(slot->line);

	if (taken) {
		memcpy(slot->line, bytes, length);
		slot->line[length] = '\0';
		taken = lines_split(slot->object, slot->line, slot->text);
	}
	if (!taken)
		return error_set(err, ERROR_MALFORMED, "from the daemon: a malformed line");
	take_key(slot);
	return 0;
}

static int text(const char *bytes, size_t length, void *arg, struct error *err)
{
	struct entries *entries = arg;
	unsigned int number;

	if (!entries->in_container)
		return tree_builder_handler.text(bytes, length, &entries->builder, err);
	if (entries->in_lines && entries->open && !entries->skip)
		return take_line(entries->open, bytes, length, err);
	if (!entries->row || entries->skip || length >= VALUE_TEXT_MAX)
		return 0;
	number = row_number(entries->row);
	memcpy(entries->open->values[number], bytes, length);
	entries->open->values[number][length] = '\0';
	entries->open->text[number] = entries->open->values[number];
	return 0;
}

static void end_leaf(struct entries *entries)
{
	unsigned int number = row_number(entries->row);
	struct slot *slot = entries->open;

	if (!slot->text[number])
		slot->text[number] = "";
	take_key(slot);
	entries->row = NULL;
}

static int end_slot(struct entries *entries)
{
	int rc = tell(entries, entries->open);

	entries->open = entries->open == &entries->session ? &entries->tunnel : NULL;
	return rc;
}

static int end(void *arg, struct error *err)
{
	struct entries *entries = arg;

	if (!entries->in_container)
		return tree_builder_handler.end(&entries->builder, err);
	if (entries->skip)
		entries->skip--;
	else if (entries->row)
		end_leaf(entries);
	else if (entries->in_statistics)
		entries->in_statistics = false;
	else if (entries->open)
		return end_slot(entries);
	else
		entries->in_container = false;
	return 0;
}

const struct reader_handler entries_handler = {start, text, end};
