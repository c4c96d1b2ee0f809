#include "netconf/framing.h"

#include <string.h>

static const char delimiter[] = "]]>]]>";
#define DELIMITER_LENGTH (sizeof(delimiter) - 1)

/* RFC 6242 section 4.2: chunk = LF HASH chunk-size LF chunk-data; end-of-chunks = LF HASH HASH LF.
 */
enum state { CHUNK_LF, CHUNK_HASH, CHUNK_FIRST, CHUNK_SIZE, CHUNK_DATA, CHUNK_END };

void framing_init(struct framing *framing, size_t limit)
{
	*framing = (struct framing){.limit = limit};
}

void framing_switch(struct framing *framing, enum framing_version version)
{
	framing->version = version;
	framing->state = CHUNK_LF;
	framing->matched = 0;
	framing->size = 0;
}

bool framing_idle(const struct framing *framing)
{
	return !framing->size && !framing->matched && framing->state == CHUNK_LF;
}

static enum framing_result broken(struct framing *framing, const char *reason)
{
	framing->reason = reason;
	return FRAMING_BROKEN;
}

static enum framing_result piece(struct framing *framing, const char *data, size_t length,
				 const char **ret_piece, size_t *ret_length)
{
	*ret_piece = data;
	*ret_length = length;
	framing->size += length;
	if (framing->limit && framing->size > framing->limit) {
		framing->reason = "the message is longer than allowed";
		return FRAMING_TOO_BIG;
	}
	return FRAMING_DATA;
}

static enum framing_result end(struct framing *framing)
{
	framing_switch(framing, framing->version);
	return FRAMING_END;
}

static void use(const char **data, size_t *length, size_t count)
{
	*data += count;
	*length -= count;
}

/* How much of the delimiter matches when @c follows @matched bytes of it. */
static unsigned int match(unsigned int matched, char c)
{
	static const uint8_t fallback[DELIMITER_LENGTH] = {0, 0, 1, 0, 1, 2};

	while (matched && delimiter[matched] != c)
		matched = fallback[matched];
	return delimiter[matched] == c ? matched + 1 : 0;
}

/* The bytes before a delimiter, or before what may be the beginning of one. */
static size_t length_of_data(const char *data, size_t length)
{
	const char *at = memchr(data, delimiter[0], length);
	unsigned int matched = 0;

	if (!at)
		return length;
	at = memmem(at, length - (size_t)(at - data), delimiter, DELIMITER_LENGTH);
	if (at)
		return (size_t)(at - data);
	for (size_t i = length < DELIMITER_LENGTH ? 0 : length - DELIMITER_LENGTH + 1; i < length;
	     i++)
		matched = match(matched, data[i]);
	return length - matched;
}

/*
 * Bytes withheld as a possible delimiter may turn out to be data. They are a prefix of the
 * delimiter, so they need no buffer.
 */
static enum framing_result step_end_of_message(struct framing *framing, const char **data,
					       size_t *length, const char **ret_piece,
					       size_t *ret_length)
{
	while (*length) {
		unsigned int held = framing->matched, now;

		if (!held) {
			size_t count = length_of_data(*data, *length);

			if (count) {
				const char *start = *data;

				use(data, length, count);
				return piece(framing, start, count, ret_piece, ret_length);
			}
		}
		now = match(held, **data);
		if (now && now == held) { /* brackets, of which the last two are withheld */
			const char *start = *data;
			size_t count = 0;

			while (count < *length && start[count] == delimiter[0])
				count++;
			use(data, length, count);
			return piece(framing, start, count, ret_piece, ret_length);
		}
		if (now) {
			use(data, length, 1);
			framing->matched = now;
			if (now == DELIMITER_LENGTH)
				return end(framing);
			if (now == held + 1)
				continue;
			return piece(framing, delimiter, held + 1 - now, ret_piece, ret_length);
		}
		/* Do not take **data yet: it is data, or may begin another delimiter. */
		framing->matched = 0;
		return piece(framing, delimiter, held, ret_piece, ret_length);
	}
	return FRAMING_MORE;
}

static enum framing_result size_digit(struct framing *framing, char c)
{
	uint64_t size = (uint64_t)framing->left * 10 + (unsigned int)(c - '0');

	if (size > UINT32_MAX)
		return broken(framing, "the chunk-size exceeds 4294967295");
	framing->left = (uint32_t)size;
	framing->state = CHUNK_SIZE;
	return FRAMING_MORE;
}

/* Take one byte outside chunk data; FRAMING_MORE: go on. */
static enum framing_result chunk_header(struct framing *framing, char c)
{
	switch ((enum state)framing->state) {
	case CHUNK_LF:
		if (c != '\n')
			return broken(framing, "expected a line feed before a chunk");
		framing->state = CHUNK_HASH;
		return FRAMING_MORE;
	case CHUNK_HASH:
		if (c != '#')
			return broken(framing, "expected '#' before a chunk-size");
		framing->state = CHUNK_FIRST;
		return FRAMING_MORE;
	case CHUNK_FIRST:
		if (c == '#' && framing->size) {
			framing->state = CHUNK_END;
			return FRAMING_MORE;
		}
		if (c < '1' || c > '9')
			return broken(framing,
				      c == '#' ? "a message needs at least one chunk"
					       : "the chunk-size does not begin with 1 to 9");
		framing->left = 0;
		return size_digit(framing, c);
	case CHUNK_SIZE:
		if (c >= '0' && c <= '9')
			return size_digit(framing, c);
		if (c != '\n')
			return broken(framing, "the chunk-size has something other than digits");
		framing->state = CHUNK_DATA;
		return FRAMING_MORE;
	case CHUNK_END:
		if (c != '\n')
			return broken(framing, "expected a line feed after the last chunk");
		return end(framing);
	case CHUNK_DATA:
		break;
	}
	return FRAMING_MORE;
}

static enum framing_result step_chunked(struct framing *framing, const char **data, size_t *length,
					const char **ret_piece, size_t *ret_length)
{
	while (*length) {
		enum framing_result result;

		if (framing->state == CHUNK_DATA) {
			size_t count = *length < framing->left ? *length : framing->left;
			const char *start = *data;

			use(data, length, count);
			framing->left -= (uint32_t)count;
			if (!framing->left)
				framing->state = CHUNK_LF;
			return piece(framing, start, count, ret_piece, ret_length);
		}
		result = chunk_header(framing, **data);
		if (result == FRAMING_BROKEN)
			return result;
		use(data, length, 1);
		if (result != FRAMING_MORE)
			return result;
	}
	return FRAMING_MORE;
}

enum framing_result framing_step(struct framing *framing, const char **data, size_t *length,
				 const char **ret_piece, size_t *ret_length)
{
	if (framing->reason)
		return FRAMING_BROKEN;
	if (framing->version == FRAMING_CHUNKED)
		return step_chunked(framing, data, length, ret_piece, ret_length);
	return step_end_of_message(framing, data, length, ret_piece, ret_length);
}

size_t framing_head(enum framing_version version, size_t length, char ret[FRAMING_HEAD_MAX])
{
	int count = 0;

	if (version == FRAMING_CHUNKED)
		count = snprintf(ret, FRAMING_HEAD_MAX, "\n#%zu\n", length);
	return count > 0 ? (size_t)count : 0;
}

const char *framing_tail(enum framing_version version)
{
	return version == FRAMING_CHUNKED ? "\n##\n" : delimiter;
}
