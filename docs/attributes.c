/*
 * The attribute lists of the documentation, printed from the mapping table: a
 * filter that copies a document and writes anew what stands between a line with
 * "attributes: tunnel" or "attributes: session" and one with "end of
 * attributes". Those lines are comments, of mdoc(7) or of Markdown. Between
 * "attributes: ip-l2tp" and the end comes what the words of `ip l2tp` are here; after
 * "attributes: exporter" and "attributes: zabbix" what docs/nms has of the table, whose marks are
 * comments of YAML.
 *
 *	build/attributes <docs/attributes.md >new
 *
 * `make lint` fails when new and old differ. For the tests, which walk the same
 * table and must not have a list of their own:
 *
 *	build/attributes json
 */
#include <inttypes.h>

#include "columns.h"
#include "model/codec.h"

#define BEGIN_MARK "attributes: "
#define END_MARK   "end of attributes"

static const char *const changes[] = {
	[CHANGE_NEVER] = "",
	[CHANGE_LOCAL] = "nothing in the kernel",
	[CHANGE_MODIFY] = "in place, by the kernel",
	[CHANGE_LINK] = "in place, on the interface",
	[CHANGE_RECREATE] = "the object is re-created",
	[CHANGE_EXIST] = "the object is deleted or created",
};

static const char *const types[TYPES] = {
	[TYPE_BOOL] = "true, false",
	[TYPE_U16] = "number",
	[TYPE_U32] = "number",
	[TYPE_STRING] = "text",
	[TYPE_IFNAME] = "interface name",
	[TYPE_ADDRESS] = "IPv4 or IPv6 address",
	[TYPE_MAC] = "MAC address",
	[TYPE_COOKIE] = "hexadecimal digits",
	[TYPE_COUNTER] = "64-bit counter",
	[TYPE_TIME] = "date and time",
	[TYPE_TEXT] = "text",
};

static void put_words(FILE *file, const struct row *row)
{
	for (const struct word *word = row->words; word->name; word++)
		fprintf(file, "%s%s", word == row->words ? "" : ", ", word->name);
}

static bool has_range(const struct row *row)
{
	return (row->type == TYPE_U16 || row->type == TYPE_U32) && row->part == PART_CONFIG;
}

static void put_type(FILE *file, const struct row *row)
{
	if (row->type == TYPE_ENUM)
		put_words(file, row);
	else if (has_range(row))
		fprintf(file, "%" PRIu32 "..%" PRIu32, row->min, row->max);
	else if (row->type == TYPE_STRING)
		fprintf(file, "text, at most %" PRIu32 " octets of UTF-8", row->max);
	else if (row->type == TYPE_COOKIE)
		fprintf(file, "hexadecimal digits, 0, 4 or %" PRIu32 " octets", row->max);
	else
		fputs(types[row->type], file);
	if (row->units && row->type != TYPE_COUNTER)
		fprintf(file, has_range(row) ? " %s" : " (%s)", row->units);
}

static void put_netlink(const struct row *row)
{
	if (!row->genl)
		printf("-");
	else if (row->genl_pair)
		printf("%u, %u", row->genl, row->genl_pair);
	else
		printf("%u", row->genl);
}

/* Each item of "first|second" as @format, which takes a separator, a length and the item. */
static void put_list(const char *list, const char *separator, const char *format)
{
	for (const char *at = list; at && *at;) {
		size_t length = strcspn(at, "|");

		printf(format, at == list ? "" : separator, (int)length, at);
		at += length + (at[length] == '|');
	}
}

static void markdown_row(const struct row *row)
{
	printf("| %s | ", row->leaf);
	put_type(stdout, row);
	printf(" | %s | ", row->mandatory ? "mandatory" : row->fallback ? row->fallback : "");
	if (row->mib)
		printf("%s%s", mib_prefix(row->mib_table), row->mib);
	printf(" | ");
	put_list(row->cli, ", ", "%s`%.*s`");
	printf(" | ");
	put_netlink(row);
	printf(" | %s | %s |\n", changes[row->change], row->doc);
}

static void print_markdown(const struct row_set *set)
{
	puts("\n| leaf | value | default | MIB object | l2tpv3ctl | netlink | a change | meaning "
	     "|\n"
	     "|---|---|---|---|---|---|---|---|");
	for (unsigned int i = 0; i < set->count; i++)
		markdown_row(&set->rows[i]);
	putchar('\n');
}

/* ---- the words of `ip l2tp` */

/* What may stand for a value on a command line. */
static void put_spellings(const struct row *row)
{
	if (row->type == TYPE_BOOL)
		fputs("`on`, `off`", stdout);
	else if (row->type != TYPE_ENUM)
		put_type(stdout, row);
	for (const struct word *word = row->words; word && word->name; word++) {
		printf("%s`%s`", word == row->words ? "" : ", ", word->name);
		if (word->alias)
			put_list(word->alias, "", "%s or `%.*s`");
	}
}

static void ip_row(const struct row *row)
{
	printf("| ");
	put_list(row->cli, ", ", "%s`%.*s`");
	printf(" | %s | ", row->leaf);
	put_spellings(row);
	printf(" | %s%s | ", mib_prefix(row->mib_table), row->mib);
	put_netlink(row);
	printf(" | %s |\n", row->doc);
}

static void print_ip(const struct row_set *set)
{
	(void)set;
	for (unsigned int object = 0; object < OBJECTS; object++) {
		printf("\n### Of a %s\n\n"
		       "| word | leaf, and our word | value | MIB object | netlink | on Linux "
		       "today |\n"
		       "|---|---|---|---|---|---|\n",
		       row_sets[object].name);
		for (unsigned int i = 0; i < row_sets[object].config_count; i++) {
			if (row_sets[object].rows[i].ip != IP_NONE)
				ip_row(&row_sets[object].rows[i]);
		}
	}
	puts("\n### Of neither\n\n| word | taken | on Linux today |\n|---|---|---|");
	for (const struct ignored_keyword *at = ignored_keywords; at->cli; at++) {
		printf("| ");
		put_list(at->cli, ", ", "%s`%.*s`");
		printf(" | %s | %s |\n", at->accepted ? at->accepted : "never", at->why);
	}
	putchar('\n');
}

/* ---- for management systems */

static void print_exporter(const struct row_set *set)
{
	for (unsigned int i = 0; i < set->count; i++) {
		const struct row *row = &set->rows[i];

		if (row->type == TYPE_COUNTER)
			printf("      - %s%s\n", mib_prefix(row->mib_table), row->mib);
	}
}

/* In place of a UUID of version 4, which has to stay the same: "l2tpv3", table and column. */
static void zabbix_uuid(const struct row *row)
{
	printf("6c32747076334%03x8%03x000000000000\n", row->mib_table, row->mib_column);
}

/* An item prototype of a counter: what it grows by in a second, and of octets in bits. */
static void zabbix_counter(const struct row_set *set, const struct row *row)
{
	bool octets = !strcmp(row->units, "octets");
	const char *name = row->object == OBJECT_SESSION ? "{#SNMPINDEX} {#NAME}" : "{#SNMPINDEX}";

	printf("            - uuid: ");
	zabbix_uuid(row);
	printf("              name: 'L2TPv3 %s %s: %s'\n"
	       "              type: SNMP_AGENT\n"
	       "              snmp_oid: '",
	       set->name, name, row->leaf);
	for (size_t i = 0; i < mib_root_length; i++)
		printf("%lu.", mib_root[i]);
	printf("1.%u.1.%u.{#SNMPINDEX}'\n"
	       "              key: 'l2tpv3.%s.%s[{#SNMPINDEX}]'\n"
	       "              history: 7d\n"
	       "              value_type: FLOAT\n"
	       "              units: %s\n"
	       "              description: '%s.'\n"
	       "              preprocessing:\n"
	       "                - type: CHANGE_PER_SECOND\n"
	       "                  parameters:\n"
	       "                    - ''\n"
	       "%s",
	       row->mib_table, row->mib_column, set->name, row->leaf, octets ? "bps" : "pps",
	       row->doc,
	       octets ? "                - type: MULTIPLIER\n"
			"                  parameters:\n"
			"                    - '8'\n"
		      : "");
	printf("              tags:\n"
	       "                - tag: component\n"
	       "                  value: l2tpv3\n"
	       "                - tag: %s\n"
	       "                  value: '%s'\n",
	       set->name, name);
}

static void print_zabbix(const struct row_set *set)
{
	for (unsigned int i = 0; i < set->count; i++) {
		if (set->rows[i].type == TYPE_COUNTER)
			zabbix_counter(set, &set->rows[i]);
	}
}

/* The words of a state leaf, as the value map has them. */
static void zabbix_words(const struct word *words)
{
	for (; words->name; words++)
		printf("            - value: '%u'\n              newvalue: %s\n", words->value,
		       words->name);
}

static void print_zabbix_status(const struct row_set *set)
{
	(void)set;
	zabbix_words(oper_status_words);
}

static void print_zabbix_reason(const struct row_set *set)
{
	(void)set;
	zabbix_words(status_reason_words);
}

/* A sentence, in lines no longer than manuals have. */
static void put_wrapped(const char *before, const char *text)
{
	int column = printf("%s", before);

	while (*text) {
		size_t length = strcspn(text, " ");

		if (column && column + (int)length > 76) {
			putchar('\n');
			column = 0;
		}
		column += printf("%s%.*s", column > (int)strlen(before) ? " " : "", (int)length,
				 text);
		text += length + (text[length] == ' ');
	}
	puts(".");
}

static void put_mdoc_value(const struct row *row)
{
	char *text = NULL;
	size_t length;
	FILE *file = open_memstream(&text, &length);

	if (!file)
		return;
	put_type(file, row);
	fclose(file);
	put_wrapped("Value: ", text);
	free(text);
}

static void put_mdoc_facts(const struct row *row)
{
	put_mdoc_value(row);
	if (row->fallback)
		printf("Default: %s.\n", row->fallback);
	if (row->mandatory)
		puts("Mandatory.");
	if (*codec_condition(row))
		put_wrapped("Applies ", codec_condition(row));
	if (*changes[row->change])
		printf("A change: %s.\n", changes[row->change]);
	if (row->cli) {
		printf("Keyword:");
		put_list(row->cli, " ,", "%s\n.Cm %.*s");
		puts(" .");
	}
	if (row->mib)
		printf("MIB:\n.Va %s%s .\n", mib_prefix(row->mib_table), row->mib);
}

static void print_mdoc(const struct row_set *set)
{
	puts(".Bl -tag -width Ds");
	for (unsigned int i = 0; i < set->count; i++) {
		printf(".It Ic %s\n", set->rows[i].leaf);
		put_wrapped("", set->rows[i].doc);
		put_mdoc_facts(&set->rows[i]);
	}
	puts(".El");
}

typedef void printer(const struct row_set *set);

static const struct {
	const char *name;
	printer *print;
	const struct row_set *set;
} others[] = {
	{"ip-l2tp", print_ip, NULL},
	{"exporter tunnel", print_exporter, &row_sets[OBJECT_TUNNEL]},
	{"exporter session", print_exporter, &row_sets[OBJECT_SESSION]},
	{"zabbix tunnel", print_zabbix, &row_sets[OBJECT_TUNNEL]},
	{"zabbix session", print_zabbix, &row_sets[OBJECT_SESSION]},
	{"zabbix oper-status", print_zabbix_status, NULL},
	{"zabbix status-reason", print_zabbix_reason, NULL},
};

/* What comes after a line with a mark, and of which rows; NULL for other lines. */
static printer *find_printer(const char *line, const struct row_set **ret_set)
{
	const char *mark = strstr(line, BEGIN_MARK);

	if (!mark)
		return NULL;
	mark += strlen(BEGIN_MARK);
	for (unsigned int object = 0; object < OBJECTS; object++) {
		*ret_set = &row_sets[object];
		if (!strncmp(mark, row_sets[object].name, strlen(row_sets[object].name)))
			return line[0] == '.' ? print_mdoc : print_markdown;
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		*ret_set = others[i].set;
		if (!strncmp(mark, others[i].name, strlen(others[i].name)))
			return others[i].print;
	}
	return NULL;
}

/* ---- the rows as JSON, an array of objects */

static const char *const access_names[] = {
	[ACCESS_KEY] = "key",
	[ACCESS_WRITE] = "write",
	[ACCESS_READ] = "read",
};

static const char *const part_names[] = {
	[PART_CONFIG] = "config",
	[PART_STATE] = "state",
	[PART_STATISTICS] = "statistics",
};

static const char *const type_names[TYPES] = {
	[TYPE_BOOL] = "bool",       [TYPE_U16] = "u16",       [TYPE_U32] = "u32",
	[TYPE_ENUM] = "enum",       [TYPE_STRING] = "string", [TYPE_IFNAME] = "ifname",
	[TYPE_ADDRESS] = "address", [TYPE_MAC] = "mac",       [TYPE_COOKIE] = "cookie",
	[TYPE_COUNTER] = "counter", [TYPE_TIME] = "time",     [TYPE_TEXT] = "text",
};

static const char *const ip_names[] = {
	[IP_NONE] = "none",
	[IP_OF_OBJECT] = "of object",
	[IP_ANYWHERE] = "anywhere",
};

static const char *const when_names[] = {
	[WHEN_ALWAYS] = "always", [WHEN_UDP] = "udp",   [WHEN_UDP4] = "udp4",
	[WHEN_UDP6] = "udp6",     [WHEN_VLAN] = "vlan", [WHEN_INTERFACE] = "interface",
};

/* Nothing in the table needs more escaping than this. */
static void json_text(const char *name, const char *text)
{
	printf("\"%s\": ", name);
	if (!text) {
		fputs("null, ", stdout);
		return;
	}
	putchar('"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putchar('\\');
		putchar(*text);
	}
	fputs("\", ", stdout);
}

static void json_flag(const char *name, bool set)
{
	printf("\"%s\": %s, ", name, set ? "true" : "false");
}

static void json_words(const struct row *row)
{
	fputs("\"words\": [", stdout);
	for (const struct word *word = row->words; word && word->name; word++) {
		fputs(word == row->words ? "{" : ", {", stdout);
		fputs("\"aliases\": [", stdout);
		put_list(word->alias, ", ", "%s\"%.*s\"");
		fputs("], ", stdout);
		json_text("name", word->name);
		printf("\"value\": %u}", word->value);
	}
	fputs("], ", stdout);
}

static void json_keywords(const struct row *row)
{
	fputs("\"keywords\": [", stdout);
	put_list(row->cli, ", ", "%s\"%.*s\"");
	fputs("], ", stdout);
}

static void json_row(const struct row *row)
{
	putchar('{');
	json_text("object", row_sets[row->object].name);
	json_text("leaf", row->leaf);
	json_text("part", part_names[row->part]);
	json_text("type", type_names[row->type]);
	json_text("access", access_names[row->access]);
	json_text("change", changes[row->change]);
	json_text("ip", ip_names[row->ip]);
	json_text("when", when_names[row->when]);
	json_text("condition", codec_condition(row));
	json_text("fallback", row->fallback);
	json_flag("mandatory", row->mandatory);
	json_flag("secret", row->secret);
	json_flag("zero_is_absent", codec_zero_is_absent(row));
	json_words(row);
	json_keywords(row);
	json_text("descriptor", row->mib);
	json_text("mib_prefix", row->mib ? mib_prefix(row->mib_table) : NULL);
	printf("\"mib_table\": %u, \"mib_column\": %u, ", row->mib_table, row->mib_column);
	printf("\"min\": %" PRIu32 ", \"max\": %" PRIu32 "}", row->min, row->max);
}

static void print_json(void)
{
	const char *before = "[";

	for (unsigned int object = 0; object < OBJECTS; object++) {
		for (unsigned int i = 0; i < row_sets[object].count; i++) {
			puts(before);
			json_row(&row_sets[object].rows[i]);
			before = ",";
		}
	}
	puts("\n]");
}

int main(int argc, char **argv)
{
	char line[1024];
	bool skipping = false;

	if (argc > 1 && !strcmp(argv[1], "json")) {
		print_json();
		return fflush(stdout) ? 1 : 0;
	}
	while (fgets(line, sizeof(line), stdin)) {
		const struct row_set *set;
		printer *print = find_printer(line, &set);

		skipping = skipping && !strstr(line, END_MARK);
		if (!skipping)
			fputs(line, stdout);
		if (!print)
			continue;
		skipping = true;
		print(set);
	}
	return ferror(stdin) || fflush(stdout) ? 1 : 0;
}
