#include "cli/grammar.h"

#include "cli/spelling.h"
#include "model/entry.h"

#define PAIRS_MAX 64

/* What each verb takes. */
static const struct {
	bool object; /* needs "tunnel" or "session" */
	bool keys;   /* needs the identifiers */
	bool clears; /* knows no-KEYWORD */
	bool filter; /* the pairs select; state can be named too */
	bool edits;  /* the pairs are leaves to set */
	bool as_ip;  /* takes what `ip l2tp` takes and makes nothing of */
} rules[VERBS] = {
	[VERB_ADD] = {.object = true, .keys = true, .edits = true, .as_ip = true},
	[VERB_DELETE] = {.object = true, .keys = true, .as_ip = true},
	[VERB_SET] = {.object = true, .keys = true, .edits = true, .clears = true},
	[VERB_SHOW] = {.object = true, .filter = true},
	[VERB_GET] = {.filter = true},
	[VERB_ADOPT] = {.keys = true},
};

/* Keywords of `ip l2tp`, old and new, that have no leaf because kernels ignore them. */
static const struct special {
	const char *keyword;
	const char *accepted; /* the value that changes nothing, or NULL */
	const char *why;
} specials[] = {
	{"offset", "0", "no kernel since 4.16 honours it; 0 is accepted"},
	{"peer_offset", "0", "no kernel since 4.16 honours it; 0 is accepted"},
	{"data_size", NULL, "no kernel since 4.16 honours it; leave it out"},
	{"l2spec_len", NULL,
	 "no kernel since 4.16 honours it; the length follows from l2spec_type"},
};

/*
 * What `ip l2tp` takes whatever the object (iproute2 ip/ipl2tp.c, parse_args()).
 * Other keywords are ours, and who gives one means something by it.
 */
static const char *const ip_words[] = {
	"encap",      "local",     "remote",          "peer_tunnel_id", "ptid",
	"udp_sport",  "udp_dport", "udp_csum",        "udp6_csum_rx",   "udp6_csum_tx",
	"session_id", "sid",       "peer_session_id", "psid",           "name",
	"seq",        "cookie",    "peer_cookie",     "l2spec_type",
};

struct pair {
	const char *keyword;
	const char *value;              /* NULL: no-KEYWORD */
	const struct row *row[OBJECTS]; /* the leaves the keyword names */
	const struct special *special;
};

struct words {
	struct pair pairs[PAIRS_MAX];
	unsigned int count;
};

static void *config_of(struct request *request, enum object object)
{
	return object == OBJECT_TUNNEL ? (void *)&request->tunnel : (void *)&request->session;
}

const void *request_config(const struct request *request, enum object object)
{
	return object == OBJECT_TUNNEL ? (const void *)&request->tunnel
				       : (const void *)&request->session;
}

const char *request_term(const struct request *request, const struct row *row)
{
	for (unsigned int i = 0; i < request->term_count; i++) {
		if (request->terms[i].row == row)
			return request->terms[i].text;
	}
	return NULL;
}

void request_note_ignored(const struct request *request)
{
	if (request->ignored[0])
		fprintf(stderr, "l2tpv3ctl: note: ignored, as ip l2tp does: %s\n",
			request->ignored);
}

static const struct special *find_special(const char *keyword)
{
	for (size_t i = 0; i < sizeof(specials) / sizeof(specials[0]); i++) {
		if (!strcmp(specials[i].keyword, keyword))
			return &specials[i];
	}
	return NULL;
}

static bool is_ip_word(const char *keyword)
{
	for (size_t i = 0; i < sizeof(ip_words) / sizeof(ip_words[0]); i++) {
		if (!strcmp(ip_words[i], keyword))
			return true;
	}
	return false;
}

/* The rows and the special keyword that @keyword names; false when it names nothing. */
static bool find_keyword(enum verb verb, const char *keyword, struct pair *ret)
{
	*ret = (struct pair){.keyword = keyword};
	for (unsigned int object = 0; object < OBJECTS; object++)
		ret->row[object] = row_by_keyword(object, keyword);
	if (rules[verb].edits || rules[verb].as_ip)
		ret->special = find_special(keyword);
	return ret->row[OBJECT_TUNNEL] || ret->row[OBJECT_SESSION] || ret->special;
}

static bool take_object_word(struct request *request, const char *word)
{
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

/* One keyword, and its value if it has one; *@index moves past both. */
static enum cli_status take_pair(enum verb verb, int argc, char *const argv[], int *index,
				 struct pair *ret, struct error *err)
{
	const char *word = argv[(*index)++];
	bool clears = is_clearing(verb, word);

	if (!find_keyword(verb, clears ? word + 3 : word, ret) || (clears && ret->special))
		return cli_usage_error(err, "unknown keyword \"%.64s\"", word);
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

static void ignore(struct request *request, const char *keyword)
{
	size_t used = strlen(request->ignored);

	snprintf(request->ignored + used, sizeof(request->ignored) - used, "%s%s", used ? ", " : "",
		 keyword);
}

/* The entry the request is about, and @row's leaf in it. */
static void set_path(const struct request *request, const struct row *row, enum object object,
		     struct error *err)
{
	error_at_object(err, object, request->tunnel.tunnel_id, request->session.session_id, row);
}

static enum cli_status refuse_second(const struct pair *pair, struct error *err)
{
	return cli_usage_error(err, "\"%s\" is given twice, with different values", pair->keyword);
}

/* In the words of NETCONF. */
static enum cli_status refuse_state(const struct request *request, const struct row *row,
				    struct error *err)
{
	bool statistics = row->part == PART_STATISTICS;

	error_set(err, ERROR_READ_ONLY, "%s state, not configuration",
		  statistics ? "statistics are" : "this is");
	set_path(request, statistics ? NULL : row, row->object, err);
	return CLI_REFUSED;
}

/* A leaf of an edit. Given twice it must be the same, for which of the two would be meant? */
static enum cli_status take_leaf(struct request *request, const struct row *row,
				 const struct pair *pair, struct error *err)
{
	void *config = config_of(request, row->object);
	union {
		struct tunnel tunnel;
		struct session session;
	} before;

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
	if (codec_present(row, config_of(request, row->object)))
		return refuse_second(pair, err);
	request->cleared[row->object] |= BIT(row_number(row));
	return CLI_OK;
}

/* A condition of a filter, through the codec to have canonical text. */
static enum cli_status take_term(struct request *request, const struct row *row,
				 const struct pair *pair, struct error *err)
{
	union {
		struct tunnel tunnel;
		struct session session;
		struct tunnel_state tunnel_state;
		struct session_state session_state;
		struct statistics statistics;
	} scratch;
	struct term *term = &request->terms[request->term_count];

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
	request->term_count++;
	return CLI_OK;
}

/* Of leaves that both have: a session's goes before its tunnel's where sessions are asked for. */
static const struct row *choose_row(const struct request *request, const struct pair *pair)
{
	const struct row *own = pair->row[OBJECT_SESSION];
	const struct row *above = pair->row[OBJECT_TUNNEL];

	if (!own || !above)
		return own ? own : above;
	return request->wants[OBJECT_SESSION] ? own : above;
}

/* A session needs its tunnel's key; a delete goes by whether there is a session's. */
static bool concerns(const struct request *request, const struct row *row)
{
	if (!row)
		return false;
	if (row->access != ACCESS_KEY)
		return rules[request->verb].edits && request->wants[row->object];
	return row->object == OBJECT_TUNNEL || request->wants[OBJECT_SESSION] ||
	       request->verb == VERB_DELETE;
}

static enum cli_status refuse_keyword(const struct request *request, const struct pair *pair,
				      struct error *err)
{
	bool session = request->wants[OBJECT_SESSION] && !request->wants[OBJECT_TUNNEL];

	if (pair->row[session])
		return cli_usage_error(err, "\"%s\" cannot be given here, only identifiers",
				       pair->keyword);
	return cli_usage_error(err, "\"%s\" is not of a %s", pair->keyword, row_sets[session].name);
}

/* The request has no use for it. */
static enum cli_status take_useless(struct request *request, const struct pair *pair,
				    struct error *err)
{
	if (!rules[request->verb].as_ip || !is_ip_word(pair->keyword))
		return refuse_keyword(request, pair, err);
	ignore(request, pair->keyword);
	return CLI_OK;
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
		if (row->access == ACCESS_READ)
			return refuse_state(request, row, err);
		status = pair->value ? take_leaf(request, row, pair, err)
				     : take_clearing(request, row, pair, err);
		if (status)
			return status;
	}
	return taken ? CLI_OK : take_useless(request, pair, err);
}

static enum cli_status take_special(const struct request *request, const struct pair *pair,
				    struct error *err)
{
	const struct special *special = pair->special;

	if (special->accepted && !strcmp(pair->value, special->accepted))
		return CLI_OK;
	error_set(err, ERROR_UNSUPPORTED, "%s %.40s cannot be set: %s", special->keyword,
		  pair->value, special->why);
	set_path(request, NULL, request->wants[OBJECT_SESSION], err);
	return CLI_REFUSED;
}

static enum cli_status take_value(struct request *request, const struct pair *pair,
				  struct error *err)
{
	if (pair->special)
		return take_special(request, pair, err);
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

/* Keys first, so that an error in another value can name its entry. */
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

	if (rules[request->verb].keys)
		status = need_key(request, OBJECT_TUNNEL, err);
	if (!status && rules[request->verb].keys && request->wants[OBJECT_SESSION])
		status = need_key(request, OBJECT_SESSION, err);
	return status;
}

/* `ip l2tp del` goes by whether there is a session_id, whatever the object word. */
static void mend_delete(struct request *request)
{
	if (request->session.session_id) {
		request->wants[OBJECT_TUNNEL] = false;
		request->wants[OBJECT_SESSION] = true;
	}
}

/*
 * `ip l2tp add` takes UDP options for a tunnel that has no use for them and
 * drops them; the daemon would refuse.
 */
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
		ignore(request, row->leaf);
	}
}

static void mend(struct request *request)
{
	if (request->verb == VERB_DELETE)
		mend_delete(request);
	if (request->verb == VERB_ADD)
		mend_add(request);
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
	if (rules[verb].object && !ret->wants[OBJECT_TUNNEL] && !ret->wants[OBJECT_SESSION])
		return cli_usage_error(err, "\"tunnel\" or \"session\" is required");
	if (verb == VERB_ADOPT && ret->wants[OBJECT_SESSION])
		return cli_usage_error(err, "a tunnel is adopted with its sessions");
	status = take_values(ret, &words, err);
	if (status)
		return status;
	mend(ret);
	return check_keys(ret, err);
}
