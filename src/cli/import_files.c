/* The command: finds out what the files are, and reads them; scripts of ip itself. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/wipe.h"
#include "cli/batch.h"
#include "cli/file.h"
#include "cli/import.h"
#include "cli/spelling.h"

/* ---- ip l2tp and ip link, of scripts */

static bool set_leaf(struct request *request, enum session_row number, const char *value)
{
	struct error err = ERROR_INIT;

	return !spelling_parse(&row_sets[OBJECT_SESSION].rows[number], &request->session, value,
			       &err);
}

/*
 * "ip link set [dev] NAME up|down|mtu N|master BRIDGE|address MAC ..." of a session that the file
 * made before. False: it is something else.
 */
static bool take_link(const struct batch_line *line, struct requests *requests)
{
	int at = 3;
	struct request *request;

	if (line->argc < 5 || strcmp(line->argv[1], "link") != 0 ||
	    strcmp(line->argv[2], "set") != 0)
		return false;
	at += !strcmp(line->argv[at], "dev");
	request = requests_by_name(requests, line->argv[at++]);
	if (!request || at >= line->argc)
		return false;
	for (; at < line->argc; at++) {
		static const struct {
			const char *word;
			enum session_row row;
		} words[] = {{"mtu", SESSION_MTU},
			     {"master", SESSION_BRIDGE},
			     {"address", SESSION_MAC_ADDRESS}};
		const char *word = line->argv[at];
		bool taken =
			!strcmp(word, "up") ||
			(!strcmp(word, "down") && set_leaf(request, SESSION_LINK_ENABLED, "off"));

		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]) && !taken; i++)
			if (at + 1 < line->argc && !strcmp(words[i].word, word))
				taken = set_leaf(request, words[i].row, line->argv[++at]);
		if (!taken)
			return false;
	}
	return true;
}

static void import_ip(struct import *import, char *text)
{
	unsigned int number = 0;
	struct batch_line line;

	while (batch_next(&text, &number, &line)) {
		struct error err = ERROR_INIT;
		struct request *request;

		import->number = line.number;
		if (line.argc > 0 && take_link(&line, &import->requests))
			continue;
		request = requests_add(&import->requests);
		if (!request)
			error_set(&err, ERROR_RESOURCE, "out of memory");
		if (!request || batch_parse(&line, import->options, request, &err) != CLI_OK) {
			import_refuse_value(import, "", &err);
			continue;
		}
		request_print_notes(stderr, request);
		import->requests.count++;
		import->lines++;
	}
}

/* ---- which it is */

static const char *const form_names[] = {
	[FORM_IP] = "ip", [FORM_NETWORKD] = "networkd", [FORM_VYOS] = "vyos"};

/* By the first line that is neither empty nor a comment. */
static enum cli_form guess(const char *text)
{
	while (*(text += strspn(text, " \t\r\n")) == '#' || *text == ';')
		text += strcspn(text, "\n");
	if (*text == '[')
		return FORM_NETWORKD;
	return !strncmp(text, "set ", 4) ? FORM_VYOS : FORM_IP;
}

static enum cli_status find_form(const char *from, const char *text, enum cli_form *ret,
				 struct error *err)
{
	*ret = guess(text);
	if (!from)
		return CLI_OK;
	for (*ret = FORM_IP; *ret <= FORM_VYOS; ++*ret)
		if (!strcmp(from, form_names[*ret]))
			return CLI_OK;
	return cli_usage_error(err, "--from takes ip, networkd or vyos, not \"%.32s\"", from);
}

/* ---- files */

/* networkd's files are read twice, for a .network file may come before its .netdev. */
static enum cli_status read_file(struct import *import, const char *path, bool networks,
				 enum cli_form *ret_form, struct error *err)
{
	char *text = NULL, *copy = NULL;
	size_t length = 0;
	enum cli_status status = file_read(path, &text, &length, err);

	status = status ? status : find_form(import->options->from, text, ret_form, err);
	import->path = path;
	import->number = 0;
	if (!status && *ret_form == FORM_IP)
		import_ip(import, text);
	else if (!status && *ret_form == FORM_VYOS)
		import_vyos(import, text);
	else if (!status && !(copy = strdup(text)))
		status = cli_refused(error_set(err, ERROR_RESOURCE, "out of memory"));
	else if (!status) {
		import_networkd(import, text, networks);
		if (!networks && strcmp(path, "-") == 0) /* both are in it, and it is read once */
			import_networkd(import, copy, true);
	}
	if (copy)
		wipe_free(copy, length);
	wipe_free(text, length);
	return status;
}

static int is_networkd_file(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && (!strcmp(dot, ".netdev") || !strcmp(dot, ".network"));
}

static enum cli_status read_directory(struct import *import, const char *path, struct error *err)
{
	struct dirent **names = NULL;
	int count = scandir(path, &names, is_networkd_file, alphasort);
	enum cli_form form = FORM_NETWORKD;
	enum cli_status status = CLI_OK;
	char *file = NULL;

	if (count < 0)
		return cli_refused(
			error_set_errno(err, ERROR_STORAGE, errno, "cannot read %s", path));
	if (!count)
		status = cli_refused(error_set(err, ERROR_MISSING,
					       "%s has no .netdev and no .network files", path));
	for (int pass = 0; pass < 2 && !status; pass++)
		for (int i = 0; i < count && !status; i++) {
			if (asprintf(&file, "%s/%s", path, names[i]->d_name) < 0)
				status = cli_refused(
					error_set(err, ERROR_RESOURCE, "out of memory"));
			else
				status = read_file(import, file, pass == 1, &form, err);
			free(file);
			file = NULL;
		}
	for (int i = 0; i < count; i++)
		free(names[i]);
	free(names);
	return status;
}

static enum cli_status read_all(struct import *import, const char *path, enum cli_form *ret_form,
				struct error *err)
{
	struct stat st;
	enum cli_status status;

	if (strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
		*ret_form = FORM_NETWORKD;
		return read_directory(import, path, err);
	}
	status = read_file(import, path, false, ret_form, err);
	if (!status && *ret_form == FORM_NETWORKD && strcmp(path, "-") != 0)
		status = read_file(import, path, true, ret_form, err);
	return status;
}

/* ---- the command */

static void print_sum(const struct import *import, enum cli_form form)
{
	size_t counts[OBJECTS] = {0};

	for (size_t i = 0; i < import->requests.count; i++)
		for (unsigned int object = 0; object < OBJECTS; object++)
			counts[object] += import->requests.items[i].wants[object];
	if (form == FORM_IP)
		printf("%zu lines taken in one commit, %zu not taken\n", import->lines,
		       import->refused);
	else
		printf("%zu tunnel%s and %zu session%s taken in one commit, %zu line%s not taken\n",
		       counts[OBJECT_TUNNEL], counts[OBJECT_TUNNEL] == 1 ? "" : "s",
		       counts[OBJECT_SESSION], counts[OBJECT_SESSION] == 1 ? "" : "s",
		       import->refused, import->refused == 1 ? "" : "s");
}

enum cli_status import_run(const struct command *command, const struct cli_options *options,
			   int argc, char *argv[], struct error *err)
{
	struct import import = {.options = options};
	enum cli_form form;
	enum cli_status status;

	if (argc != 1)
		return cli_usage_error(err,
				       "%s needs one FILE or DIRECTORY, or - for standard input",
				       command->name);
	status = read_all(&import, argv[0], &form, err);
	if (!status && import.requests.count)
		status = requests_commit(&import.requests, options, err);
	if (!status && !options->check)
		print_sum(&import, form);
	requests_free(&import.requests);
	return status;
}
