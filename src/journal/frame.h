/*
 * Framing of the journal file:
 *
 *     l2tpv3d-journal 4
 *     @0000004c 9a1b0c7d
 *     commit number=1 ... (0x4c bytes of payload, the last one a line feed)
 *     @...
 *
 * The first line holds the format version. Each frame is '@', the payload's
 * length, and the CRC-32 of length and payload, in hexadecimal. Payloads are
 * lines of text, made and read by commit.h.
 */
#ifndef JOURNAL_FRAME_H
#define JOURNAL_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* There is no version 3: one flipped bit would turn it into version 1 or 2. */
#define JOURNAL_VERSION       4
#define JOURNAL_HEADER        "l2tpv3d-journal 4\n"
#define JOURNAL_HEADER_LENGTH (sizeof(JOURNAL_HEADER) - 1)

#define FRAME_HEADER_LENGTH 19 /* "@%08x %08x\n" */
#define FRAME_PAYLOAD_MAX   0x40000000U

struct frame {
	const char *payload;
	size_t length; /* of the payload */
};

/* Write the header into the FRAME_HEADER_LENGTH bytes before the payload. 0 or -EFBIG. */
int frame_seal(char *frame, size_t length);
/* The same for a payload already written elsewhere; @crc: its frame_checksum(). */
int frame_header(char ret[FRAME_HEADER_LENGTH], size_t length, uint32_t crc);

/* Continue a CRC-32 from @crc, 0 at first. */
uint32_t frame_checksum(uint32_t crc, const void *data, size_t length);

/* Does @image begin with a complete and sound frame? */
bool frame_read(const char *image, size_t length, struct frame *ret);

/* The offset of the first sound frame, whatever is before it; @length when there is none. */
size_t frame_search(const char *image, size_t length);

/*
 * Read the first line. Returns the version, and its length in @ret_length; 0 when @image is only
 * the beginning of such a line, or empty; -EPROTO when it is something else.
 */
int journal_header_read(const char *image, size_t length, size_t *ret_length);

#endif
