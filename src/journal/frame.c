#include "journal/frame.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define MAGIC "l2tpv3d-journal "

uint32_t frame_checksum(uint32_t crc, const void *data, size_t length)
{
	return (uint32_t)crc32_z(crc, data, length);
}

#define DIGITS 8 /* of either number in a header */

/* Eight hexadecimal digits, in lower case. By hand: events are sealed by the ten thousand. */
static void write_hex(char *text, uint32_t value)
{
	for (int i = DIGITS - 1; i >= 0; i--, value >>= 4)
		text[i] = "0123456789abcdef"[value & 15];
}

/* All of a header but the checksum, which covers the digits of the length too. */
static int begin_header(char ret[FRAME_HEADER_LENGTH], size_t length)
{
	if (length > FRAME_PAYLOAD_MAX)
		return -EFBIG;
	ret[0] = '@';
	write_hex(ret + 1, (uint32_t)length);
	ret[9] = ' ';
	ret[18] = '\n';
	return 0;
}

int frame_header(char ret[FRAME_HEADER_LENGTH], size_t length, uint32_t crc)
{
	int rc = begin_header(ret, length);

	if (!rc)
		write_hex(ret + 10, (uint32_t)crc32_combine(frame_checksum(0, ret + 1, DIGITS), crc,
							    (z_off_t)length));
	return rc;
}

/* Cheaper for a short payload than to combine two checksums. */
static uint32_t frame_crc(const char *digits, const char *payload, size_t length)
{
	return frame_checksum(frame_checksum(0, digits, DIGITS), payload, length);
}

int frame_seal(char *frame, size_t length)
{
	int rc = begin_header(frame, length);

	if (!rc)
		write_hex(frame + 10, frame_crc(frame + 1, frame + FRAME_HEADER_LENGTH, length));
	return rc;
}

/* Eight hexadecimal digits, in lower case only: a number has one spelling. */
static bool read_hex(const char *text, uint32_t *ret)
{
	uint32_t value = 0;

	for (int i = 0; i < DIGITS; i++) {
		if (text[i] >= '0' && text[i] <= '9')
			value = value << 4 | (uint32_t)(text[i] - '0');
		else if (text[i] >= 'a' && text[i] <= 'f')
			value = value << 4 | (uint32_t)(text[i] - 'a' + 10);
		else
			return false;
	}
	*ret = value;
	return true;
}

bool frame_read(const char *image, size_t length, struct frame *ret)
{
	const char *payload = image + FRAME_HEADER_LENGTH;
	uint32_t payload_length, crc;

	if (length < FRAME_HEADER_LENGTH || image[0] != '@' || image[9] != ' ' ||
	    image[18] != '\n' || !read_hex(image + 1, &payload_length) ||
	    !read_hex(image + 10, &crc))
		return false;
	if (payload_length > length - FRAME_HEADER_LENGTH || payload_length > FRAME_PAYLOAD_MAX ||
	    frame_crc(image + 1, payload, payload_length) != crc)
		return false;
	*ret = (struct frame){payload, payload_length};
	return true;
}

size_t frame_search(const char *image, size_t length)
{
	const char *at = image, *end = image + length;
	struct frame frame;

	for (; (at = memchr(at, '@', (size_t)(end - at))) != NULL; at++) {
		if (frame_read(at, (size_t)(end - at), &frame))
			return (size_t)(at - image);
	}
	return length;
}

int journal_header_read(const char *image, size_t length, size_t *ret_length)
{
	const char *line_end = memchr(image, '\n', length < 64 ? length : 64);
	char *end;
	unsigned long version;

	*ret_length = 0;
	if (length < JOURNAL_HEADER_LENGTH && memcmp(image, JOURNAL_HEADER, length) == 0)
		return 0;
	if (!line_end || length < strlen(MAGIC) || memcmp(image, MAGIC, strlen(MAGIC)) != 0)
		return -EPROTO;
	version = strtoul(image + strlen(MAGIC), &end, 10);
	if (end != line_end || version == 0 || version > 999)
		return -EPROTO;
	*ret_length = (size_t)(line_end - image) + 1;
	return (int)version;
}
