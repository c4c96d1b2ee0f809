#include "netconf/decode.h"

#include "base/wipe.h"
#include "model/codec.h"
#include "netconf/acm_decode.h"
#include "netconf/encode.h"
#include "netconf/blank.h"

enum level { LEVEL_CONFIG, LEVEL_CONTAINER, LEVEL_TUNNEL, LEVEL_SESSION, LEVELS };

#define FOUND 16

struct decoder {
	struct edit *edit;
	size_t limit;
	bool no_operations;
	bool container;   /* it was given */
	enum level level; /* of the innermost open element that is not a leaf */
	enum edit_operation operation[LEVELS]; /* in force at that level */
	struct edit_entry
		*entry[LEVELS]; /* the open tunnel and session; id 0 until the key arrives */
	struct edit_entry
		discarded[LEVELS]; /* stands for a deleted entry: its contents are only checked */
	union config discarded_values[LEVELS];
	const struct row *row; /* the open leaf */
	enum edit_operation leaf_operation;
	bool leaf_explicit, leaf_tagged;
	const char *text; /* of the open leaf */
	size_t length;
	struct acm_decoder acm; /* of <nacm>, beside the container */
	bool acm_refused;
	bool spoilt;        /* it is refused for its contents */
	unsigned int skip;  /* open elements that we ignore */
	struct error error; /* why the element just read is refused */
	const struct row *failed_row;
	bool over; /* only keys are still read */
	/* What was looked up last: a name or URI that comes again has the same address. */
	const char *module; /* NAMESPACE_MODULE */
	struct found {
		const char *name; /* NULL: none */
		const struct row *row;
	} found[OBJECTS][FOUND];
	bool outside; /* something is refused that is of no entry, or of one without its key */
	/* Where the errors in edit->refused are, of which those before `located` have a path. */
	struct place {
		enum level level;
		uint32_t session_id; /* known from its end tag on */
		const struct row *row;
	} places[ERRORS_MAX];
	unsigned int count, located;
	unsigned int more; /* beyond those, only counted */
};

static const char *const operation_names[] = {
	[EDIT_NONE] = "none",       [EDIT_MERGE] = "merge",   [EDIT_CREATE] = "create",
	[EDIT_REPLACE] = "replace", [EDIT_DELETE] = "delete", [EDIT_REMOVE] = "remove",
};

bool decode_operation(const char *text, size_t length, enum edit_operation *ret)
{
	for (unsigned int i = 0; i < sizeof(operation_names) / sizeof(operation_names[0]); i++)
		if (strlen(operation_names[i]) == length &&
		    !memcmp(operation_names[i], text, length)) {
			*ret = (enum edit_operation)i;
			return true;
		}
	return false;
}

struct decoder *decoder_open(enum edit_operation default_operation, size_t limit)
{
	struct decoder *decoder = calloc(1, sizeof(*decoder));

	if (!decoder)
		return NULL;
	decoder->limit = limit;
	decoder->operation[LEVEL_CONFIG] = default_operation;
	decoder->edit = edit_new();
	if (!decoder->edit) {
		free(decoder);
		return NULL;
	}
	decoder->edit->operation = default_operation == EDIT_REPLACE ? EDIT_REPLACE : EDIT_MERGE;
	return decoder;
}

void decoder_refuse_operations(struct decoder *decoder)
{
	decoder->no_operations = true;
}

void decoder_close(struct decoder *decoder)
{
	if (!decoder)
		return;
	edit_free(decoder->edit);
	acm_drop(decoder->acm.acm);
	wipe_free(decoder, sizeof(*decoder));
}

void decoder_collect(struct decoder *decoder)
{
	decoder->edit->refused.collects = true;
}

bool decoder_failed(const struct decoder *decoder)
{
	return decoder->edit->refused.code != ERROR_NONE;
}

/* Is the element just read refused? */
static bool failing(const struct decoder *decoder)
{
	return decoder->error.code != ERROR_NONE;
}

size_t decoder_memory(const struct decoder *decoder)
{
	return edit_memory(decoder->edit) + (decoder->acm.acm ? decoder->acm.acm->arena.size : 0);
}

static void fail(struct decoder *decoder, enum error_code code, const char *info, const char *text)
{
	error_set(&decoder->error, code, "%s", text);
	snprintf(decoder->error.info, sizeof(decoder->error.info), "%s", info);
	decoder->failed_row = NULL;
}

static void refuse_attribute(struct decoder *decoder, const struct reader_element *element,
			     const struct reader_attribute *attribute)
{
	if (!strcmp(attribute->name, "operation") && !*attribute->uri)
		fail(decoder, ERROR_UNKNOWN_ATTRIBUTE, attribute->name,
		     "operation must be in the namespace " NAMESPACE_BASE
		     ", as in nc:operation with xmlns:nc declared");
	else
		fail(decoder, ERROR_UNKNOWN_ATTRIBUTE, attribute->name,
		     "the only attribute allowed here is operation, in the "
		     "namespace " NAMESPACE_BASE);
	snprintf(decoder->error.info2, sizeof(decoder->error.info2), "%s", element->name);
}

static void refuse_operation(struct decoder *decoder, const struct reader_element *element,
			     const char *text)
{
	fail(decoder, ERROR_BAD_ATTRIBUTE, "operation", text);
	snprintf(decoder->error.info2, sizeof(decoder->error.info2), "%s", element->name);
}

static void check_operation(struct decoder *decoder, const struct reader_element *element,
			    enum edit_operation inherited, enum edit_operation operation)
{
	if (operation == EDIT_NONE)
		refuse_operation(
			decoder, element,
			"none is allowed as the default-operation only (RFC 6241 section 7.2)");
	else if (edit_removes(inherited) && operation != inherited)
		refuse_operation(decoder, element,
				 "no other operation is allowed inside an element that is deleted");
}

/*
 * Take the tag of a leaf that has its default, if that is what the attribute is; clients made with
 * libyang have it in the module's namespace. May fail().
 */
static bool take_tag(struct decoder *decoder, const struct reader_element *element,
		     const struct reader_attribute *attribute)
{
	size_t length = attribute->length;
	const char *text = blank_trim(attribute->value, &length);

	if (strcmp(attribute->name, "default") != 0 ||
	    (strcmp(attribute->uri, NAMESPACE_DEFAULT) != 0 &&
	     strcmp(attribute->uri, NAMESPACE_WITH_DEFAULTS) != 0))
		return false;
	decoder->leaf_tagged =
		(length == 1 && *text == '1') || (length == 4 && !memcmp(text, "true", length));
	if (!decoder->leaf_tagged && !(length == 1 && *text == '0') &&
	    !(length == 5 && !memcmp(text, "false", length))) {
		fail(decoder, ERROR_BAD_ATTRIBUTE, attribute->name, "allowed: true, false");
		snprintf(decoder->error.info2, sizeof(decoder->error.info2), "%s", element->name);
	}
	return true;
}

/* The operation in force in an element: its own, or else the inherited one. May fail(). */
static enum edit_operation operation_of(struct decoder *decoder,
					const struct reader_element *element, bool may_tag,
					bool *ret_explicit)
{
	enum edit_operation inherited = decoder->acm.depth
						? decoder->acm.operation[decoder->acm.depth]
						: decoder->operation[decoder->level];
	enum edit_operation ret = inherited;

	*ret_explicit = false;
	for (unsigned int i = 0; i < element->attribute_count; i++) {
		const struct reader_attribute *at = &element->attributes[i];
		size_t length = at->length;
		const char *word;

		if (may_tag && take_tag(decoder, element, at))
			continue;
		if (decoder->no_operations) {
			fail(decoder, ERROR_UNKNOWN_ATTRIBUTE, at->name,
			     "attributes are for edit-config; this is a whole configuration");
			snprintf(decoder->error.info2, sizeof(decoder->error.info2), "%s",
				 element->name);
			return ret;
		}
		if (decoder->acm.depth && acm_decode_places(at))
			continue;
		if (strcmp(at->uri, NAMESPACE_BASE) != 0 || strcmp(at->name, "operation") != 0) {
			refuse_attribute(decoder, element, at);
			return ret;
		}
		word = blank_trim(at->value, &length);
		if (!decode_operation(word, length, &ret)) {
			refuse_operation(decoder, element,
					 "allowed: merge, replace, create, delete, remove");
			return ret;
		}
		check_operation(decoder, element, inherited, ret);
		*ret_explicit = true;
	}
	return ret;
}

static void start_container(struct decoder *decoder, const struct reader_element *element)
{
	bool is_explicit;
	enum edit_operation operation = operation_of(decoder, element, false, &is_explicit);

	if (failing(decoder))
		return;
	if (strcmp(element->name, ELEMENT_CONTAINER) != 0) {
		fail(decoder, ERROR_UNKNOWN_ELEMENT, element->name,
		     "the module's only top element is " ELEMENT_CONTAINER);
		return;
	}
	if (decoder->container) {
		fail(decoder, ERROR_BAD_ELEMENT, element->name, "given twice in one request");
		return;
	}
	decoder->container = true;
	decoder->level = LEVEL_CONTAINER;
	decoder->operation[LEVEL_CONTAINER] = operation;
	decoder->edit->operation = EDIT_MERGE;
	if (operation == EDIT_CREATE || operation == EDIT_REPLACE || edit_removes(operation))
		decoder->edit->operation = operation;
}

static void start_entry(struct decoder *decoder, const struct reader_element *element,
			enum object object)
{
	bool is_explicit;
	enum level level = object == OBJECT_TUNNEL ? LEVEL_TUNNEL : LEVEL_SESSION;
	enum edit_operation operation = operation_of(decoder, element, false, &is_explicit);
	struct edit_entry *entry;

	if (failing(decoder))
		return;
	if (edit_removes(operation)) {
		decoder->discarded_values[level] = (union config){0};
		decoder->discarded[level] = (struct edit_entry){
			.object = object, .values = &decoder->discarded_values[level]};
	}
	if (edit_removes(decoder->operation[decoder->level])) {
		entry = &decoder->discarded[level];
	} else if (decoder->limit && decoder->edit->count >= decoder->limit) {
		fail(decoder, ERROR_TOO_BIG, "",
		     "too many entries in one request; send it in parts");
		return;
	} else if (object == OBJECT_TUNNEL) {
		entry = edit_tunnel(decoder->edit, operation, 0);
	} else {
		entry = edit_session(decoder->edit, operation,
				     decoder->entry[LEVEL_TUNNEL]->tunnel_id, 0);
	}
	if (!entry) {
		fail(decoder, ERROR_RESOURCE, "", "out of memory");
		return;
	}
	decoder->level = level;
	decoder->operation[level] = operation;
	decoder->entry[level] = entry;
}

static enum object level_object(enum level level)
{
	return level == LEVEL_SESSION ? OBJECT_SESSION : OBJECT_TUNNEL;
}

static uint32_t entry_id(const struct edit_entry *entry)
{
	return entry->object == OBJECT_TUNNEL ? entry->tunnel_id : entry->session_id;
}

static bool is_of_module(struct decoder *decoder, const char *uri)
{
	if (uri != decoder->module && strcmp(uri, NAMESPACE_MODULE) != 0)
		return false;
	decoder->module = uri;
	return true;
}

static const struct row *find_leaf(struct decoder *decoder, const char *name)
{
	enum object object = level_object(decoder->level);
	struct found *found = &decoder->found[object][(uintptr_t)name / 4 % FOUND];

	if (found->name != name)
		*found = (struct found){name, row_by_leaf(object, name, strlen(name))};
	return found->row;
}

static const struct row *known_leaf(struct decoder *decoder, const char *name)
{
	const struct row *row = find_leaf(decoder, name);

	if (!row && !strcmp(name, ELEMENT_STATISTICS))
		fail(decoder, ERROR_READ_ONLY, name, "statistics are state, not configuration");
	else if (!row || row->part == PART_STATISTICS)
		fail(decoder, ERROR_UNKNOWN_ELEMENT, name, "there is no such element here");
	else if (row->access == ACCESS_READ)
		fail(decoder, ERROR_READ_ONLY, name, "this is state, not configuration");
	if (failing(decoder))
		decoder->failed_row = row;
	return row;
}

static void open_leaf(struct decoder *decoder, const struct row *row)
{
	decoder->row = row;
	decoder->text = "";
	decoder->length = 0;
	decoder->spoilt = false;
}

static void start_leaf(struct decoder *decoder, const struct reader_element *element)
{
	const struct row *row = known_leaf(decoder, element->name);

	if (failing(decoder))
		return;
	decoder->leaf_tagged = false;
	decoder->leaf_operation = operation_of(decoder, element, true, &decoder->leaf_explicit);
	if (failing(decoder)) {
		decoder->failed_row = row;
		return;
	}
	open_leaf(decoder, row);
}

/* Nothing of <nacm> is carried out if something in it is refused, and nothing more is read. */
static void refuse_acm(struct decoder *decoder)
{
	acm_decode_place(&decoder->acm, &decoder->error);
	decoder->failed_row = NULL;
	decoder->acm_refused = true;
	decoder->over = true;
}

/* Of <nacm>, or inside. */
static void start_acm(struct decoder *decoder, const struct reader_element *element)
{
	bool may_tag = acm_decode_may_tag(&decoder->acm, element->name), is_explicit;
	enum edit_operation operation;

	decoder->leaf_tagged = false;
	operation = operation_of(decoder, element, may_tag, &is_explicit);
	decoder->acm.tagged = decoder->leaf_tagged;
	if (!failing(decoder) && strcmp(element->uri, NAMESPACE_ACM) != 0) {
		fail(decoder, ERROR_UNKNOWN_NAMESPACE, element->name,
		     "the namespace here is " NAMESPACE_ACM);
		snprintf(decoder->error.info2, sizeof(decoder->error.info2), "%s", element->uri);
	}
	if (!failing(decoder))
		acm_decode_start(&decoder->acm, element, operation, &decoder->error);
	if (failing(decoder))
		refuse_acm(decoder);
}

static void start_inside(struct decoder *decoder, const struct reader_element *element)
{
	if (decoder->row) {
		fail(decoder, ERROR_BAD_ELEMENT, element->name, "a leaf cannot contain elements");
		decoder->failed_row = decoder->row;
		decoder->spoilt = true;
	} else if (decoder->acm.depth ||
		   (decoder->level == LEVEL_CONFIG && !strcmp(element->uri, NAMESPACE_ACM))) {
		start_acm(decoder, element);
	} else if (!is_of_module(decoder, element->uri)) {
		fail(decoder, ERROR_UNKNOWN_NAMESPACE, element->name,
		     "the namespace here is " NAMESPACE_MODULE);
		snprintf(decoder->error.info2, sizeof(decoder->error.info2), "%s", element->uri);
	} else if (decoder->level == LEVEL_CONFIG) {
		start_container(decoder, element);
	} else if (decoder->level < LEVEL_SESSION &&
		   !strcmp(element->name, row_sets[decoder->level - LEVEL_CONTAINER].name)) {
		start_entry(decoder, element,
			    decoder->level == LEVEL_CONTAINER ? OBJECT_TUNNEL : OBJECT_SESSION);
	} else if (decoder->level == LEVEL_CONTAINER) {
		fail(decoder, ERROR_UNKNOWN_ELEMENT, element->name,
		     "there is no such element here");
	} else {
		start_leaf(decoder, element);
	}
}

/* The place of an error emerges piece by piece: an entry's key may be its last element. */

/* Append @name to the path, and the leaf that failed, if one did. */
static void locate_list(struct error *err, const char *name, const struct row *row)
{
	size_t length = strlen(err->path);

	snprintf(err->path + length, sizeof(err->path) - length, "/%s%s%s", name, row ? "/" : "",
		 row ? row->leaf : "");
}

/* Fill in the path, without the predicate of a key that is missing or invalid. */
static void locate(const struct decoder *decoder, struct error *err, const struct place *place,
		   uint32_t tunnel_id)
{
	bool in_session = place->level == LEVEL_SESSION;

	if (!strncmp(err->path, "/nacm", 5))
		return;
	if (place->level < LEVEL_TUNNEL || !tunnel_id)
		error_at(err, "%s", decoder->container ? "/" ELEMENT_CONTAINER : "");
	if (place->level < LEVEL_TUNNEL)
		return;
	if (!tunnel_id) {
		locate_list(err, row_sets[OBJECT_TUNNEL].name, in_session ? NULL : place->row);
	} else if (in_session && !place->session_id) {
		error_at_entry(err, tunnel_id, 0, NULL);
		locate_list(err, row_sets[OBJECT_SESSION].name, place->row);
	} else {
		error_at_entry(err, tunnel_id, place->session_id, place->row);
	}
}

/* The tunnel has ended, or there is none: now all errors so far can be located. */
static void locate_all(struct decoder *decoder, uint32_t tunnel_id)
{
	struct error *at = &decoder->edit->refused;

	if (decoder->located == decoder->count)
		return;
	for (unsigned int i = 0; i < decoder->count; i++, at = at->next)
		if (i >= decoder->located)
			locate(decoder, at, &decoder->places[i], tunnel_id);
	decoder->located = decoder->count;
}

static void session_ends(struct decoder *decoder, uint32_t session_id)
{
	for (unsigned int i = decoder->located; i < decoder->count; i++)
		if (decoder->places[i].level == LEVEL_SESSION && !decoder->places[i].session_id)
			decoder->places[i].session_id = session_id;
}

/*
 * List why the element just read is refused. Its entry is then left as it is, with
 * continue-on-error.
 */
static void note(struct decoder *decoder)
{
	enum level level = decoder->level;

	if (level >= LEVEL_TUNNEL)
		decoder->entry[level]->refused = true;
	else
		decoder->outside = true;
	if (decoder->count == ERRORS_MAX && !error_ends_list(&decoder->error))
		decoder->more++; /* for there may be millions */
	else if (error_append(&decoder->edit->refused, &decoder->error) < 0)
		decoder->over = true;
	if (decoder->count < ERRORS_MAX)
		decoder->places[decoder->count++] =
			(struct place){.level = level, .row = decoder->failed_row};
	if (level < LEVEL_TUNNEL)
		locate_all(decoder, 0);
	decoder->error = (struct error)ERROR_INIT;
}

/* Once it is over only the keys of the open entries matter: the path needs them. */
static bool start_missing_key(struct decoder *decoder, const struct reader_element *element)
{
	const struct edit_entry *entry = decoder->entry[decoder->level];

	if (decoder->row || !entry || entry_id(entry))
		return false;
	if (strcmp(element->name, row_sets[entry->object].key->leaf) != 0)
		return false;
	open_leaf(decoder, row_sets[entry->object].key);
	return true;
}

/* Is it over, and is every key known that the path of an error needs? */
static int verdict(struct decoder *decoder)
{
	if (failing(decoder))
		note(decoder);
	if (!decoder->over)
		return 0;
	for (unsigned int level = LEVEL_TUNNEL; level < LEVELS; level++) {
		const struct edit_entry *entry = decoder->entry[level];

		if (entry && !entry_id(entry) && !decoder->edit->refused.collects)
			return 0;
	}
	return DECODER_REFUSED;
}

static int start(const struct reader_element *element, void *arg, struct error *err)
{
	struct decoder *decoder = arg;

	(void)err;
	if (decoder->skip) {
		decoder->skip++;
		return 0;
	}
	if (decoder->over) {
		if (!start_missing_key(decoder, element))
			decoder->skip = 1;
		return 0;
	}
	start_inside(decoder, element);
	if (failing(decoder))
		decoder->skip = 1;
	return verdict(decoder);
}

static int text(const char *bytes, size_t length, void *arg, struct error *err)
{
	struct decoder *decoder = arg;

	(void)err;
	if (decoder->skip)
		return 0;
	if (decoder->acm.depth) {
		if (!decoder->over &&
		    acm_decode_text(&decoder->acm, bytes, length, &decoder->error))
			refuse_acm(decoder);
	} else if (decoder->row) {
		decoder->text = bytes;
		decoder->length = length;
	} else if (!decoder->over && !blank_is(bytes, length)) {
		fail(decoder, ERROR_BAD_ELEMENT,
		     decoder->level == LEVEL_CONFIG ? "config"
		     : decoder->level == LEVEL_CONTAINER
			     ? ELEMENT_CONTAINER
			     : row_sets[level_object(decoder->level)].name,
		     "text is not allowed here, only elements");
	}
	return verdict(decoder);
}

static void end_key(struct decoder *decoder, struct edit_entry *entry)
{
	const struct row *key = row_sets[entry->object].key;
	bool failed_before = decoder->over || decoder->spoilt || failing(decoder);
	struct error ignored, *err = failed_before ? &ignored : &decoder->error;
	uint32_t *id = entry->object == OBJECT_TUNNEL ? &entry->tunnel_id : &entry->session_id;

	if (!failed_before && *id) {
		fail(decoder, ERROR_BAD_ELEMENT, key->leaf, "given twice");
		return;
	}
	if (!failed_before && decoder->leaf_explicit &&
	    decoder->leaf_operation != decoder->operation[decoder->level]) {
		fail(decoder, ERROR_BAD_ATTRIBUTE, "operation",
		     "a key leaf cannot have another operation than its entry");
		snprintf(decoder->error.info2, sizeof(decoder->error.info2), "%s", key->leaf);
		return;
	}
	if (codec_parse(key, edit_values(entry), decoder->text, decoder->length, err)) {
		decoder->failed_row = key;
		return;
	}
	*id = (uint32_t)codec_get_number(key, edit_values(entry));
}

/*
 * A leaf that is tagged as a default is not set: with that value it is as if nobody had set it (RFC
 * 6243 section 4.5.2).
 */
static int unset_default(struct decoder *decoder, const struct row *row, struct edit_entry *entry,
			 enum edit_operation operation)
{
	struct error *err = &decoder->error;
	union config given = {0};

	if (edit_removes(operation) || operation == EDIT_NONE)
		return edit_leaf(entry, row, operation, decoder->text, decoder->length, err);
	if (!row->fallback || codec_parse(row, &given, decoder->text, decoder->length, NULL) ||
	    !codec_equal(row, &given, codec_defaults(row->object))) {
		error_set(err, ERROR_INVALID_VALUE, "tagged as a default, but %s%s",
			  row->fallback ? "the default is " : "there is none",
			  row->fallback ? row->fallback : "");
		snprintf(err->info, sizeof(err->info), "%s", row->leaf);
		return -EINVAL;
	}
	if (operation == EDIT_CREATE)
		entry->must_not_exist |= (uint32_t)BIT(row_number(row));
	return edit_leaf(entry, row, EDIT_REMOVE, decoder->text, decoder->length, err);
}

static void end_leaf(struct decoder *decoder)
{
	const struct row *row = decoder->row;
	struct edit_entry *entry = decoder->entry[decoder->level];
	enum edit_operation operation = decoder->leaf_operation;

	decoder->row = NULL;
	if (row->access == ACCESS_KEY) {
		if (decoder->leaf_tagged && !failing(decoder))
			fail(decoder, ERROR_INVALID_VALUE, row->leaf, "a key has no default");
		end_key(decoder, entry);
		return;
	}
	if (decoder->over || decoder->spoilt)
		return;
	if (edit_removes(decoder->operation[decoder->level]))
		entry = &decoder->discarded[decoder->level];
	/*
	 * Inside an entry that is created or replaced a leaf is merged, and is checked as such
	 * inside one that is deleted, too.
	 */
	if (!decoder->leaf_explicit && operation != EDIT_NONE)
		operation = EDIT_MERGE;
	if (decoder->leaf_tagged ? unset_default(decoder, row, entry, operation)
				 : edit_leaf(entry, row, operation, decoder->text, decoder->length,
					     &decoder->error))
		decoder->failed_row = row;
}

static void end_entry(struct decoder *decoder)
{
	struct edit_entry *entry = decoder->entry[decoder->level], *session;
	bool is_tunnel = entry->object == OBJECT_TUNNEL;

	if (!decoder->over && !entry_id(entry) && !entry->refused) {
		fail(decoder, ERROR_MISSING_KEY, row_sets[entry->object].key->leaf,
		     "every entry needs its key");
		note(decoder);
	}
	/* the tunnel's key may have come after its sessions */
	for (session = entry->next; is_tunnel && session; session = session->next)
		session->tunnel_id = entry->tunnel_id;
	if (is_tunnel)
		locate_all(decoder, entry->tunnel_id);
	else
		session_ends(decoder, entry->session_id);
	if (!entry_id(entry) && is_tunnel)
		decoder->outside = true;
	else if (!entry_id(entry)) /* nobody knows which session it is: leave all of them as they
				      are */
		decoder->entry[LEVEL_TUNNEL]->refused = true;
	decoder->entry[decoder->level--] = NULL;
}

static void end_acm(struct decoder *decoder)
{
	if (!decoder->over && acm_decode_end(&decoder->acm, &decoder->error))
		refuse_acm(decoder);
}

static int end(void *arg, struct error *err)
{
	struct decoder *decoder = arg;

	(void)err;
	if (decoder->skip)
		decoder->skip--;
	else if (decoder->acm.depth)
		end_acm(decoder);
	else if (decoder->row)
		end_leaf(decoder);
	else if (decoder->level >= LEVEL_TUNNEL)
		end_entry(decoder);
	else if (decoder->level == LEVEL_CONTAINER)
		decoder->level = LEVEL_CONFIG;
	return verdict(decoder);
}

const struct reader_handler decoder_handler = {start, text, end};

int decoder_finish(struct decoder *decoder, bool continues, struct edit **ret_edit,
		   struct error *err)
{
	struct edit *edit = decoder->edit;

	if (decoder->entry[LEVEL_SESSION])
		session_ends(decoder, decoder->entry[LEVEL_SESSION]->session_id);
	if (decoder->entry[LEVEL_TUNNEL])
		locate_all(decoder, decoder->entry[LEVEL_TUNNEL]->tunnel_id);
	error_leave_out(&edit->refused, decoder->more);
	/* a replacement must not delete an entry whose key could not be read */
	if (decoder_failed(decoder) && (!continues || decoder->acm_refused ||
					(decoder->outside && edit->operation != EDIT_MERGE))) {
		*err = edit->refused;
		return error_result(err);
	}
	edit->acm = decoder->acm.acm;
	decoder->acm.acm = NULL;
	edit->continues = continues;
	*ret_edit = edit;
	decoder->edit = NULL;
	return 0;
}
