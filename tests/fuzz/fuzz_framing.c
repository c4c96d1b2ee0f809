/*
 * Any bytes into the framing decoder: however they are parted, the same comes
 * out. The first byte says how: version, switch after the first message, limit,
 * size of the parts.
 */
#include "netconf/framing.h"

#define OUTPUT_MAX 65536

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

struct output {
	size_t length;
	char text[OUTPUT_MAX];
};

static void note(struct output *output, const char *bytes, size_t length)
{
	if (length > OUTPUT_MAX - output->length)
		length = OUTPUT_MAX - output->length;
	memcpy(output->text + output->length, bytes, length);
	output->length += length;
}

/* False when it is over. */
static bool feed(struct framing *framing, bool *switches, const char *data, size_t length,
		 struct output *output)
{
	while (true) {
		const char *piece = NULL;
		size_t count = 0;

		switch (framing_step(framing, &data, &length, &piece, &count)) {
		case FRAMING_MORE:
			return true;
		case FRAMING_DATA:
			note(output, piece, count);
			break;
		case FRAMING_END:
			note(output, "|", 1);
			if (*switches)
				framing_switch(framing, FRAMING_CHUNKED);
			*switches = false;
			break;
		default:
			note(output, "!", 1);
			return false;
		}
	}
}

static void decode(unsigned char how, const char *data, size_t size, size_t part,
		   struct output *output)
{
	struct framing framing;
	bool switches = how & 2, more = true;

	output->length = 0;
	framing_init(&framing, how & 4 ? 100 : 0);
	framing_switch(&framing, how & 1 ? FRAMING_CHUNKED : FRAMING_END_OF_MESSAGE);
	for (size_t at = 0; at < size && more; at += part)
		more = feed(&framing, &switches, data + at, size - at < part ? size - at : part,
			    output);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static struct output whole, parted;

	if (size < 2)
		return 0;
	decode(data[0], (const char *)data + 1, size - 1, size, &whole);
	decode(data[0], (const char *)data + 1, size - 1, 1 + (data[0] >> 3), &parted);
	/* over the limit, the parts before it may have been given out already */
	if (data[0] & 4)
		return 0;
	if (whole.length != parted.length || memcmp(whole.text, parted.text, whole.length) != 0)
		abort();
	return 0;
}
