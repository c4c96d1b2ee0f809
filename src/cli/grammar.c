#include "cli/grammar.h"

#include "cli/mend.h"
#include "cli/spelling.h"
#include "cli/suggest.h"
#include "model/entry.h"

#define PAIRS_MAX 64

/* What each verb takes. */
static const struct {
	bool object; /* needs "tunnel" or "session" */
	bool keys;   /* needs the identifiers */
	bool clears; /* knows no-KEYWORD */
	bool filter; /* the pairs select, and may name state */
	bool edits;  /* the pairs are leaves to set */
	bool as_ip;  /* accepts what `ip l2tp` accepts and ignores */
} rules[VERBS] = {
	[VERB_ADD] = {.object = true, .keys = true, .edits = true, .as_ip = true},
	[VERB_DELETE] = {.object = true, .keys = true, .as_ip = true},
	[VERB_SET] = {.object = true, .keys = true, .edits = true, .clears = true},
	[VERB_SHOW] = {.object = true, .filter = true},
	[VERB_GET] = {.filter = true},
	[VERB_ADOPT] = {.keys = true},
};

struct pair {
	const char *keyword;
	const char *value;              /* NULL: no-KEYWORD */
	const struct row *row[OBJECTS]; /* the leaves the keyword names */
	const struct ignored_keyword *ignored;
};

struct words {
	struct pair pairs[PAIRS_MAX];
	unsigned int count;
};

/* The rows that @keyword names, or that `ip l2tp` knows and ignores it; false: unknown. */
static bool find_keyword(enum verb verb, const char *keyword, struct pair *ret)
{
	*ret = (struct pair){.keyword = keyword};
	for (unsigned int object = 0; object < OBJECTS; object++)
		ret->row[object] = row_by_keyword(object, keyword);
	if (rules[verb].edits || rules[verb].as_ip || rules[verb].filter)
		ret->ignored = ignored_by_keyword(keyword);
	return ret->row[OBJECT_TUNNEL] || ret->row[OBJECT_SESSION] || ret->ignored;
}

/* An object, or "problem". */
static bool take_object_word(struct request *request, const char *word)
{
	if (request->verb == VERB_SHOW && !strcmp(word, "problem"))
		return request->problem = true;
	for (unsigned int object = 0; object < OBJECTS; object++) {
		if (!strcmp(word, row_sets[object].name)) {
			request->wants[object] = true;
			return true;
		}
	}
	return false;
}

static bool is_clearing(enum verb verb, const char *word)
{
	return rules[verb].clears && !strncmp(word, "no", 2) && (word[2] == '-' || word[2] == '_');
}

static enum cli_status refuse_unknown(const char *word, struct error *err)
{
	struct suggestion suggestion = {.word = word};
	char text[80];

	for (enum object object = OBJECT_TUNNEL; object < OBJECTS; object++) {
		const struct row_set *set = &row_sets[object];

		suggest_try(&suggestion, set->name);
		for (unsigned int i = 0; i < set->count; i++) {
			suggest_try(&suggestion, set->rows[i].cli);
			suggest_try(&suggestion, set->rows[i].leaf);
		}
	}
	return cli_usage_error(err, "unknown keyword \"%.64s\"%s", word,
			       suggest_text(&suggestion, text));
}

/* One keyword, and its value if it has one; *@index moves past both. */
static enum cli_status take_pair(enum verb verb, int argc, char *const argv[], int *index,
				 struct pair *ret, struct error *err)
{
	const char *word = argv[(*index)++];
	bool clears = is_clearing(verb, word);

	if (!find_keyword(verb, clears ? word + 3 : word, ret) || (clears && ret->ignored))
		return refuse_unknown(word, err);
	if (clears)
		return CLI_OK;
	if (*index == argc)
		return cli_usage_error(err, "\"%s\" needs a value", word);
	ret->value = argv[(*index)++];
	return CLI_OK;
}

static enum cli_status take_words(int argc, char *const argv[], struct request *request,
				  struct words *ret, struct error *err)
{
	for (int i = 0; i < argc;) {
		if (take_object_word(request, argv[i])) {
			i++;
			continue;
		}
		if (argv[i][0] && !strncmp("help", argv[i], strlen(argv[i])))
			return cli_usage_error(err, "%s", "");
		if (ret->count == PAIRS_MAX)
			return cli_usage_error(err, "more than %d keywords", PAIRS_MAX);
		if (take_pair(request->verb, argc, argv, &i, &ret->pairs[ret->count], err))
			return CLI_USAGE;
		ret->count++;
	}
	return CLI_OK;
}

/* Point @err at @row's leaf in the entry that the request is about. */
static void set_path(const struct request *request, const struct row *row, enum object object,
		     struct error *err)
{
	error_at_object(err, object, request->tunnel.tunnel_id, request->session.session_id, row);
}

static enum cli_status refuse_second(const struct pair *pair, struct error *err)
{
	return cli_usage_error(err, "\"%s\" is given twice, with different values", pair->keyword);
}

/* The same message as NETCONF's. */
static enum cli_status refuse_state(const struct request *request, const struct row *row,
				    struct error *err)
{
	bool statistics = row->part == PART_STATISTICS;

	error_set(err, ERROR_READ_ONLY, "%s state, not configuration",
		  statistics ? "statistics are" : "this is");
	set_path(request, statistics ? NULL : row, row->object, err);
	return CLI_REFUSED;
}

/*
 * A leaf of an edit. Given twice it must have the same value; else we could not tell which is
 * meant.
 */
static enum cli_status take_leaf(struct request *request, const struct row *row,
				 const struct pair *pair, struct error *err)
{
	void *config = request_leaves(request, row->object);
	union leaves before;

	memcpy(&before, config,
	       row->object == OBJECT_TUNNEL ? sizeof(before.tunnel) : sizeof(before.session));
	if (spelling_parse(row, config, pair->value, err)) {
		set_path(request, row, row->object, err);
		return CLI_REFUSED;
	}
	if ((codec_present(row, &before) && !codec_equal(row, &before, config)) ||
	    (request->cleared[row->object] & BIT(row_number(row))))
		return refuse_second(pair, err);
	return CLI_OK;
}

static enum cli_status take_clearing(struct request *request, const struct row *row,
				     const struct pair *pair, struct error *err)
{
	if (row->access == ACCESS_KEY)
		return cli_usage_error(err, "\"%s\" is an identifier and cannot be cleared",
				       pair->keyword);
	if (codec_present(row, request_leaves(request, row->object)))
		return refuse_second(pair, err);
	request->cleared[row->object] |= BIT(row_number(row));
	return CLI_OK;
}

/* A condition of a filter. The codec makes its text canonical. */
static enum cli_status take_term(struct request *request, const struct row *row,
				 const struct pair *pair, struct error *err)
{
	union codec_object scratch;
	struct term *term = &request->terms[request->term_count];

	if (spelling_means_absent(row, pair->value))
		return CLI_OK;
	if (row->type == TYPE_TIME || row->type == TYPE_TEXT)
		return cli_usage_error(err, "\"%s\" cannot be a condition", pair->keyword);
	if (request->term_count == GRAMMAR_TERMS)
		return cli_usage_error(err, "more than %d conditions", GRAMMAR_TERMS);
	memset(&scratch, 0, sizeof(scratch));
	if (spelling_parse(row, &scratch, pair->value, err)) {
		error_at_object(err, row->object, 0, 0, row);
		return CLI_REFUSED;
	}
	term->row = row;
	codec_print(row, &scratch, term->text);
	explicit_bzero(&scratch, sizeof(scratch));
	request->term_count++;
	return CLI_OK;
}

/* Of leaves that both objects have, the session's wins where sessions are asked for. */
static const struct row *choose_row(const struct request *request, const struct pair *pair)
{
	const struct row *own = pair->row[OBJECT_SESSION];
	const struct row *above = pair->row[OBJECT_TUNNEL];

	if (!own || !above)
		return own ? own : above;
	return request->wants[OBJECT_SESSION] ? own : above;
}

/*
 * A session needs its tunnel's key; whether a delete is of a session depends on the session's key.
 */
static bool concerns(const struct request *request, const struct row *row)
{
	if (!row)
		return false;
	if (row->access != ACCESS_KEY)
		return rules[request->verb].edits && request->wants[row->object];
	return row->object == OBJECT_TUNNEL || request->wants[OBJECT_SESSION] ||
	       request->verb == VERB_DELETE;
}

/* A word such as "dev" names two things: which one must be clear. */
static enum cli_status check_meaning(const struct request *request, const struct pair *pair,
				     struct error *err)
{
	const struct row *tunnels = pair->row[OBJECT_TUNNEL];
	const struct row *sessions = pair->row[OBJECT_SESSION];

	if (!tunnels || !sessions || !strcmp(tunnels->leaf, sessions->leaf) ||
	    request->wants[OBJECT_TUNNEL] != request->wants[OBJECT_SESSION] ||
	    !(rules[request->verb].edits || rules[request->verb].filter))
		return CLI_OK;
	return cli_usage_error(
		err,
		"\"%s\" is the tunnel's \"%s\" and the session's \"%s\"; say which by "
		"that word",
		pair->keyword, tunnels->leaf, sessions->leaf);
}

/* The object the request is about. */
static enum object object_of(const struct request *request)
{
	return request->wants[OBJECT_SESSION] && !request->wants[OBJECT_TUNNEL] ? OBJECT_SESSION
										: OBJECT_TUNNEL;
}

static enum cli_status refuse_keyword(const struct request *request, const struct pair *pair,
				      struct error *err)
{
	enum object object = object_of(request);

	if (pair->row[object])
		return cli_usage_error(err, "\"%s\" cannot be given here, only identifiers",
				       pair->keyword);
	return cli_usage_error(err, "\"%s\" belongs to a %s, not to a %s", pair->keyword,
			       row_sets[!object].name, row_sets[object].name);
}

/* The request does not use it. */
static enum cli_status take_useless(struct request *request, const struct pair *pair,
				    struct error *err)
{
	enum object object = object_of(request);
	const struct row *row = pair->row[object] ? pair->row[object] : pair->row[!object];

	if (!rules[request->verb].as_ip || row->ip != IP_ANYWHERE)
		return refuse_keyword(request, pair, err);
	request_note(request->ignored, pair->keyword);
	if (rules[request->verb].edits && row->object == OBJECT_SESSION &&
	    row->access == ACCESS_WRITE && !row->mandatory)
		request_note(request->misplaced, pair->keyword);
	return CLI_OK;
}

/* Set or clear the leaf that the pair names. */
static enum cli_status take_edit(struct request *request, const struct row *row,
				 const struct pair *pair, struct error *err)
{
	bool absent = pair->value && spelling_means_absent(row, pair->value);

	if (row->access == ACCESS_READ)
		return refuse_state(request, row, err);
	if (absent && request->verb == VERB_ADD)
		return CLI_OK;
	return pair->value && !absent ? take_leaf(request, row, pair, err)
				      : take_clearing(request, row, pair, err);
}

static enum cli_status take_assignment(struct request *request, const struct pair *pair,
				       struct error *err)
{
	bool taken = false;

	for (unsigned int object = 0; object < OBJECTS; object++) {
		const struct row *row = pair->row[object];
		enum cli_status status;

		if (!concerns(request, row))
			continue;
		taken = true;
		status = take_edit(request, row, pair, err);
		if (status)
			return status;
	}
	return taken ? CLI_OK : take_useless(request, pair, err);
}

static enum cli_status take_ignored(const struct request *request, const struct pair *pair,
				    struct error *err)
{
	const struct ignored_keyword *ignored = pair->ignored;

	if (ignored->accepted && spelling_same_number(pair->value, ignored->accepted))
		return CLI_OK;
	error_set(err, ERROR_UNSUPPORTED, "%s %.40s cannot be set: %s", pair->keyword, pair->value,
		  ignored->why);
	set_path(request, NULL, request->wants[OBJECT_SESSION], err);
	return CLI_REFUSED;
}

static enum cli_status take_value(struct request *request, const struct pair *pair,
				  struct error *err)
{
	enum cli_status status;

	if (pair->ignored)
		return take_ignored(request, pair, err);
	status = check_meaning(request, pair, err);
	if (status)
		return status;
	if (rules[request->verb].filter)
		return take_term(request, choose_row(request, pair), pair, err);
	return take_assignment(request, pair, err);
}

static bool names_key(const struct pair *pair)
{
	for (unsigned int object = 0; object < OBJECTS; object++) {
		if (pair->row[object] && pair->row[object]->access == ACCESS_KEY)
			return true;
	}
	return false;
}

/* Take keys first, so that an error in another value can name its entry. */
static enum cli_status take_values(struct request *request, const struct words *words,
				   struct error *err)
{
	for (unsigned int pass = 0; pass < 2; pass++) {
		for (unsigned int i = 0; i < words->count; i++) {
			enum cli_status status;

			if (names_key(&words->pairs[i]) != (pass == 0))
				continue;
			status = take_value(request, &words->pairs[i], err);
			if (status)
				return status;
		}
	}
	return CLI_OK;
}

static enum cli_status need_key(const struct request *request, enum object object,
				struct error *err)
{
	const struct row *key = row_sets[object].key;

	if (codec_present(key, request_config(request, object)))
		return CLI_OK;
	return cli_usage_error(err, "\"%.*s\" is required", (int)strcspn(key->cli, "|"), key->cli);
}

static enum cli_status check_keys(const struct request *request, struct error *err)
{
	enum cli_status status = CLI_OK;

	if (!rules[request->verb].keys)
		return CLI_OK;
	if (!request_lacks_tunnel(request))
		status = need_key(request, OBJECT_TUNNEL, err);
	if (!status && request->wants[OBJECT_SESSION])
		status = need_key(request, OBJECT_SESSION, err);
	return status;
}

enum cli_status grammar_parse(enum verb verb, int argc, char *const argv[], struct request *ret,
			      struct error *err)
{
	struct words words = {.count = 0};
	enum cli_status status;

	*ret = (struct request){.verb = verb};
	status = take_words(argc, argv, ret, &words, err);
	if (status)
		return status;
	if (rules[verb].object && !ret->wants[OBJECT_TUNNEL] && !ret->wants[OBJECT_SESSION] &&
	    !ret->problem)
		return cli_usage_error(err, "\"tunnel\" or \"session\" is required");
	if (verb == VERB_ADOPT && ret->wants[OBJECT_SESSION])
		return cli_usage_error(err, "a tunnel is adopted with its sessions");
	status = take_values(ret, &words, err);
	if (status)
		return status;
	mend_request(ret);
	return check_keys(ret, err);
}
