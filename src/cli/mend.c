#include "cli/mend.h"

#include <string.h>

/* `ip l2tp add` ignores UDP options of a tunnel that is not UDP; the daemon would refuse them. */
static void mend_add(struct request *request)
{
	const struct row_set *set = &row_sets[OBJECT_TUNNEL];
	struct tunnel complete = request->tunnel;

	codec_complete(OBJECT_TUNNEL, &complete);
	for (unsigned int i = 0; i < set->config_count; i++) {
		const struct row *row = &set->rows[i];

		if (!codec_present(row, &request->tunnel) || codec_applies(row, &complete))
			continue;
		codec_clear(row, &request->tunnel);
		request_note(request->ignored, row->leaf);
	}
}

/* Of the words that are the same value to the kernel, the one that lets @leaf apply; NULL: none. */
static const struct word *word_for(const struct row *leaf, const struct row *row,
				   const union leaves *given)
{
	unsigned int value = (unsigned int)codec_get_number(row, given);
	unsigned int wire = word_by_value(row->words, value)->wire;
	union leaves tried = *given;

	for (const struct word *word = row->words; word->name; word++) {
		codec_set_number(row, &tried, word->value, NULL);
		if (word->wire == wire && codec_applies(leaf, &tried))
			return word;
	}
	return NULL;
}

static void mend_word(struct request *request, const struct row *leaf, const union leaves *given)
{
	const struct row_set *set = &row_sets[leaf->object];

	for (unsigned int i = 0; i < set->config_count; i++) {
		const struct row *row = &set->rows[i];
		const struct word *word = NULL;

		if (row->type == TYPE_ENUM && codec_present(row, given))
			word = word_for(leaf, row, given);
		if (word)
			codec_set_number(row, request_leaves(request, leaf->object), word->value,
					 NULL);
	}
}

/*
 * The manual of `ip l2tp` calls an Ethernet pseudowire with a vlan_id "eth"; here it is
 * ethernet-vlan. Where we have two words for one of the kernel's, the leaves given decide.
 */
static void mend_words(struct request *request, enum object object)
{
	const struct row_set *set = &row_sets[object];
	const void *config = request_config(request, object);
	union leaves given = {0};

	memcpy(&given, config,
	       object == OBJECT_TUNNEL ? sizeof(given.tunnel) : sizeof(given.session));
	if (request->verb == VERB_ADD) /* else a leaf that is left out keeps its value */
		codec_complete(object, &given);
	for (unsigned int i = 0; i < set->config_count; i++) {
		const struct row *leaf = &set->rows[i];

		if (codec_present(leaf, config) && !codec_applies(leaf, &given))
			mend_word(request, leaf, &given);
	}
}

void mend_request(struct request *request)
{
	bool edits = request->verb == VERB_ADD || request->verb == VERB_SET;

	/* `ip l2tp del` deletes a session if it has a session_id, whatever the object word */
	if (request->verb == VERB_DELETE && request->session.session_id) {
		request->wants[OBJECT_TUNNEL] = false;
		request->wants[OBJECT_SESSION] = true;
	}
	for (unsigned int object = 0; edits && object < OBJECTS; object++)
		mend_words(request, object);
	if (request->verb == VERB_ADD)
		mend_add(request);
}
