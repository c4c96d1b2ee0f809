#include "netconf/writer.h"

#include <assert.h>
#include <ctype.h>
#include <limits.h>

#include "model/codec.h"

void writer_init(struct writer *writer, int (*sink)(const char *, size_t, void *), void *arg)
{
	writer->sink = sink;
	writer->arg = arg;
	writer->rc = 0;
	writer->indent = false;
	writer->used = 0;
}

int writer_flush(struct writer *writer)
{
	size_t length = writer->used;

	writer->used = 0;
	if (length && !writer->rc)
		writer->rc = writer->sink(writer->buffer, length, writer->arg);
	return writer->rc;
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

/* What to write in place of a sequence of @length bytes; NULL: the sequence itself. */
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
	case '\r': /* a parser turns these into a line feed, or in attributes a space */
		return "&#13;";
	case '\n':
		return "&#10;";
	case '\t':
		return "&#9;";
	default:
		return (unsigned char)*text < 0x20 ? "?" : NULL;
	}
}

/* How much of it is ASCII that is written as it is. */
static size_t plain_length(const char *text, size_t length)
{
	static const bool plain[UCHAR_MAX + 1] = {
		[' ' ... '!'] = true, ['#' ... '%'] = true,  ['\'' ... ';'] = true,
		['='] = true,         ['?' ... 0x7f] = true,
	};
	size_t count = 0;

	while (count < length && plain[(unsigned char)text[count]])
		count++;
	return count;
}

void write_escaped(struct writer *writer, const char *text, size_t length)
{
	while (length) {
		size_t count = plain_length(text, length);
		const char *instead;

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

/* Room for @length bytes in one piece; NULL: the buffer is too small. */
static char *reserve(struct writer *writer, size_t length)
{
	if (WRITER_BUFFER - writer->used < length)
		writer_flush(writer);
	return length <= WRITER_BUFFER ? writer->buffer + writer->used : NULL;
}

static char *put(char *at, const char *text, size_t length)
{
	return (char *)memcpy(at, text, length) + length;
}

void write_tag(struct writer *writer, const char *opening, const char *name)
{
	size_t before = strlen(opening), length = strlen(name), size = before + length + 1;
	char *at = reserve(writer, size);

	if (!at)
		return;
	at = put(at, opening, before);
	at = put(at, name, length);
	*at = '>';
	writer->used += size;
}

void write_attribute(struct writer *writer, const char *prefix, const char *name, const char *value,
		     size_t length)
{
	write_text(writer, " ");
	write_text(writer, prefix);
	write_text(writer, *prefix && *name ? ":" : "");
	write_text(writer, name);
	write_text(writer, "=\"");
	write_escaped(writer, value, length);
	write_text(writer, "\"");
}

void write_declaration(struct writer *writer, const char *prefix, const char *uri)
{
	write_attribute(writer, "xmlns", prefix, uri, strlen(uri));
}

void writer_make_tags(struct writer_tags *tags, const char *name)
{
	assert(strlen(name) <= WRITER_TAG - sizeof("</>"));
	tags->opening_length = (size_t)snprintf(tags->opening, WRITER_TAG, "<%s>", name);
	tags->closing_length = (size_t)snprintf(tags->closing, WRITER_TAG, "</%s>", name);
}

/* Copies WRITER_TAG bytes whatever the length: the next piece overwrites the excess. */
static char *put_opening(char *at, const struct writer_tags *tags)
{
	return (char *)memcpy(at, tags->opening, WRITER_TAG) + tags->opening_length;
}

static void put_closing(struct writer *writer, char *at, const struct writer_tags *tags)
{
	memcpy(at, tags->closing, WRITER_TAG);
	writer->used = (size_t)(at - writer->buffer) + tags->closing_length;
}

void write_between(struct writer *writer, const struct writer_tags *tags, const char *text,
		   size_t length)
{
	char *at = NULL;

	if (plain_length(text, length) == length)
		at = reserve(writer, 2 * WRITER_TAG + length);
	if (at) {
		put_closing(writer, put(put_opening(at, tags), text, length), tags);
		return;
	}
	write_bytes(writer, tags->opening, tags->opening_length);
	write_escaped(writer, text, length);
	write_bytes(writer, tags->closing, tags->closing_length);
}

void write_number_between(struct writer *writer, const struct writer_tags *tags, uint64_t number)
{
	char *at = put_opening(reserve(writer, 2 * WRITER_TAG + 21), tags);

	put_closing(writer, at + codec_print_decimal(number, 1, at), tags);
}

void write_number(struct writer *writer, unsigned long number)
{
	char text[24];

	write_bytes(writer, text, codec_print_decimal(number, 1, text));
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
	const char *from = path;
	char before = '\0', quote = '\0';

	for (; *path; before = *path++) {
		if (quote ? *path == quote : *path == '\'' || *path == '"')
			quote = quote ? '\0' : *path;
		if (quote || !(before == '/' || before == '[') || !isalpha((unsigned char)*path))
			continue;
		write_escaped(writer, from, (size_t)(path - from));
		write_text(writer, prefix);
		write_bytes(writer, ":", 1);
		from = path;
	}
	write_escaped(writer, from, (size_t)(path - from));
}
