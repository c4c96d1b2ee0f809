#include "journal/commit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "model/codec.h"
#include "journal/frame.h"
#include "store/acm.h"
#include "store/overlay.h"

/* Writing */

static void put_escaped(FILE *file, const char *text)
{
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c <= ' ' || c == '%' || c == 0x7f)
			fprintf(file, "%%%02X", c);
		else
			putc_unlocked(c, file);
	}
}

static void put_text(FILE *file, const char *name, const char *value)
{
	putc_unlocked(' ', file);
	fputs(name, file);
	putc_unlocked('=', file);
	put_escaped(file, value);
}

static void put_config(FILE *file, char sign, enum object object, const void *config)
{
	const struct row_set *set = &row_sets[object];
	char text[VALUE_TEXT_MAX];

	putc_unlocked(sign, file);
	for (uint64_t rows = *(const uint64_t *)config; rows; rows &= rows - 1) {
		const struct row *row = &set->rows[__builtin_ctzll(rows)];

		if (row->access == ACCESS_KEY)
			continue;
		codec_print(row, config, text);
		put_text(file, row->leaf, text);
	}
	putc_unlocked('\n', file);
}

static void put_ids(FILE *file, uint32_t tunnel_id, uint32_t session_id)
{
	if (session_id == 0)
		fprintf(file, "tunnel %" PRIu32 "\n", tunnel_id);
	else
		fprintf(file, "session %" PRIu32 " %" PRIu32 "\n", tunnel_id, session_id);
}

void commit_print_change(FILE *file, const struct change *change)
{
	enum object object = change_object(change);

	put_ids(file, change->tunnel_id, change->session_id);
	if (change->before)
		put_config(file, '-', object, change->before);
	if (change->after)
		put_config(file, '+', object, change->after);
}

static void put_acm(FILE *file, const struct acm_node *node, unsigned int depth)
{
	for (const struct acm_node *at = node->first; at; at = at->next) {
		fprintf(file, " %u:%s=", depth, acm_rows[at->item].name);
		put_escaped(file, at->text);
		put_acm(file, at, depth + 1);
	}
}

void commit_print_acm(FILE *file, const struct candidate *changes)
{
	if (!changes->acm)
		return;
	fputs("nacm\n-", file);
	put_acm(file, changes->acm_before->root, 1);
	fputs("\n+", file);
	put_acm(file, changes->acm->root, 1);
	putc_unlocked('\n', file);
}

void commit_print_info(FILE *file, const struct commit_info *info)
{
	fprintf(file, "commit number=%" PRIu64 " time=%lld.%09ld", info->number,
		(long long)info->time.tv_sec, info->time.tv_nsec);
	put_text(file, "door", info->door);
	put_text(file, "user", info->user);
	put_text(file, "boot", info->boot);
	fprintf(file, " tunnels=%zu sessions=%zu", info->tunnels, info->sessions);
	put_text(file, "comment", info->comment);
	if (info->tentative)
		fprintf(file, " tentative=%" PRIu64, info->baseline);
	putc_unlocked('\n', file);
}

static const char *const mark_words[] = {
	[RECORD_BASE] = "base",
	[RECORD_CONFIRM] = "confirm",
	[RECORD_END] = "end",
	[RECORD_DOUBT] = "doubt",
};

void commit_print_mark(FILE *file, enum record_kind kind, uint64_t number)
{
	fprintf(file, "%s %" PRIu64 "\n", mark_words[kind], number);
}

static void put_running(FILE *file, const struct datastore *running)
{
	for (const struct entry *entry = datastore_entry_from(running, 0, 0); entry;
	     entry = entry_next(entry)) {
		if (!entry_config(entry))
			continue;
		put_ids(file, entry->key.tunnel_id, entry->key.session_id);
		put_config(file, '+', entry_object(entry), entry_config(entry));
	}
}

void commit_print_base(FILE *file, uint64_t number, const uint32_t *checksum,
		       const struct datastore *running)
{
	if (!checksum) {
		commit_print_mark(file, RECORD_BASE, number);
		return;
	}
	fprintf(file, "base %" PRIu64 " config=%08" PRIx32 "\n", number, *checksum);
	put_running(file, running);
}

/* Reading. Words and lines are spans of the payload, which is not NUL-terminated. */

struct span {
	const char *at, *end;
};

static size_t span_length(struct span span)
{
	return (size_t)(span.end - span.at);
}

/* Split off what is before @separator; without one, take all and leave an empty rest. */
static struct span take_until(struct span *rest, char separator)
{
	const char *found = memchr(rest->at, separator, span_length(*rest));
	struct span span = {rest->at, found ? found : rest->end};

	rest->at = found ? found + 1 : rest->end;
	return span;
}

static bool span_is(struct span span, const char *word)
{
	return span_length(span) == strlen(word) && memcmp(span.at, word, strlen(word)) == 0;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Unescape into @ret, NUL-terminated; false when malformed or too long. */
static bool unescape(struct span span, char *ret, size_t size)
{
	size_t length = 0;
	int high, low;

	for (const char *at = span.at; at < span.end; at++) {
		if (length + 1 >= size)
			return false;
		ret[length] = *at;
		if (*at == '%') {
			high = span.end - at > 2 ? hex_value(at[1]) : -1;
			low = span.end - at > 2 ? hex_value(at[2]) : -1;
			if (high < 0 || low < 0 || (high | low) == 0)
				return false;
			ret[length] = (char)(high << 4 | low);
			at += 2;
		}
		length++;
	}
	ret[length] = '\0';
	return true;
}

static bool read_number(struct span span, uint64_t max, uint64_t *ret)
{
	char text[24];
	char *end;

	if (span_length(span) == 0 || *span.at < '0' || *span.at > '9' ||
	    !unescape(span, text, sizeof(text)))
		return false;
	errno = 0;
	*ret = strtoull(text, &end, 10);
	return *end == '\0' && errno == 0 && *ret <= max;
}

static bool read_time(struct span span, struct timespec *ret)
{
	struct span seconds = take_until(&span, '.');
	uint64_t s, ns;

	if (!read_number(seconds, INT64_MAX, &s) || span_length(span) != 9 ||
	    !read_number(span, 999999999, &ns))
		return false;
	*ret = (struct timespec){.tv_sec = (time_t)s, .tv_nsec = (long)ns};
	return true;
}

/* Words of a commit's first line. Words of later versions are ignored. */
static bool read_info_word(struct span name, struct span value, struct commit_info *info)
{
	uint64_t number;

	if (span_is(name, "number"))
		return read_number(value, UINT64_MAX, &info->number);
	if (span_is(name, "time"))
		return read_time(value, &info->time);
	if (span_is(name, "boot"))
		return unescape(value, info->boot, sizeof(info->boot));
	if (span_is(name, "door"))
		return unescape(value, info->door, sizeof(info->door));
	if (span_is(name, "user"))
		return unescape(value, info->user, sizeof(info->user));
	if (span_is(name, "comment"))
		return unescape(value, info->comment, sizeof(info->comment));
	if (span_is(name, "tentative")) {
		info->tentative = true;
		return read_number(value, UINT64_MAX, &info->baseline);
	}
	if (!span_is(name, "tunnels") && !span_is(name, "sessions"))
		return true;
	if (!read_number(value, SIZE_MAX, &number))
		return false;
	if (span_is(name, "tunnels"))
		info->tunnels = (size_t)number;
	else
		info->sessions = (size_t)number;
	return true;
}

static bool read_info(struct span line, struct commit_info *info)
{
	struct span word, name;

	while (span_length(line) > 0) {
		word = take_until(&line, ' ');
		name = take_until(&word, '=');
		if (!read_info_word(name, word, info))
			return false;
	}
	return info->number > 0;
}

/* Eight hexadecimal digits. */
static bool read_checksum(struct span span, uint32_t *ret)
{
	char text[9], *end;

	if (span_length(span) != 8 || !unescape(span, text, sizeof(text)))
		return false;
	*ret = (uint32_t)strtoul(text, &end, 16);
	return *end == '\0';
}

/*
 * A number; in a base the checksum of config.xml may follow. Words of later versions are ignored.
 */
static bool read_mark(struct span line, struct commit_record *ret)
{
	struct span number = take_until(&line, ' '), word, name;

	if (!read_number(number, UINT64_MAX, &ret->info.number))
		return false;
	if (ret->kind != RECORD_BASE)
		return span_length(line) == 0;
	while (span_length(line) > 0) {
		word = take_until(&line, ' ');
		name = take_until(&word, '=');
		if (!span_is(name, "config"))
			continue;
		if (!read_checksum(word, &ret->config))
			return false;
		ret->has_config = true;
	}
	return true;
}

static int commit_read(const char *payload, size_t length, struct commit_record *ret)
{
	struct span rest = {payload, payload + length};
	struct span line = take_until(&rest, '\n');
	struct span word = take_until(&line, ' ');

	*ret = (struct commit_record){.kind = RECORD_COMMIT, .changes = rest.at, .end = rest.end};
	if (length == 0 || payload[length - 1] != '\n')
		return -EPROTO;
	if (span_is(word, "commit"))
		return read_info(line, &ret->info) ? 0 : -EPROTO;
	for (size_t i = 0; i < sizeof(mark_words) / sizeof(mark_words[0]); i++) {
		if (!mark_words[i] || !span_is(word, mark_words[i]))
			continue;
		ret->kind = (enum record_kind)i;
		return read_mark(line, ret) ? 0 : -EPROTO;
	}
	return -EPROTO;
}

static int refuse_line(struct span line, const char *why, struct error *err)
{
	size_t shown = span_length(line) < 40 ? span_length(line) : 40;

	error_set(err, ERROR_STORAGE, "%s in \"%.*s\"", why, (int)shown, line.at);
	return -EPROTO;
}

static int read_leaf(enum object object, struct span word, union config *config, struct error *err)
{
	struct span value = word, name = take_until(&value, '=');
	const struct row *row = row_by_leaf(object, name.at, span_length(name));
	char text[3 * VALUE_TEXT_MAX];

	if (!row || row->access != ACCESS_WRITE)
		return refuse_line(name, "unknown leaf, perhaps of a newer version,", err);
	if (!unescape(value, text, sizeof(text)) ||
	    codec_parse(row, config, text, strlen(text), NULL) != 0)
		return refuse_line(name, "bad value",
				   err); /* without the value, which may be a secret */
	return 0;
}

static int read_config(enum object object, struct span line, union config *config,
		       struct error *err)
{
	int rc = 0;

	take_until(&line, ' '); /* the sign */
	while (span_length(line) > 0 && rc == 0)
		rc = read_leaf(object, take_until(&line, ' '), config, err);
	return rc;
}

/* "2:group=g", below @parents[1], which becomes @parents[2]. */
static int read_acm_node(struct span word, struct acm *acm, struct acm_node *parents[ACM_DEPTH],
			 struct error *err)
{
	struct span value = word, name = take_until(&value, '='), depth = take_until(&name, ':');
	char text[ACM_TEXT_MAX] = "";
	enum acm_item item;
	uint64_t at;

	if (!read_number(depth, ACM_DEPTH - 1, &at) || at == 0 || !parents[at - 1] ||
	    !unescape(name, text, sizeof(text)))
		return refuse_line(word, "unknown words", err);
	item = acm_item_in(parents[at - 1]->item, text);
	if (item == ACM_ITEMS || !unescape(value, text, sizeof(text)))
		return refuse_line(word, "unknown leaf, perhaps of a newer version,", err);
	parents[at] = acm_add(acm, parents[at - 1], item, text);
	return parents[at] ? 0 : refuse_line(word, "no memory", err);
}

static int read_acm(struct span *rest, char sign, struct acm **ret, struct error *err)
{
	struct acm_node *parents[ACM_DEPTH] = {NULL};
	struct span line = take_until(rest, '\n');
	int rc = 0;

	if (span_length(line) == 0 || *line.at != sign)
		return refuse_line(line, "unknown words", err);
	*ret = acm_new();
	if (!*ret)
		return refuse_line(line, "no memory", err);
	parents[0] = (*ret)->root;
	take_until(&line, ' ');
	while (span_length(line) > 0 && rc == 0)
		rc = read_acm_node(take_until(&line, ' '), *ret, parents, err);
	return rc;
}

static bool read_ids(struct span line, struct change *change)
{
	struct span word = take_until(&line, ' ');
	struct span id = take_until(&line, ' ');
	uint64_t tunnel_id = 0, session_id = 0;
	bool good = read_number(id, ID_MAX, &tunnel_id) && tunnel_id > 0;

	if (span_is(word, "session"))
		good = good && read_number(line, ID_MAX, &session_id) && session_id > 0;
	else
		good = good && span_is(word, "tunnel") && span_length(line) == 0;
	change->tunnel_id = (uint32_t)tunnel_id;
	change->session_id = (uint32_t)session_id;
	return good;
}

static void set_key(const struct change *change, union config *config)
{
	if (change->session_id == 0) {
		config->tunnel.tunnel_id = change->tunnel_id;
		config->present |= BIT(TUNNEL_ID);
	} else {
		config->session.session_id = change->session_id;
		config->present |= BIT(SESSION_ID);
	}
}

/* Read the optional line that begins with @sign into @config, and point @ret there. */
static int read_side(struct span *rest, char sign, const struct change *change,
		     union config *config, const union config **ret, struct error *err)
{
	if (span_length(*rest) == 0 || *rest->at != sign)
		return 0;
	*ret = config;
	set_key(change, config);
	return read_config(change_object(change), take_until(rest, '\n'), config, err);
}

static int commit_read_change(struct commit_record *record, struct change_read *ret,
			      struct error *err)
{
	struct span rest = {record->changes, record->end}, line;
	struct change *change = &ret->change;
	int rc;

	if (span_length(rest) == 0)
		return 0;
	change_read_end(ret);
	line = take_until(&rest, '\n');
	if (span_is(line, "nacm")) {
		rc = read_acm(&rest, '-', &ret->acm_before, err);
		if (rc == 0)
			rc = read_acm(&rest, '+', &ret->acm, err);
		record->changes = rest.at;
		return rc < 0 ? rc : 1;
	}
	if (!read_ids(line, change))
		return refuse_line(line, "unknown words", err);
	rc = read_side(&rest, '-', change, &ret->before, &change->before, err);
	if (rc == 0)
		rc = read_side(&rest, '+', change, &ret->after, &change->after, err);
	if (rc == 0 && !change->before && !change->after)
		rc = refuse_line(line, "no change", err);
	record->changes = rest.at;
	return rc < 0 ? rc : 1;
}

void change_read_end(struct change_read *read)
{
	acm_drop(read->acm_before);
	acm_drop(read->acm);
	*read = (struct change_read){0};
}

int change_read_put(const struct change_read *read, bool back, struct candidate *candidate)
{
	const struct change *change = &read->change;

	if (change->tunnel_id)
		return candidate_put(candidate, change->tunnel_id, change->session_id,
				     back ? change->before : change->after);
	candidate_put_acm(candidate, back ? read->acm_before : read->acm);
	return 0;
}

static const struct commit_format formats[] = {
	{JOURNAL_VERSION, true, commit_read, commit_read_change},
	{2, true, commit_read, commit_read_change},
	{1, false, commit_read, commit_read_change},
};

const struct commit_format *commit_format(int version)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (formats[i].version == version)
			return &formats[i];
	}
	return NULL;
}
