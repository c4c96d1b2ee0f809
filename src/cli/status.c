/* status: one screen for who was woken, one line for Nagios and Icinga. */
#include <inttypes.h>

#include "base/count_text.h"
#include "cli/clients.h"
#include "cli/command.h"
#include "cli/json.h"
#include "cli/age.h"
#include "cli/overview.h"
#include "model/names.h"

static const char *const plural[] = {"s", ""};

/* "65,000 sessions" */
static void put_count(uint64_t number, const char *noun)
{
	char text[COUNT_TEXT];

	printf("%s %s%s", count_text(number, text), noun, plural[number == 1]);
}

static void put_daemon(const struct overview *overview)
{
	const struct node *statistics =
		node_child(overview->state, "statistics", NAMESPACE_MONITORING);
	const char *start = node_text(statistics, "netconf-start-time", NAMESPACE_MONITORING);
	const char *error = overview_leaf(overview, "last-error");
	char age[AGE_MAX];

	printf("l2tpv3d %s", overview_leaf(overview, "version"));
	if (start && age_since(start, age))
		printf(", up %s", age);
	printf(", Linux %s, commit %s\n", overview_leaf(overview, "kernel-release"),
	       overview_leaf(overview, "generation"));
	if (*error)
		printf("last refused or failed commit: %s\n", error);
}

static void put_doors(const struct overview *overview)
{
	static const struct {
		const char *name, *text;
	} snmp[] = {
		{"connected", "SNMP: registered with its master"},
		{"waiting", "SNMP: no AgentX master answers (snmpd has to run, with \"master "
			    "agentx\" in snmpd.conf)"},
		{"off", "SNMP: off"},
	};
	const struct node *list = node_child(overview->state, "sessions", NAMESPACE_MONITORING);
	uint64_t netconf = 0, shells = 0;

	for (size_t i = 0; i < sizeof(snmp) / sizeof(snmp[0]); i++)
		if (!strcmp(snmp[i].name, overview_leaf(overview, "snmp")))
			fputs(snmp[i].text, stdout);
	for (const struct node *at = list ? list->first : NULL; at; at = at->next) {
		const char *door = node_text(at, "door", NAMESPACE_CLIENTS);

		*(door && !strcmp(door, "cli") ? &shells : &netconf) += 1;
	}
	fputs("; ", stdout);
	put_count(netconf, "NETCONF session");
	fputs(", ", stdout);
	put_count(shells, "shell");
	puts(shells == 1 ? " (this one)" : "");
}

/* "65,000 sessions: 64,990 up, 10 waiting; 2 of them foreign" */
static void put_states(const struct overview *overview, enum object object)
{
	const char *before = ": ";
	char text[COUNT_TEXT];

	put_count(overview->count[object], row_sets[object].name);
	for (const struct word *word = oper_status_words; word->name; word++) {
		uint32_t count = overview->by_status[object][word->value];

		if (!count)
			continue;
		printf("%s%s %s", before, count_text(count, text), word->name);
		before = ", ";
	}
	if (overview->disabled[object])
		printf("; %s disabled", count_text(overview->disabled[object], text));
	if (overview->foreign[object])
		printf("; %s made by others", count_text(overview->foreign[object], text));
	putchar('\n');
}

/* "1,234 packets (123,400 octets) sent" */
static void put_carried(uint64_t packets, uint64_t octets, const char *how)
{
	put_count(packets, "packet");
	fputs(" (", stdout);
	put_count(octets, "octet");
	printf(") %s", how);
}

static void put_totals(const struct statistics *totals)
{
	if (!totals->tx_packets && !totals->rx_packets)
		return;
	fputs("Carried since it started: ", stdout);
	put_carried(totals->tx_packets, totals->tx_bytes, "sent, ");
	put_carried(totals->rx_packets, totals->rx_bytes, "received\n");
}

static void put_name(const struct trouble *trouble)
{
	if (trouble->object == OBJECT_SESSION)
		printf("session %" PRIu32 " in ", trouble->session_id);
	printf("tunnel %" PRIu32, trouble->tunnel_id);
	if (*trouble->description)
		printf(" (%s)", trouble->description);
}

/* Absent: it has been so since it was made. */
static void put_since(const struct trouble *trouble)
{
	if (*trouble->since)
		printf(" since %.19sZ", trouble->since);
}

static void put_trouble(const struct trouble *trouble)
{
	char age[AGE_MAX];

	fputs("  ", stdout);
	put_name(trouble);
	printf(": %s, %s", trouble->status->name, trouble->reason->name);
	put_since(trouble);
	if (age_since(trouble->since, age))
		printf(" (%s)", age);
	printf("%s%s\n", *trouble->text ? "\n    " : "", trouble->text);
}

static void put_troubles(const struct overview *overview)
{
	uint64_t all =
		(uint64_t)overview->troubled[OBJECT_TUNNEL] + overview->troubled[OBJECT_SESSION];
	char text[COUNT_TEXT];

	if (!all) {
		puts("What should be up is up.");
		return;
	}
	puts("Not up and should be, the worst first:");
	for (unsigned int i = 0; i < overview->worst_count; i++)
		put_trouble(&overview->worst[i]);
	if (all > overview->worst_count)
		printf("  and %s more: see \"l2tpv3ctl show problem\"\n",
		       count_text(all - overview->worst_count, text));
	if (overview->dependent)
		printf("  %s session%s only wait%s for %s tunnel\n",
		       count_text(overview->dependent, text), plural[overview->dependent == 1],
		       overview->dependent == 1 ? "s" : "",
		       overview->dependent == 1 ? "its" : "their");
}

static void put_screen(const struct overview *overview)
{
	put_daemon(overview);
	put_doors(overview);
	clients_print_pending(overview->state);
	put_totals(&overview->totals);
	for (enum object object = OBJECT_TUNNEL; object < OBJECTS; object++)
		put_states(overview, object);
	put_troubles(overview);
}

/* ---- JSON */

static void json_number(struct json *json, const char *name, uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	json_value(json, name, text, false);
}

static void json_states(struct json *json, const struct overview *overview, enum object object)
{
	json_open(json, row_sets[object].name, '{');
	json_number(json, "count", overview->count[object]);
	for (const struct word *word = oper_status_words; word->name; word++)
		json_number(json, word->name, overview->by_status[object][word->value]);
	json_number(json, "disabled", overview->disabled[object]);
	json_number(json, "foreign", overview->foreign[object]);
	json_number(json, "problems", overview->troubled[object]);
	json_close(json, '}');
}

static void json_totals(struct json *json, const struct statistics *totals)
{
	const struct row_set *set = &row_sets[OBJECT_TUNNEL];
	char text[VALUE_TEXT_MAX];

	json_open(json, ELEMENT_STATISTICS, '{');
	for (unsigned int i = 0; i < set->count; i++) {
		if (set->rows[i].type != TYPE_COUNTER)
			continue;
		codec_print(&set->rows[i], totals, text);
		json_value(json, set->rows[i].leaf, text, true);
	}
	json_close(json, '}');
}

static void put_json(const struct overview *overview, bool pretty)
{
	static const char *const leaves[] = {"version", "kernel-release", "snmp", "last-error"};
	struct json json = {.file = stdout, .pretty = pretty};

	json_open(&json, NULL, '{');
	for (size_t i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++)
		if (*overview_leaf(overview, leaves[i]))
			json_value(&json, leaves[i], overview_leaf(overview, leaves[i]), true);
	json_value(&json, "generation", overview_leaf(overview, "generation"), true);
	for (enum object object = OBJECT_TUNNEL; object < OBJECTS; object++)
		json_states(&json, overview, object);
	json_totals(&json, &overview->totals);
	json_open(&json, "worst", '[');
	for (unsigned int i = 0; i < overview->worst_count; i++) {
		const struct trouble *trouble = &overview->worst[i];

		json_open(&json, NULL, '{');
		json_number(&json, row_sets[OBJECT_TUNNEL].key->leaf, trouble->tunnel_id);
		if (trouble->object == OBJECT_SESSION)
			json_number(&json, row_sets[OBJECT_SESSION].key->leaf, trouble->session_id);
		json_value(&json, "oper-status", trouble->status->name, true);
		json_value(&json, "status-reason", trouble->reason->name, true);
		json_value(&json, "status-text", trouble->text, true);
		json_value(&json, "last-change", trouble->since, true);
		json_close(&json, '}');
	}
	json_close(&json, ']');
	json_close(&json, '}');
}

/* ---- monitoring plugins */

/* The exit statuses that Nagios and Icinga know. */
enum plugin_status { PLUGIN_OK, PLUGIN_WARNING, PLUGIN_CRITICAL, PLUGIN_UNKNOWN };

static enum cli_status begin_line(enum plugin_status status)
{
	static const char *const words[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};

	printf("L2TPV3 %s - ", words[status]);
	return (enum cli_status)(CLI_VERDICT + (int)status);
}

/* " sessions=65000 sessions_up=64990;;;0;65000 sessions_problem=10" */
static void put_performance(const struct overview *overview, enum object object)
{
	const char *name = row_sets[object].name;
	uint32_t count = overview->count[object];

	printf(" %ss=%" PRIu32, name, count);
	for (const struct word *word = oper_status_words; word->name; word++)
		printf(" %ss_%s=%" PRIu32 ";;;0;%" PRIu32, name, word->name,
		       overview->by_status[object][word->value], count);
	printf(" %ss_problem=%" PRIu32 ";;;0;%" PRIu32, name, overview->troubled[object], count);
}

static enum cli_status put_line(const struct overview *overview)
{
	uint32_t tunnels = overview->troubled[OBJECT_TUNNEL];
	uint32_t sessions = overview->troubled[OBJECT_SESSION];
	enum cli_status status = begin_line(overview->critical    ? PLUGIN_CRITICAL
					    : tunnels || sessions ? PLUGIN_WARNING
								  : PLUGIN_OK);

	if (!tunnels && !sessions) {
		put_count(overview->count[OBJECT_TUNNEL], "tunnel");
		fputs(", ", stdout);
		put_count(overview->count[OBJECT_SESSION], "session");
		fputs(", what should be up is up", stdout);
	} else {
		put_count(tunnels, "tunnel");
		fputs(" and ", stdout);
		put_count(sessions, "session");
		fputs(" not up", stdout);
	}
	if (overview->worst_count) {
		const struct trouble *worst = &overview->worst[0];

		/* no description: it may have a '|' in it */
		fputs(", ", stdout);
		if (worst->object == OBJECT_SESSION)
			printf("session %" PRIu32 " in ", worst->session_id);
		printf("tunnel %" PRIu32 " %s (%s)", worst->tunnel_id, worst->status->name,
		       worst->reason->name);
		put_since(worst);
	}
	fputs(" |", stdout);
	put_performance(overview, OBJECT_TUNNEL);
	put_performance(overview, OBJECT_SESSION);
	putchar('\n');
	return status;
}

static enum cli_status put_failure(const struct error *err)
{
	enum cli_status status =
		begin_line(err->code == ERROR_DENIED ? PLUGIN_UNKNOWN : PLUGIN_CRITICAL);

	puts(err->text);
	return status;
}

enum cli_status status_run(const struct command *command, const struct cli_options *options,
			   int argc, char *argv[], struct error *err)
{
	struct overview overview;
	enum cli_status status;

	(void)command;
	if (argc)
		return cli_usage_error(err, "unexpected \"%.64s\"", argv[0]);
	status = overview_read(&overview, options, err);
	if (status)
		status = options->plugin ? put_failure(err) : status;
	else if (options->plugin)
		status = put_line(&overview);
	else if (options->json)
		put_json(&overview, options->pretty);
	else
		put_screen(&overview);
	overview_free(&overview);
	return status;
}
