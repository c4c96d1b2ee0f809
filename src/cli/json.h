/* A JSON writer, on one line or indented. */
#ifndef CLI_JSON_H
#define CLI_JSON_H

#include <stdbool.h>
#include <stdio.h>

struct json {
	FILE *file;
	bool pretty;
	unsigned int depth;
	bool filled; /* this level has a value already */
};

/* @name NULL in a list and at the top. @bracket: '{' or '['. */
void json_open(struct json *json, const char *name, char bracket);
void json_close(struct json *json, char bracket); /* '}' or ']'; at depth 0 ends the line */
/* @quoted: a string, escaped; else a number or a literal as it is. */
void json_value(struct json *json, const char *name, const char *text, bool quoted);

#endif
