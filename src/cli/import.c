#include "cli/import.h"

#include <stdarg.h>
#include <string.h>

#include "cli/spelling.h"

static void begin_refusal(struct import *import)
{
	import->refused++;
	fprintf(stderr, "%s:%u: not taken: ", import->path, import->number);
}

void import_refuse(struct import *import, const char *format, ...)
{
	va_list args;

	begin_refusal(import);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	putc('\n', stderr);
}

void import_refuse_value(struct import *import, const char *what, const struct error *err)
{
	begin_refusal(import);
	fprintf(stderr, "%s%s%s%s%s\n", what, what[0] ? ": " : "", err->path,
		err->path[0] ? ": " : "", err->text);
}

void import_leaf(struct import *import, struct request *request, enum object object,
		 unsigned int row, const char *what, const char *value)
{
	const struct row *leaf = &row_sets[object].rows[row];
	void *leaves = request_leaves(request, object);
	struct error err = ERROR_INIT;
	char text[VALUE_TEXT_MAX];

	if (spelling_parse(leaf, leaves, value, &err)) {
		import_refuse_value(import, what, &err);
		return;
	}
	import->lines++;
	if (leaf->fallback && codec_print(leaf, leaves, text) && !strcmp(text, leaf->fallback))
		codec_clear(leaf, leaves);
}

bool import_needs(enum object object, unsigned int number)
{
	const struct row *row = &row_sets[object].rows[number];

	return row->mandatory || row->access == ACCESS_KEY;
}

struct request *import_request(struct import *import, bool tunnel, bool session)
{
	struct request *request = requests_add(&import->requests);

	if (!request) {
		import_refuse(import, "out of memory");
		return NULL;
	}
	*request = (struct request){.verb = VERB_ADD};
	request->wants[OBJECT_TUNNEL] = tunnel;
	request->wants[OBJECT_SESSION] = session;
	import->requests.count++;
	return request;
}
