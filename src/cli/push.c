#include "cli/push.h"

#include <ctype.h>
#include <errno.h>
#include <strings.h>

#include "base/wipe.h"
#include "cli/command.h"
#include "cli/message.h"
#include "cli/talk.h"

#define PREFIX "l2tpv3ctl" /* of our own <config>, so that the file's prefixes are left alone */

/* What is left to look at. */
struct cursor {
	const char *at, *end;
};

static bool starts_with(const struct cursor *cursor, const char *text)
{
	size_t length = strlen(text);

	return (size_t)(cursor->end - cursor->at) >= length && !memcmp(cursor->at, text, length);
}

/* Move behind the next @text; false when there is none. */
static bool move_behind(struct cursor *cursor, const char *text)
{
	const char *found =
		memmem(cursor->at, (size_t)(cursor->end - cursor->at), text, strlen(text));

	if (found)
		cursor->at = found + strlen(text);
	return found;
}

static void skip_blanks(struct cursor *cursor)
{
	while (cursor->at < cursor->end && isspace((unsigned char)*cursor->at))
		cursor->at++;
}

/* The declaration is not sent on, so what it says must be so. */
static bool says_utf8(const char *declaration, const char *end)
{
	static const char key[] = "encoding";
	const char *at = memmem(declaration, (size_t)(end - declaration), key, sizeof(key) - 1);

	if (!at)
		return true;
	for (at += sizeof(key) - 1; at < end && (isspace((unsigned char)*at) || *at == '='); at++)
		;
	return end - at > 6 && !strncasecmp(at + 1, "utf-8", 5) && at[6] == at[0];
}

static int take_declaration(struct cursor *cursor, struct error *err)
{
	const char *start = cursor->at;

	if (!starts_with(cursor, "<?xml"))
		return 0;
	if (!move_behind(cursor, "?>"))
		return error_set(err, ERROR_MALFORMED, "the XML declaration does not end");
	if (!says_utf8(start, cursor->at))
		return error_set(err, ERROR_MALFORMED, "only UTF-8 is read; convert the file");
	return 0;
}

/* Byte order mark, declaration, comments and processing instructions before the root. */
static int skip_prolog(struct cursor *cursor, struct error *err)
{
	int result;

	if (starts_with(cursor, "\xef\xbb\xbf"))
		cursor->at += 3;
	skip_blanks(cursor);
	result = take_declaration(cursor, err);
	if (result)
		return result;
	for (;;) {
		bool comment;

		skip_blanks(cursor);
		comment = starts_with(cursor, "<!--");
		if (!comment && !starts_with(cursor, "<?"))
			break;
		if (!move_behind(cursor, comment ? "-->" : "?>"))
			return error_set(err, ERROR_MALFORMED, "a comment does not end");
	}
	if (starts_with(cursor, "<!"))
		return error_set(err, ERROR_MALFORMED, "a DOCTYPE is not accepted; remove it");
	if (!starts_with(cursor, "<"))
		return error_set(err, ERROR_MALFORMED, "this is not an XML document");
	return 0;
}

/* Behind the '>' of a start tag, which may stand in an attribute value too. */
static bool skip_tag(struct cursor *cursor)
{
	char quote = '\0';

	for (; cursor->at < cursor->end; cursor->at++) {
		char c = *cursor->at;

		if (quote)
			quote = c == quote ? '\0' : quote;
		else if (c == '"' || c == '\'')
			quote = c;
		else if (c == '>')
			break;
	}
	return cursor->at++ < cursor->end;
}

static struct slice element_name(const struct cursor *tag)
{
	const char *start = tag->at + 1;
	const char *at = start;

	while (at < tag->end && !isspace((unsigned char)*at) && *at != '>' && *at != '/')
		at++;
	return (struct slice){start, (size_t)(at - start)};
}

static bool is_wrapper(struct slice name)
{
	const char *colon = memchr(name.text, ':', name.length);
	const char *local = colon ? colon + 1 : name.text;
	size_t length = (size_t)(name.text + name.length - local);

	return (length == 6 && !memcmp(local, "config", 6)) ||
	       (length == 4 && !memcmp(local, "data", 4));
}

static bool ends_with(const struct cursor *cursor, const char *text)
{
	size_t length = strlen(text);

	return (size_t)(cursor->end - cursor->at) >= length &&
	       !memcmp(cursor->end - length, text, length);
}

/* Cut off the last @head ... @tail; false when it is not the end. */
static bool cut(struct cursor *cursor, const char *head, const char *tail)
{
	size_t length = strlen(head);
	size_t left = (size_t)(cursor->end - cursor->at);

	if (!ends_with(cursor, tail) || left < length + strlen(tail))
		return false;
	for (left -= length + strlen(tail); memcmp(cursor->at + left, head, length) != 0; left--) {
		if (!left)
			return false;
	}
	cursor->end = cursor->at + left;
	return true;
}

static void cut_blanks(struct cursor *cursor)
{
	while (cursor->end > cursor->at && isspace((unsigned char)cursor->end[-1]))
		cursor->end--;
}

/* What may follow the root: blanks, comments, processing instructions. */
static void cut_epilog(struct cursor *cursor)
{
	do
		cut_blanks(cursor);
	while (cut(cursor, "<!--", "-->") || cut(cursor, "<?", "?>"));
}

/* Leave of @inner what is before the end tag of @name; false when it does not end so. */
static bool cut_end_tag(struct cursor *inner, struct slice name)
{
	size_t length = name.length + 2;

	cut_epilog(inner);
	if (!ends_with(inner, ">"))
		return false;
	inner->end--;
	cut_blanks(inner);
	if ((size_t)(inner->end - inner->at) < length ||
	    memcmp(inner->end - length, "</", 2) != 0 ||
	    memcmp(inner->end - name.length, name.text, name.length) != 0)
		return false;
	inner->end -= length;
	return true;
}

/* @root at the '<' of <config ...> or <data ...>. */
static int unwrap(const struct cursor *root, struct push_document *ret, struct error *err)
{
	struct slice name = element_name(root);
	const char *attributes = name.text + name.length;
	struct cursor inner = *root;
	bool empty;

	if (!skip_tag(&inner))
		return error_set(err, ERROR_MALFORMED, "the first tag does not end");
	empty = inner.at[-2] == '/';
	ret->attributes =
		(struct slice){attributes, (size_t)(inner.at - attributes) - (empty ? 2 : 1)};
	ret->content = (struct slice){inner.at, 0};
	if (empty)
		cut_epilog(&inner);
	else if (!cut_end_tag(&inner, name))
		return error_set(err, ERROR_MALFORMED, "the file does not end with </%.*s>",
				 (int)(name.length < 64 ? name.length : 64), name.text);
	if (empty && inner.at != inner.end)
		return error_set(err, ERROR_MALFORMED, "the file does not end with its root");
	ret->content.length = (size_t)(inner.end - inner.at);
	return 0;
}

static size_t count_lines(const char *text, const char *end)
{
	size_t lines = 0;

	for (; text < end; text++)
		lines += *text == '\n';
	return lines;
}

int push_parse(const char *text, size_t length, struct push_document *ret, struct error *err)
{
	struct cursor cursor = {text, text + length};
	int result = skip_prolog(&cursor, err);

	if (result)
		return result;
	*ret = (struct push_document){.lines = count_lines(text, cursor.at),
				      .attributes = {text, 0},
				      .content = {cursor.at, (size_t)(cursor.end - cursor.at)}};
	if (is_wrapper(element_name(&cursor)))
		return unwrap(&cursor, ret, err);
	return 0;
}

static int write_slice(struct client *client, struct slice slice, struct error *err)
{
	return client_write(client, slice.text, slice.length, err);
}

static int write_text(struct client *client, const char *text, struct error *err)
{
	return client_write(client, text, strlen(text), err);
}

static int write_lines(struct client *client, size_t lines, struct error *err)
{
	static const char newlines[] = "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n";
	int result = 0;

	while (lines && !result) {
		size_t some = lines < sizeof(newlines) - 1 ? lines : sizeof(newlines) - 1;

		result = client_write(client, newlines, some, err);
		lines -= some;
	}
	return result;
}

static int send_document(struct client *client, const struct push_document *document,
			 const struct cli_options *options, struct error *err)
{
	int result = client_begin(client, err);

	if (!result)
		result = write_text(client, "<edit-config><target><running/></target>", err);
	if (!result && options->replace)
		result = write_text(client, "<default-operation>replace</default-operation>", err);
	if (!result && options->check)
		result = write_text(client, "<test-option>test-only</test-option>", err);
	if (!result)
		result = write_lines(client, document->lines, err);
	if (!result)
		result = write_text(
			client, "<" PREFIX ":config xmlns:" PREFIX "=\"" NAMESPACE_BASE "\"", err);
	if (!result)
		result = write_slice(client, document->attributes, err);
	if (!result)
		result = write_text(client, ">", err);
	if (!result)
		result = write_slice(client, document->content, err);
	if (!result)
		result = write_text(client, "</" PREFIX ":config></edit-config>", err);
	return result ? result : client_end(client, NULL, err);
}

/* All of @file; the caller frees *ret. */
static int read_all(FILE *file, char **ret, size_t *ret_length)
{
	size_t length = 0, size = 0;
	char *text = NULL;

	do {
		if (length == size) {
			char *grown = realloc(text, size = size ? 2 * size : 1 << 16);

			if (!grown) {
				free(text);
				return -ENOMEM;
			}
			text = grown;
		}
		length += fread(text + length, 1, size - length, file);
	} while (!feof(file) && !ferror(file));
	*ret = text;
	*ret_length = length;
	return ferror(file) ? -errno : 0;
}

static enum cli_status read_file(const char *path, char **ret, size_t *ret_length,
				 struct error *err)
{
	bool standard = !strcmp(path, "-");
	FILE *file = standard ? stdin : fopen(path, "re");
	int result;

	if (!file)
		return cli_refused(
			error_set_errno(err, ERROR_STORAGE, errno, "cannot read %s", path));
	result = read_all(file, ret, ret_length);
	if (!standard)
		fclose(file);
	if (result)
		error_set_errno(err, ERROR_STORAGE, -result, "cannot read %s", path);
	return cli_refused(result);
}

static enum cli_status push_text(const char *text, size_t length, const struct cli_options *options,
				 struct error *err)
{
	struct push_document document;
	struct client *client;
	enum cli_status status = cli_refused(push_parse(text, length, &document, err));

	if (!status)
		status = talk_connect(options, &client, err);
	if (status)
		return status;
	return talk_end(options, client, send_document(client, &document, options, err), err);
}

static enum cli_status push_file(const char *path, const struct cli_options *options,
				 struct error *err)
{
	char *text = NULL;
	size_t length = 0;
	enum cli_status status = read_file(path, &text, &length, err);

	if (!status)
		status = push_text(text, length, options, err);
	wipe_free(text, length);
	return status;
}

enum cli_status push_run(const struct command *command, const struct cli_options *options, int argc,
			 char *argv[], struct error *err)
{
	if (argc != 1)
		return cli_usage_error(err, "%s needs one FILE, or - for standard input",
				       command->name);
	return push_file(argv[0], options, err);
}

enum cli_status validate_run(const struct command *command, const struct cli_options *options,
			     int argc, char *argv[], struct error *err)
{
	struct cli_options check = *options;

	check.check = true;
	return push_run(command, &check, argc, argv, err);
}
