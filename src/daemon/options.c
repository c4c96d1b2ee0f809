#include "daemon/options.h"

#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/log.h"
#include "model/names.h"
#include "netconf/modules.h"

enum kind {
	KIND_FLAG,
	KIND_TEXT,
	KIND_NUMBER,
	KIND_LIMIT, /* a number; 0: none */
	KIND_TOPICS,
	KIND_VERSION,
	KIND_HELP
};

struct option_row {
	const char *name; /* long */
	char letter;      /* 0 none */
	enum kind kind;
	size_t offset;
	const char *argument;
	const char *help;
};

#define DEBUG_TOPICS "engine,netconf,snmp,all"

#define AT(member) offsetof(struct options, member)

/* clang-format off */
static const struct option_row rows[] = {
	{ "foreground",   'f', KIND_FLAG,   AT(foreground),      NULL,     "stay in the foreground, log to stderr" },
	{ "state",        's', KIND_TEXT,   AT(state_directory), "DIR",    "state directory (" STATE_DIRECTORY ")" },
	{ "socket",       'S', KIND_TEXT,   AT(socket_path),     "PATH",   "control socket (" CONTROL_SOCKET ")" },
	{ "agentx",       'x', KIND_TEXT,   AT(agentx_address),  "ADDR",   "AgentX address of snmpd (" AGENTX_ADDRESS ")" },
	{ "context",      0,   KIND_TEXT,   AT(context),         "NAME",   "SNMP context to serve in (snmpwalk -n NAME)" },
	{ "no-snmp",      0,   KIND_FLAG,   AT(no_snmp),         NULL,     "do not start the SNMP door" },
	{ "notify",       0,   KIND_FLAG,   AT(notify),          NULL,     "send SNMP notifications from the start" },
	{ "notify-pw",    0,   KIND_FLAG,   AT(notify_pseudowires), NULL,  "send PW-STD-MIB's pwUp, pwDown and pwDeleted" },
	{ "notify-rate",  0,   KIND_NUMBER, AT(notify_rate),     "N",      "send at most this many of them a second (200)" },
	{ "notify-each",  0,   KIND_NUMBER, AT(notify_each),     "N",      "sum up, when more sessions of a tunnel change in a second (20)" },
	{ "netns",        'N', KIND_TEXT,   AT(netns),           "NAME",   "manage this network namespace (ip netns)" },
	{ "kernel",       0,   KIND_TEXT,   AT(kernel),          "WHICH",  "real, or sim (sim:6.1, sim:6.12) to simulate one in memory" },
	{ "no-repair",    0,   KIND_FLAG,   AT(no_repair),       NULL,     "report what others change, but do not restore it" },
	{ "counter-age",  0,   KIND_NUMBER, AT(counter_age_ms),  "MS",     "serve counters no older than this (1000)" },
	{ "idle-timeout", 0,   KIND_LIMIT, AT(idle_timeout),   "S",      "end NETCONF sessions idle this long; 0: never (1800)" },
	{ "lock-timeout", 0,   KIND_LIMIT, AT(lock_timeout),   "S",      "the same for a session that holds a lock (300)" },
	{ "history-size", 0,   KIND_NUMBER, AT(history_size),    "MB",     "keep as much of the history of commits (64)" },
	{ "history-age",  0,   KIND_LIMIT,  AT(history_age),     "DAYS",   "keep commits no older than this; 0: of any age (0)" },
	{ "yang-path",    0,   KIND_TEXT,   AT(yang_path),       "PATH",   "folders of YANG modules for get-schema, ':' between them" },
	{ "check",        'n', KIND_TEXT,   AT(check_file),      "FILE",   "check an XML configuration and exit" },
	{ "debug",        'd', KIND_TOPICS, AT(debug),           "TOPICS", "log debugging: " DEBUG_TOPICS },
	{ "version",      'V', KIND_VERSION, 0,                  NULL,     "print the version and exit" },
	{ "help",         'h', KIND_HELP,   0,                   NULL,     "print this and exit" },
};
/* clang-format on */

#define ROWS      (sizeof(rows) / sizeof(rows[0]))
#define LONG_ONLY 256 /* getopt_long() value of row n without a letter: LONG_ONLY + n */

static void print_usage(FILE *file)
{
	fputs("usage: l2tpv3d [option ...]\n"
	      "Manages the kernel's static L2TPv3 tunnels and sessions: SNMP, NETCONF, shell.\n\n",
	      file);
	for (size_t i = 0; i < ROWS; i++) {
		char left[40], letter[8] = "    ";

		if (rows[i].letter)
			snprintf(letter, sizeof(letter), "-%c, ", rows[i].letter);
		snprintf(left, sizeof(left), "%s--%s%s%s", letter, rows[i].name,
			 rows[i].argument ? " " : "", rows[i].argument ? rows[i].argument : "");
		fprintf(file, "  %-26s %s\n", left, rows[i].help);
	}
}

static void make_getopt(char letters[2 * ROWS + 1], struct option longs[ROWS + 1])
{
	size_t at = 0;

	memset(longs, 0, (ROWS + 1) * sizeof(*longs));
	for (size_t i = 0; i < ROWS; i++) {
		longs[i].name = rows[i].name;
		longs[i].has_arg = rows[i].argument ? required_argument : no_argument;
		longs[i].val = rows[i].letter ? rows[i].letter : LONG_ONLY + (int)i;
		if (!rows[i].letter)
			continue;
		letters[at++] = rows[i].letter;
		if (rows[i].argument)
			letters[at++] = ':';
	}
	letters[at] = '\0';
}

static const struct option_row *find_row(int value)
{
	for (size_t i = 0; i < ROWS; i++)
		if (value == (rows[i].letter ? rows[i].letter : LONG_ONLY + (int)i))
			return &rows[i];
	return NULL;
}

static bool take_number(const struct option_row *row, const char *text, unsigned int *ret)
{
	char *end;
	unsigned long value, least = row->kind == KIND_LIMIT ? 0 : 1;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || end == text || value < least || value > 3600000) {
		fprintf(stderr, "l2tpv3d: --%s %s: give a number from %lu to 3600000\n", row->name,
			text, least);
		return false;
	}
	*ret = (unsigned int)value;
	return true;
}

static bool take_topics(const char *text, const char **ret)
{
	*ret = text;
	for (size_t length; *text; text += length + (text[length] == ',')) {
		length = strcspn(text, ",");
		if (!log_has_topic(DEBUG_TOPICS, text, length)) {
			fprintf(stderr, "l2tpv3d: --debug %.*s: the topics are " DEBUG_TOPICS "\n",
				(int)length, text);
			return false;
		}
	}
	return true;
}

static enum options_verdict take(const struct option_row *row, const char *text,
				 struct options *options)
{
	char *member = (char *)options + row->offset;

	switch (row->kind) {
	case KIND_FLAG:
		*(bool *)member = true;
		return OPTIONS_RUN;
	case KIND_TEXT:
		*(const char **)member = text;
		return OPTIONS_RUN;
	case KIND_NUMBER:
	case KIND_LIMIT:
		return take_number(row, text, (unsigned int *)member) ? OPTIONS_RUN : OPTIONS_WRONG;
	case KIND_TOPICS:
		return take_topics(text, (const char **)member) ? OPTIONS_RUN : OPTIONS_WRONG;
	case KIND_VERSION:
		printf("l2tpv3d %s\n", VERSION);
		return OPTIONS_DONE;
	case KIND_HELP:
		print_usage(stdout);
		return OPTIONS_DONE;
	}
	return OPTIONS_WRONG;
}

enum options_verdict options_read(int argc, char **argv, struct options *ret)
{
	char letters[2 * ROWS + 1];
	struct option longs[ROWS + 1];
	enum options_verdict verdict = OPTIONS_RUN;
	int value;

	*ret = (struct options){
		.state_directory = STATE_DIRECTORY,
		.socket_path = CONTROL_SOCKET,
		.agentx_address = AGENTX_ADDRESS,
		.context = "",
		.yang_path = MODULES_PATH,
		.kernel = "real",
		.debug = "",
		.counter_age_ms = 1000,
		.idle_timeout = 1800,
		.lock_timeout = 300,
		.history_size = 64,
	};
	make_getopt(letters, longs);
	while (verdict == OPTIONS_RUN &&
	       (value = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		const struct option_row *row = find_row(value);

		verdict = row ? take(row, optarg, ret) : OPTIONS_WRONG;
	}
	if (verdict == OPTIONS_RUN && optind < argc) {
		fprintf(stderr, "l2tpv3d: %s: only options are accepted\n", argv[optind]);
		verdict = OPTIONS_WRONG;
	}
	if (verdict == OPTIONS_WRONG)
		fputs("l2tpv3d -h lists the options\n", stderr);
	return verdict;
}

bool options_relative(const struct options *options)
{
	const char *master = options->agentx_address;

	for (const char *path = options->yang_path; *path; path += *path == ':') {
		if (*path != '/')
			return true;
		path += strcspn(path, ":");
	}
	return options->state_directory[0] != '/' || options->socket_path[0] != '/' ||
	       (strncmp(master, "unix:", 5) == 0 && master[5] != '/');
}
