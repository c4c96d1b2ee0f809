#include "cli/complete.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "cli/command.h"
#include "cli/long_options.h"
#include "cli/talk.h"
#include "model/names.h"

#define ENOUGH 500 /* ids and names that anybody reads, or waits for */

struct completion {
	FILE *file;
	struct cli_options options;
	const char *begun;             /* the word to complete */
	const struct command *command; /* NULL: not there yet */
	bool wants[OBJECTS];           /* the object words there are */
	const char *keyword;           /* that waits for its value; NULL: none does */
	const char *tunnel_id;         /* a value of it; NULL: none is there */
	int argc;                      /* words after the command, and before the one to complete */
	char **argv;
};

static void offer(const struct completion *completion, const char *word)
{
	if (!strncmp(word, completion->begun, strlen(completion->begun)))
		fprintf(completion->file, "%s\n", word);
}

/* "first|alias": the first, or what has been begun of the others. */
static void offer_first(const struct completion *completion, const char *before, const char *words)
{
	char word[80];

	for (size_t length; words && *words; words += length + (words[length] == '|')) {
		length = strcspn(words, "|");
		snprintf(word, sizeof(word), "%s%.*s", before, (int)length, words);
		if (!strncmp(word, completion->begun, strlen(completion->begun))) {
			fprintf(completion->file, "%s\n", word);
			return;
		}
	}
}

/* ---- ids and names */

struct offers {
	const struct completion *completion;
	const struct row *row;
	unsigned int count;
};

static int offer_entry(const struct client_entry *entry, void *arg)
{
	struct offers *offers = arg;
	const char *text = entry->text[row_number(offers->row)];

	if (entry->object != offers->row->object || !text || !*text)
		return 0;
	offer(offers->completion, text);
	return ++offers->count == ENOUGH;
}

static void offer_entries(const struct completion *completion, const struct row *row)
{
	struct offers offers = {completion, row, 0};
	struct error err = ERROR_INIT;
	char operation[320], key[64] = "";

	if (completion->tunnel_id && row->object == OBJECT_SESSION)
		snprintf(key, sizeof(key), "<tunnel-id>%.10s</tunnel-id>", completion->tunnel_id);
	snprintf(operation, sizeof(operation),
		 "<get><filter type=\"subtree\"><" ELEMENT_CONTAINER " xmlns=\"" NAMESPACE_MODULE
		 "\"><tunnel>%s%s<%s/>%s</tunnel></" ELEMENT_CONTAINER "></filter></get>",
		 key, row->object == OBJECT_SESSION ? "<session>" : "", row->leaf,
		 row->object == OBJECT_SESSION ? "</session>" : "");
	talk_read(&completion->options, operation, offer_entry, &offers, &err);
}

/* ---- values, keywords, commands */

static void offer_values(const struct completion *completion, const struct row *row)
{
	if (row->type == TYPE_BOOL) {
		offer(completion, "on");
		offer(completion, "off");
	}
	for (const struct word *word = row->words; word && word->name; word++)
		offer_first(completion, "", word->name);
	if (row->access == ACCESS_KEY || row->type == TYPE_IFNAME)
		offer_entries(completion, row);
}

/* Of leaves that both have, one is enough: their values are alike. */
static void offer_values_of(const struct completion *completion, const char *keyword)
{
	bool session = completion->wants[OBJECT_SESSION];
	const struct row *row = row_by_keyword(session ? OBJECT_SESSION : OBJECT_TUNNEL, keyword);

	if (!row)
		row = row_by_keyword(session ? OBJECT_TUNNEL : OBJECT_SESSION, keyword);
	if (row)
		offer_values(completion, row);
}

static bool is_given(const struct completion *completion, const struct row *row)
{
	for (int i = 0; i < completion->argc; i++)
		if (row_by_keyword(row->object, completion->argv[i]) == row)
			return true;
	return false;
}

/* Keys alone where no more is taken. */
static void offer_keywords(const struct completion *completion)
{
	const struct command *command = completion->command;
	bool set = !strcmp(command->name, "set"), all = strstr(command->arguments, "KEYWORD");
	bool any = !completion->wants[OBJECT_TUNNEL] && !completion->wants[OBJECT_SESSION];
	bool show = !strcmp(command->name, "show");

	for (enum object object = OBJECT_TUNNEL; object < OBJECTS; object++) {
		const struct row_set *rows = &row_sets[object];

		if (!any && !completion->wants[object] && object == OBJECT_SESSION)
			continue;
		for (unsigned int i = 0; i < rows->config_count; i++) {
			const struct row *row = &rows->rows[i];
			bool own = any || completion->wants[object];

			if (is_given(completion, row) || !row->cli ||
			    (row->access != ACCESS_KEY && !(all && own)))
				continue;
			offer_first(completion, "", row->cli);
			if (set && row->access == ACCESS_WRITE && !row->mandatory &&
			    !strncmp(completion->begun, "no", 2))
				offer_first(completion, "no-", row->cli);
		}
	}
	if (show || !strcmp(command->name, "get")) {
		offer(completion, "oper-status");
		offer(completion, "status-reason");
		offer(completion, "origin");
	}
	if (show && any)
		offer(completion, "clients");
}

/* The words that the usage has, other than those of ids; of @option, if given, the values. */
static void offer_usage(const struct completion *completion, const char *option)
{
	const char *at = completion->command->arguments, *end;
	char word[40], last[40] = "";

	for (; at && *at; at = end + strspn(end, "| ")) {
		if (*at == '[' || *at == ']')
			*last = '\0'; /* what follows is no value of that option */
		at += strspn(at, "[] ");
		end = at + strcspn(at, "[]| ");
		snprintf(word, sizeof(word), "%.*s", (int)(end - at), at);
		if (*word == '-')
			memcpy(last, word, sizeof(last));
		else if (islower((unsigned char)*word) && !strcmp(last, option ? option : "") &&
			 row_by_keyword(OBJECT_TUNNEL, word) != row_sets[OBJECT_TUNNEL].key &&
			 row_by_keyword(OBJECT_SESSION, word) != row_sets[OBJECT_SESSION].key)
			offer(completion, word);
	}
}

static void offer_objects(const struct completion *completion)
{
	for (enum object object = OBJECT_TUNNEL; object < OBJECTS; object++)
		if (!completion->wants[object])
			offer(completion, row_sets[object].name);
}

static void offer_commands(const struct completion *completion)
{
	const struct command *command;

	for (unsigned int i = 0; (command = command_at(i)); i++)
		if (command->help && (!i || strcmp(command_at(i - 1)->name, command->name) != 0))
			offer(completion, command->name);
}

static void offer_options(const struct completion *completion)
{
	char word[40];

	for (const struct option *at = long_options; at->name; at++) {
		snprintf(word, sizeof(word), "--%s", at->name);
		offer(completion, word);
	}
}

/* ---- what is there already */

/* Take the words before the one to complete. Returns the option that waits for its value, or NULL.
 */
static const char *take_words(struct completion *completion, int argc, char *argv[])
{
	int after = -1;

	for (int i = 0; i + 1 < argc; i++) {
		struct error err = ERROR_INIT;
		const char *word = argv[i];
		bool object = false;

		if (word[0] == '-' && word[1]) {
			bool valued = option_takes_value(word);

			if (valued && i + 2 == argc)
				return word;
			if (valued && (!strcmp(word, "-S") || !strcmp(word, "--socket")))
				completion->options.socket = argv[i + 1];
			i += valued;
			continue;
		}
		for (enum object at = OBJECT_TUNNEL; at < OBJECTS && !completion->keyword; at++) {
			if (!strcmp(word, row_sets[at].name))
				object = completion->wants[at] = true;
		}
		if (object)
			continue;
		if (!completion->command) {
			completion->command = command_find(word, &err);
			if (!completion->command)
				return word;
			after = i + 1;
			continue;
		}
		if (completion->keyword) {
			if (row_by_keyword(OBJECT_TUNNEL, completion->keyword) ==
			    row_sets[OBJECT_TUNNEL].key)
				completion->tunnel_id = word;
			completion->keyword = NULL;
		} else if (strncmp(word, "no-", 3) != 0 && strcmp(word, "problem") != 0) {
			completion->keyword = word;
		}
	}
	completion->argc = after < 0 ? 0 : argc - 1 - after;
	completion->argv = after < 0 ? NULL : argv + after;
	return NULL;
}

void complete_words(FILE *file, const struct cli_options *options, int argc, char *argv[])
{
	struct completion completion = {.file = file, .options = *options};
	const struct command *command;
	const char *option;

	if (!argc)
		return;
	completion.begun = argv[argc - 1];
	option = take_words(&completion, argc, argv);
	command = completion.command;
	if (option) {
		if (command)
			offer_usage(&completion, option);
	} else if (completion.begun[0] == '-') {
		offer_options(&completion);
	} else if (!command) {
		offer_commands(&completion);
		offer_objects(&completion);
	} else if (!strcmp(command->name, "help")) {
		offer_commands(&completion);
	} else if (command->object && completion.keyword) {
		offer_values_of(&completion, completion.keyword);
	} else if (command->object) {
		offer_objects(&completion);
		offer_keywords(&completion);
		offer_usage(&completion, NULL);
	} else if (!completion.keyword) {
		offer_usage(&completion, NULL);
	}
}
