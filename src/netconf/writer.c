#include "netconf/writer.h"

#include <ctype.h>

void writer_init(struct writer *writer, int (*sink)(const char *, size_t, void *), void *arg)
{
	writer->sink = sink;
	writer->arg = arg;
	writer->result = 0;
	writer->indent = false;
	writer->used = 0;
}

int writer_flush(struct writer *writer)
{
	size_t length = writer->used;

	writer->used = 0;
	if (length && !writer->result)
		writer->result = writer->sink(writer->buffer, length, writer->arg);
	return writer->result;
}

void write_bytes(struct writer *writer, const char *text, size_t length)
{
	while (length) {
		size_t room = WRITER_BUFFER - writer->used;
		size_t count = length < room ? length : room;

		memcpy(writer->buffer + writer->used, text, count);
		writer->used += count;
		text += count;
		length -= count;
		if (writer->used == WRITER_BUFFER)
			writer_flush(writer);
	}
}

void write_text(struct writer *writer, const char *text)
{
	write_bytes(writer, text, strlen(text));
}

/* What stands for one sequence of @length bytes; NULL: itself. */
static const char *replacement(const char *text, size_t length)
{
	if (!length)
		return "?";
	switch (*text) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\r': /* a parser would make these a line feed, or in attributes a space */
		return "&#13;";
	case '\n':
		return "&#10;";
	case '\t':
		return "&#9;";
	default:
		return (unsigned char)*text < 0x20 ? "?" : NULL;
	}
}

static bool plain(unsigned char c)
{
	return c >= 0x20 && c < 0x80 && c != '&' && c != '<' && c != '>' && c != '"';
}

void write_escaped(struct writer *writer, const char *text, size_t length)
{
	while (length) {
		size_t count = 0;
		const char *instead;

		while (count < length && plain((unsigned char)text[count]))
			count++;
		write_bytes(writer, text, count);
		text += count;
		length -= count;
		if (!length)
			break;
		count = utf8_sequence(text, length, NULL);
		instead = replacement(text, count);
		if (instead)
			write_text(writer, instead);
		else
			write_bytes(writer, text, count);
		count = count ? count : 1;
		text += count;
		length -= count;
	}
}

void write_number(struct writer *writer, unsigned long number)
{
	char text[24];

	write_bytes(writer, text, (size_t)snprintf(text, sizeof(text), "%lu", number));
}

void write_line(struct writer *writer, unsigned int depth)
{
	if (!writer->indent)
		return;
	write_bytes(writer, "\n", 1);
	while (depth--)
		write_bytes(writer, "  ", 2);
}

void write_path(struct writer *writer, const char *path, const char *prefix)
{
	char before = '\0';
	bool quoted = false;

	for (; *path; before = *path++) {
		if (*path == '\'')
			quoted = !quoted;
		if (!quoted && (before == '/' || before == '[') && isalpha((unsigned char)*path)) {
			write_text(writer, prefix);
			write_bytes(writer, ":", 1);
		}
		write_escaped(writer, path, 1);
	}
}
