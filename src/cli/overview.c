#include "cli/overview.h"

#include "cli/talk.h"
#include "model/names.h"

#define ALTERNATIVES 32 /* as many as the daemon takes (netconf/filter.h) */

static const char question[] =
	"<get><filter type=\"subtree\"><netconf-state xmlns=\"" NAMESPACE_MONITORING
	"\"><datastores/><sessions/><statistics><netconf-start-time/></statistics>"
	"<service xmlns=\"" NAMESPACE_CLIENTS "\"/></netconf-state></filter></get>";

/* The worse, the lower. */
static unsigned int rank(const struct word *status)
{
	unsigned int at = 0;

	while (problem_states[at] && problem_states[at] != status->value)
		at++;
	return at;
}

/* A line of what is counted. */
struct condition {
	enum object object;
	bool foreign;
	const struct word *status, *reason;
	uint32_t count;
};

static const char *text_of(const struct node *entry, const char *leaf)
{
	const char *text = node_text(entry, leaf, NAMESPACE_CLIENTS);

	return text ? text : "";
}

const char *overview_leaf(const struct overview *overview, const char *name)
{
	return text_of(overview->service, name);
}

static void read_totals(struct overview *overview)
{
	const struct node *statistics =
		node_child(overview->service, ELEMENT_STATISTICS, NAMESPACE_CLIENTS);
	const struct row_set *set = &row_sets[OBJECT_TUNNEL];

	for (unsigned int i = 0; i < set->count; i++) {
		const char *text = set->rows[i].type == TYPE_COUNTER
					   ? text_of(statistics, set->rows[i].leaf)
					   : "";

		if (*text)
			codec_parse(&set->rows[i], &overview->totals, text, strlen(text), NULL);
	}
}

static const struct word *word_of(const struct node *entry, const char *leaf,
				  const struct word *words)
{
	const char *text = text_of(entry, leaf);

	return word_by_name(words, text, strlen(text));
}

/* False: it is no condition, or has words of a later daemon. */
static bool read_condition(const struct node *entry, struct condition *ret)
{
	if (!node_is(entry, "condition", NAMESPACE_CLIENTS))
		return false;
	*ret = (struct condition){
		.object = strcmp(text_of(entry, "object"), row_sets[OBJECT_SESSION].name)
				  ? OBJECT_TUNNEL
				  : OBJECT_SESSION,
		.foreign = strcmp(text_of(entry, "origin"), "foreign") == 0,
		.status = word_of(entry, "oper-status", oper_status_words),
		.reason = word_of(entry, "status-reason", status_reason_words),
		.count = (uint32_t)strtoul(text_of(entry, "count"), NULL, 10),
	};
	return ret->status && ret->reason;
}

static bool is_trouble(const struct condition *condition)
{
	return !condition->foreign && problem_states[rank(condition->status)] &&
	       condition->reason->value != REASON_DISABLED;
}

static bool depends(const struct condition *condition)
{
	return condition->object == OBJECT_SESSION &&
	       condition->reason->value == REASON_TUNNEL_NOT_UP;
}

static void count(struct overview *overview, const struct condition *condition)
{
	enum object object = condition->object;

	overview->count[object] += condition->count;
	overview->by_status[object][condition->status->value] += condition->count;
	if (condition->foreign)
		overview->foreign[object] += condition->count;
	if (condition->reason->value == REASON_DISABLED)
		overview->disabled[object] += condition->count;
	if (!is_trouble(condition))
		return;
	if (depends(condition)) {
		overview->dependent += condition->count;
		return;
	}
	overview->troubled[object] += condition->count;
	overview->critical |= condition->status->value != OPER_WAITING;
}

/* ---- the worst */

static bool is_worse(const struct trouble *a, const struct trouble *b)
{
	int earlier = strcmp(a->since, b->since);

	if (rank(a->status) != rank(b->status))
		return rank(a->status) < rank(b->status);
	if (a->object != b->object)
		return a->object == OBJECT_TUNNEL;
	return earlier < 0;
}

static const char *entry_text(const struct client_entry *entry, const char *leaf)
{
	const char *text = entry->text[row_number(row_by_leaf(entry->object, leaf, strlen(leaf)))];

	return text ? text : "";
}

static int take_trouble(const struct client_entry *entry, void *arg)
{
	struct overview *overview = arg;
	const char *status = entry_text(entry, "oper-status");
	const char *reason = entry_text(entry, "status-reason");
	struct trouble one = {
		.object = entry->object,
		.tunnel_id = entry->tunnel_id,
		.session_id = entry->session_id,
		.status = word_by_name(oper_status_words, status, strlen(status)),
		.reason = word_by_name(status_reason_words, reason, strlen(reason)),
	};
	unsigned int at = overview->worst_count;

	if (!one.status || !one.reason) /* a tunnel around a session */
		return 0;
	snprintf(one.since, sizeof(one.since), "%s", entry_text(entry, "last-change"));
	while (at && is_worse(&one, &overview->worst[at - 1]))
		at--;
	if (at == OVERVIEW_WORST)
		return 0;
	snprintf(one.text, sizeof(one.text), "%s", entry_text(entry, "status-text"));
	snprintf(one.description, sizeof(one.description), "%s", entry_text(entry, "description"));
	if (overview->worst_count < OVERVIEW_WORST)
		overview->worst_count++;
	memmove(&overview->worst[at + 1], &overview->worst[at],
		(overview->worst_count - at - 1) * sizeof(one));
	overview->worst[at] = one;
	return 0;
}

/* Ask for those in the states that were counted. */
static void put_filter(FILE *file, const struct overview *overview, enum object object)
{
	const char *name = row_sets[object].name;
	unsigned int alternatives = 0;
	struct condition condition;

	for (const struct node *at = overview->service->first; at; at = at->next) {
		if (!read_condition(at, &condition) || condition.object != object ||
		    !is_trouble(&condition) || depends(&condition) ||
		    alternatives == ALTERNATIVES - 1)
			continue;
		fprintf(file,
			"<%s><oper-status>%s</oper-status><status-reason>%s</status-reason>"
			"<status-text/><last-change/><description/></%s>",
			name, condition.status->name, condition.reason->name, name);
		alternatives++;
	}
}

static int read_troubles(struct overview *overview, struct client *client, struct error *err)
{
	char *operation = NULL;
	size_t length;
	FILE *file = open_memstream(&operation, &length);
	int rc;

	if (!file)
		return error_set(err, ERROR_RESOURCE, "out of memory");
	fputs("<get><filter type=\"subtree\"><" ELEMENT_CONTAINER " xmlns=\"" NAMESPACE_MODULE
	      "\">",
	      file);
	put_filter(file, overview, OBJECT_TUNNEL);
	if (overview->troubled[OBJECT_SESSION]) {
		fputs("<tunnel>", file);
		put_filter(file, overview, OBJECT_SESSION);
		fputs("</tunnel>", file);
	}
	fputs("</" ELEMENT_CONTAINER "></filter></get>", file);
	fclose(file);
	rc = client_read(client, operation, take_trouble, overview, err);
	free(operation);
	return rc;
}

/* ---- the whole */

static int read_state(struct overview *overview, struct client *client, struct error *err)
{
	struct condition condition;
	int rc = client_rpc(client, question, &overview->reply, err);

	if (rc)
		return rc;
	overview->state = node_child(node_child(overview->reply.root, "data", NAMESPACE_BASE),
				     "netconf-state", NAMESPACE_MONITORING);
	overview->service = node_child(overview->state, "service", NAMESPACE_CLIENTS);
	if (!overview->service)
		return error_set(err, ERROR_DENIED,
				 "the daemon does not tell its state: access rules forbid it");
	read_totals(overview);
	for (const struct node *at = overview->service->first; at; at = at->next)
		if (read_condition(at, &condition))
			count(overview, &condition);
	if (overview->troubled[OBJECT_TUNNEL] || overview->troubled[OBJECT_SESSION])
		return read_troubles(overview, client, err);
	return 0;
}

enum cli_status overview_read(struct overview *overview, const struct cli_options *options,
			      struct error *err)
{
	struct client *client;
	enum cli_status status;

	*overview = (struct overview){.worst_count = 0};
	status = talk_connect(options, &client, err);
	if (status)
		return status;
	status = cli_refused(read_state(overview, client, err));
	client_close(client);
	return status;
}

void overview_free(struct overview *overview)
{
	tree_free(&overview->reply);
}
