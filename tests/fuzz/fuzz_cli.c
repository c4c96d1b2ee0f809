/* Words of a command line, one a line of the input: grammar, messages, push, a line of a reply. */
#include "cli/command.h"
#include "cli/message.h"
#include "client/config_text.h"
#include "netconf/lines.h"

#define WORDS_MAX 80

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void try_words(int argc, char *argv[])
{
	struct error err = ERROR_INIT;
	const struct command *command = command_find(argv[0], &err);
	uint64_t rows[OBJECTS] = {UINT64_MAX, UINT64_MAX};
	struct request request;
	char *text = NULL;
	size_t length;
	FILE *file;

	if (!command || grammar_parse(command->verb, argc - 1, argv + 1, &request, &err))
		return;
	file = open_memstream(&text, &length);
	if (!file)
		return;
	message_edit(file, &request);
	message_get(file, &request, rows, false);
	fclose(file);
	free(text);
}

static void try_line(const char *text)
{
	const char *values[64];
	char *copy = strdup(text);

	if (copy)
		lines_split(OBJECT_SESSION, copy, values);
	free(copy);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct error err = ERROR_INIT;
	char *text = malloc(size + 1), *config;
	size_t length;
	char *argv[WORDS_MAX];
	int argc = 0;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (!config_text_make(text, size, &config, &length, &err))
		free(config);
	try_line(text);
	for (char *at = text; at && argc < WORDS_MAX;)
		argv[argc++] = strsep(&at, "\n");
	try_words(argc, argv);
	free(text);
	return 0;
}
