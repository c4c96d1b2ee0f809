#include "cli/command.h"

#include "cli/suggest.h"
#include "model/names.h"

/* clang-format off */
static const struct command commands[] = {
	{ "status", false, VERB_SHOW, status_run, TAKES_OUTPUT | TAKES_PLUGIN,
	  NULL, "[--plugin]",
	  "one screen: the daemon, how many are in which state, and the worst of what is not up" },
	{ "add", true, VERB_ADD, change_run, TAKES_CHECK | TAKES_CONFIRM,
	  "tunnel|session", "KEYWORD VALUE ... [--check|--confirm SECONDS]",
	  "create; both words create a tunnel with its first session" },
	{ "delete", true, VERB_DELETE, change_run, TAKES_CHECK | TAKES_CONFIRM,
	  "tunnel|session", "tunnel_id ID [session_id ID] [--check|--confirm SECONDS]",
	  "delete; deleting a tunnel deletes its sessions" },
	{ "show", true, VERB_SHOW, show_run, TAKES_OUTPUT | TAKES_MORE | TAKES_PROMETHEUS,
	  "tunnel|session", "[problem] [KEYWORD VALUE ...]",
	  "print what matches every value, or is not up and should be, in the form of ip l2tp" },
	/* The abbreviation finds the command before it; its function looks at the word. */
	{ "show", true, VERB_SHOW, show_run, TAKES_OUTPUT,
	  NULL, "clients",
	  "print the clients of the daemon, since when, and who holds the lock" },
	{ "show", true, VERB_SHOW, show_run, TAKES_PROMETHEUS,
	  "[tunnel|session]", "[KEYWORD VALUE ...] --prometheus",
	  "print names, states and counters as Prometheus reads them" },
	{ "lst", true, VERB_SHOW, show_run, TAKES_OUTPUT | TAKES_MORE | TAKES_PROMETHEUS,
	  "tunnel|session", "[KEYWORD VALUE ...]", NULL },
	{ "list", true, VERB_SHOW, show_run, TAKES_OUTPUT | TAKES_MORE | TAKES_PROMETHEUS,
	  "tunnel|session", "[KEYWORD VALUE ...]", NULL },
	{ "explain", false, VERB_SHOW, explain_run, 0,
	  "tunnel|session", "tunnel_id ID [session_id ID]",
	  "say in sentences what it waits for, its path, MTU and counters" },
	{ "monitor", false, VERB_SHOW, monitor_run, TAKES_OUTPUT,
	  NULL, NULL,
	  "print what happens as it happens, with -j a JSON object a line" },
	{ "top", false, VERB_GET, top_run, TAKES_TOP,
	  "[tunnel|session]", "[KEYWORD VALUE ...] [-b] [-n COUNT] [-i SECONDS]",
	  "show who sends and receives most, again and again" },
	{ "set", false, VERB_SET, change_run, TAKES_CHECK | TAKES_CONFIRM,
	  "tunnel|session", "tunnel_id ID [session_id ID] KEYWORD VALUE|no-KEYWORD ... [--check|--confirm SECONDS]",
	  "change leaves of what exists; no-KEYWORD resets one to its default" },
	{ "get", false, VERB_GET, get_run, TAKES_OUTPUT,
	  "[tunnel|session]", "[KEYWORD VALUE ...]",
	  "print configuration, state and counters as XML, or with -j as JSON" },
	{ "get-config", false, VERB_GET, get_config_run, TAKES_OUTPUT | TAKES_SCRIPT,
	  "[tunnel|session]", "[KEYWORD VALUE ...] [--ip]",
	  "print the configuration, in a form that push takes, or as a script of ip l2tp" },
	{ "push", false, VERB_SET, push_run, TAKES_REPLACE | TAKES_CHECK | TAKES_CONFIRM,
	  NULL, "FILE|- [--replace] [--check|--confirm SECONDS]",
	  "merge a file into the configuration, or replace the configuration by it" },
	{ "validate", false, VERB_SET, validate_run, TAKES_REPLACE | TAKES_CHECK,
	  NULL, "FILE|- [--replace]",
	  "say whether push would be accepted; change nothing" },
	{ "import", false, VERB_SET, import_run, TAKES_CHECK | TAKES_CONFIRM,
	  NULL, "FILE|- [--check|--confirm SECONDS]",
	  "take the lines of ip l2tp, and of ip link about what these made, from a script" },
	{ "diff", false, VERB_SET, diff_run, 0,
	  NULL, "FILE|-",
	  "say what push --replace would change, and what that costs" },
	{ "save", false, VERB_SHOW, save_run, 0,
	  NULL, "FILE",
	  "write the configuration into a file that only you can read" },
	{ "confirm", false, VERB_SET, confirm_run, 0,
	  NULL, "[PERSIST-ID]",
	  "keep what was changed with --confirm" },
	{ "cancel", false, VERB_SET, cancel_run, 0,
	  NULL, "[PERSIST-ID]",
	  "undo now what was changed with --confirm" },
	{ "adopt", false, VERB_ADOPT, adopt_run, 0,
	  "[tunnel]", "tunnel_id ID",
	  "take over a tunnel that others made, with its sessions" },
	{ "resync", false, VERB_ADOPT, resync_run, 0,
	  NULL, NULL,
	  "compare with the kernel now, and repair" },
	{ "kill", false, VERB_SHOW, kill_run, 0,
	  NULL, "[session-id] NUMBER",
	  "end a client's session (see \"show clients\") and release its lock" },
	{ "history", false, VERB_SHOW, history_run, TAKES_OUTPUT,
	  NULL, "[last N|all] [before NUMBER] | show NUMBER",
	  "list the latest commits, or what one of them changed" },
	{ "rollback", false, VERB_SET, rollback_run, 0,
	  NULL, "NUMBER",
	  "return to the configuration as that commit left it" },
	{ "help", true, VERB_SHOW, help_run, 0, NULL, "[COMMAND]", "this text, or that of one command with its keywords" },
};

static const char options_text[] =
	"  -S PATH     control socket (default " CONTROL_SOCKET ")\n"
	"  -j          JSON (RFC 7951)\n"
	"  -p          indent JSON\n"
	"  -s          show: counters too\n"
	"  -d          show: every value, with status and reason\n"
	"  -t          show: a table; with -s, rates over a second\n"
	"  --columns LIST  show: a table with these columns: keywords, leaves, age, rx-rate, tx-rate, rx-pps, tx-pps\n"
	"  -br, -o, -c[=always|auto|never]  show: brief, each on one line, in colours, as with ip\n"
	"  -b, -n COUNT, -i SECONDS  top: no screen; so many times; every so many seconds (2)\n"
	"  --replace   push, validate: the file becomes the whole configuration\n"
	"  --plugin    status: one line and an exit status for Nagios and Icinga\n"
	"  --ip        get-config: a script of ip l2tp and ip link\n"
	"  --check     add, delete, set, push: only say whether it would be accepted, what would change, and what that costs\n"
	"  --confirm SECONDS  add, delete, set, push: undo it then, unless \"l2tpv3ctl confirm\" is run\n"
	"  -m TEXT     add, delete, set, push, import: a comment for the history\n"
	"  --batch FILE  instead of a command: its lines of add, delete and set, in one transaction\n"
	"  --force     with --batch: each line by itself, of any command\n"
	"  -V, -h      version; this text\n";
/* clang-format on */

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static bool begins(const char *name, const char *word)
{
	return word[0] && !strncmp(name, word, strlen(word));
}

static enum cli_status set_ambiguous(const char *word, struct error *err)
{
	char names[128] = "";
	size_t used = 0;

	for (size_t i = 0; i < COMMANDS; i++) {
		if (!begins(commands[i].name, word))
			continue;
		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s",
					 used ? ", " : "", commands[i].name);
	}
	return cli_usage_error(err, "\"%s\" could be any of %s", word, names);
}

enum cli_status command_check_options(const struct command *command,
				      const struct cli_options *options, struct error *err)
{
	const struct {
		const char *name;
		bool given;
		unsigned int takes;
	} all[] = {
		{"-j", options->json, TAKES_OUTPUT},
		{"-p", options->pretty, TAKES_OUTPUT},
		{"-s", options->statistics, TAKES_MORE},
		{"-d", options->details, TAKES_MORE},
		{"-t", options->table, TAKES_MORE},
		{"-br", options->brief, TAKES_MORE},
		{"-o", options->oneline, TAKES_MORE},
		{"--columns", options->columns, TAKES_MORE | TAKES_TOP},
		{"-b", options->batch_mode, TAKES_TOP},
		{"-n", options->count, TAKES_TOP},
		{"-i", options->interval, TAKES_TOP},
		{"--prometheus", options->prometheus, TAKES_PROMETHEUS},
		{"--replace", options->replace, TAKES_REPLACE},
		{"--ip", options->script, TAKES_SCRIPT},
		{"--plugin", options->plugin, TAKES_PLUGIN},
		{"--check", options->check, TAKES_CHECK},
		{"--confirm", options->confirm, TAKES_CONFIRM},
		{"-m", options->comment, TAKES_CONFIRM},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (all[i].given && !(command->takes & all[i].takes))
			return cli_usage_error(err, "%s does not go with %s", all[i].name,
					       command->name);
	}
	if (options->prometheus &&
	    (options->json || options->pretty || options->statistics || options->details))
		return cli_usage_error(err,
				       "--prometheus is a form of its own: without -j, -p, -s, -d");
	if (options->script && (options->json || options->pretty))
		return cli_usage_error(err, "--ip is a form of its own: without -j and -p");
	if (options->json && (options->table || options->brief || options->columns))
		return cli_usage_error(err, "-j is no table: without -t, -br and --columns");
	if (options->check && options->confirm)
		return cli_usage_error(err, "--check changes nothing that --confirm could undo");
	return CLI_OK;
}

const struct command *command_at(unsigned int number)
{
	return number < COMMANDS ? &commands[number] : NULL;
}

static void refuse_unknown(const char *word, struct error *err)
{
	struct suggestion suggestion = {.word = word};
	char text[80];

	for (size_t i = 0; i < COMMANDS; i++)
		suggest_try(&suggestion, commands[i].name);
	cli_usage_error(err, "unknown command \"%.64s\"%s", word, suggest_text(&suggestion, text));
}

const struct command *command_find(const char *word, struct error *err)
{
	const struct command *found = NULL;
	unsigned int count = 0;

	for (size_t i = 0; i < COMMANDS; i++) {
		const struct command *command = &commands[i];

		if (!strcmp(command->name, word))
			return command;
		if (!begins(command->name, word))
			continue;
		if (!found || (command->like_ip && !found->like_ip))
			found = command;
		count++;
	}
	if (count > 1 && !found->like_ip) {
		set_ambiguous(word, err);
		return NULL;
	}
	if (!found)
		refuse_unknown(word, err);
	return found;
}

static bool is_command(const char *word)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		/* "t" has always been tunnel */
		if (begins(commands[i].name, word) && (word[1] || commands[i].like_ip))
			return true;
	}
	return false;
}

/* An object's name, or a beginning of it that no command shares; NULL: no object. */
static const struct row_set *object_before_command(const char *word)
{
	for (unsigned int object = 0; object < OBJECTS; object++) {
		if (!strcmp(row_sets[object].name, word) ||
		    (begins(row_sets[object].name, word) && !is_command(word)))
			return &row_sets[object];
	}
	return NULL;
}

const struct command *command_take(int argc, char *argv[], struct error *err)
{
	int objects = 0;
	const struct command *command;
	const struct row_set *set;

	for (; objects < argc && (set = object_before_command(argv[objects])); objects++)
		argv[objects] = (char *)(uintptr_t)set->name;
	if (objects == argc) {
		cli_usage_error(err, "\"%s\" needs a command: add, delete, set, show or get",
				argv[argc - 1]);
		return NULL;
	}
	command = command_find(argv[objects], err);
	if (command) {
		memmove(argv + 1, argv, (size_t)objects * sizeof(*argv));
		argv[0] = (char *)(uintptr_t)command->name;
	}
	return command;
}

/* The values that a keyword takes. */
static void print_placeholder(FILE *file, const struct row *row)
{
	static const char *const names[TYPES] = {
		[TYPE_BOOL] = "on|off", [TYPE_U16] = "NUMBER",       [TYPE_U32] = "NUMBER",
		[TYPE_STRING] = "TEXT", [TYPE_IFNAME] = "NAME",      [TYPE_ADDRESS] = "ADDRESS",
		[TYPE_MAC] = "MAC",     [TYPE_COOKIE] = "HEXDIGITS",
	};

	if (row->type != TYPE_ENUM) {
		fprintf(file, "%s%s", names[row->type] ? names[row->type] : "VALUE",
			row->secret ? "|@FILE|-" : "");
		return;
	}
	for (const struct word *word = row->words; word->name; word++) {
		fprintf(file, "%s%s%s%s", word == row->words ? "" : "|", word->name,
			word->alias ? "|" : "", word->alias ? word->alias : "");
	}
}

static const char *default_word(const struct row *row)
{
	if (row->type != TYPE_BOOL)
		return row->fallback;
	return strcmp(row->fallback, "true") ? "off" : "on";
}

static void print_keywords(FILE *file, enum object object)
{
	const struct row_set *set = &row_sets[object];

	fprintf(file, "\nKeywords of a %s:\n", set->name);
	for (unsigned int i = 0; i < set->config_count; i++) {
		const struct row *row = &set->rows[i];

		if (!row->cli)
			continue;
		fprintf(file, "  %s ", row->cli);
		print_placeholder(file, row);
		if (row->fallback)
			fprintf(file, " (%s)", default_word(row));
		putc('\n', file);
	}
}

static void print_words(FILE *file, const char *first, const char *second, const char *rest)
{
	fprintf(file, "%s%s%s%s%s\n", first, second ? " " : "", second ? second : "",
		rest ? " " : "", rest ? rest : "");
}

void command_print_synopsis(FILE *file, const struct command *command)
{
	fputs("Usage: l2tpv3ctl [OPTIONS] ", file);
	print_words(file, command->name, command->object, command->arguments);
	if (!command->object)
		return;
	fputs("   or: l2tpv3ctl [OPTIONS] ", file);
	print_words(file, command->object, command->name, command->arguments);
}

void command_print_usage(FILE *file)
{
	fputs("Usage: l2tpv3ctl [OPTIONS] COMMAND ...\n"
	      "   or: l2tpv3ctl [OPTIONS] tunnel|session COMMAND ...\n\nCommands:\n",
	      file);
	for (size_t i = 0; i < COMMANDS; i++) {
		if (!commands[i].help)
			continue;
		fputs("  ", file);
		print_words(file, commands[i].name, commands[i].object, commands[i].arguments);
		fprintf(file, "      %s\n", commands[i].help);
	}
	fputs("\ntunnel and session may also come before the command: tunnel add ..., session "
	      "show.\n",
	      file);
	fprintf(file, "\nOptions:\n%s", options_text);
	for (unsigned int object = 0; object < OBJECTS; object++)
		print_keywords(file, object);
	fputs("\nDefaults are in parentheses. Numbers may be hexadecimal (0x12) or octal (017).\n",
	      file);
}

/* Every form of the command, and the keywords that it takes. */
static void print_command(FILE *file, const char *name)
{
	bool takes[OBJECTS] = {false};

	for (size_t i = 0; i < COMMANDS; i++) {
		const struct command *command = &commands[i];

		if (strcmp(command->name, name) != 0)
			continue;
		command_print_synopsis(file, command);
		if (command->help)
			fprintf(file, "      %s\n", command->help);
		for (unsigned int object = 0; object < OBJECTS; object++)
			takes[object] |= command->object && command->arguments &&
					 strstr(command->arguments, "KEYWORD") &&
					 strstr(command->object, row_sets[object].name);
	}
	for (unsigned int object = 0; object < OBJECTS; object++)
		if (takes[object])
			print_keywords(file, object);
}

enum cli_status help_run(const struct command *command, const struct cli_options *options, int argc,
			 char *argv[], struct error *err)
{
	const struct command *found;

	(void)command, (void)options;
	if (!argc) {
		command_print_usage(stdout);
		return CLI_OK;
	}
	found = command_find(argv[0], err);
	if (!found)
		return CLI_USAGE;
	print_command(stdout, found->name);
	return CLI_OK;
}
