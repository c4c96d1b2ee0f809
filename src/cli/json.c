#include "cli/json.h"

static void put_string(FILE *file, const char *text)
{
	putc('"', file);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			fprintf(file, "\\%c", c);
		else if (c < ' ')
			fprintf(file, "\\u%04x", c);
		else
			putc(c, file);
	}
	putc('"', file);
}

static void new_line(const struct json *json)
{
	if (json->pretty)
		fprintf(json->file, "\n%*s", (int)(4 * json->depth), "");
}

static void begin(struct json *json, const char *name)
{
	if (json->filled)
		putc(',', json->file);
	if (json->depth)
		new_line(json);
	json->filled = true;
	if (!name)
		return;
	put_string(json->file, name);
	fputs(json->pretty ? ": " : ":", json->file);
}

void json_open(struct json *json, const char *name, char bracket)
{
	begin(json, name);
	putc(bracket, json->file);
	json->depth++;
	json->filled = false;
}

void json_close(struct json *json, char bracket)
{
	json->depth--;
	if (json->filled)
		new_line(json);
	putc(bracket, json->file);
	json->filled = true;
	if (!json->depth)
		putc('\n', json->file);
}

void json_value(struct json *json, const char *name, const char *text, bool quoted)
{
	begin(json, name);
	if (quoted)
		put_string(json->file, text);
	else
		fputs(text, json->file);
}
