#include "daemon/burst.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "daemon/tally.h"

void burst_init(struct burst *burst, void (*line)(int priority, const char *text, void *arg),
		void *arg)
{
	memset(burst, 0, sizeof(*burst));
	burst->line = line;
	burst->arg = arg;
}

/* FNV-1a over the text, with each number taken as one character; never 0. */
static uint64_t shape_of(const char *text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	bool number = false;

	for (; *text; text++) {
		bool digit = *text >= '0' && *text <= '9';

		if (!digit || !number)
			hash = (hash ^ (digit ? '#' : (unsigned char)*text)) *
			       UINT64_C(0x100000001b3);
		number = digit;
	}
	return hash ? hash : 1;
}

static void tell(const struct burst *burst, struct burst_kind *kind)
{
	char text[BURST_TEXT + 64], number[COUNT_TEXT];

	if (kind->held) {
		snprintf(text, sizeof(text), "%s more like it, the last: %s",
			 count_text(kind->held, number), kind->text);
		burst->line(kind->priority, text, burst->arg);
	}
	kind->held = 0;
}

/* The kind with this shape; if there is none, the one quiet for longest is flushed and reused. */
static struct burst_kind *kind_of(struct burst *burst, uint64_t shape)
{
	struct burst_kind *oldest = &burst->kinds[0];

	for (unsigned int i = 0; i < BURST_KINDS; i++) {
		struct burst_kind *kind = &burst->kinds[i];

		if (kind->shape == shape)
			return kind;
		if (kind->last < oldest->last)
			oldest = kind;
	}
	tell(burst, oldest);
	*oldest = (struct burst_kind){.shape = shape};
	return oldest;
}

static int64_t due(const struct burst_kind *kind)
{
	int64_t quiet = kind->last + BURST_QUIET, most = kind->began + BURST_MOST;

	return quiet < most ? quiet : most;
}

void burst_take(struct burst *burst, int64_t now, int priority, const char *text)
{
	struct burst_kind *kind = kind_of(burst, shape_of(text));

	if (!kind->passed || now >= due(kind)) {
		tell(burst, kind);
		kind->passed = 0;
		kind->began = now;
	}
	kind->last = now;
	kind->priority = priority;
	if (kind->passed < BURST_PASS) {
		kind->passed++;
		burst->line(priority, text, burst->arg);
		return;
	}
	kind->held++;
	snprintf(kind->text, sizeof(kind->text), "%s", text);
}

void burst_flush(struct burst *burst, int64_t now)
{
	for (unsigned int i = 0; i < BURST_KINDS; i++)
		if (burst->kinds[i].held && now >= due(&burst->kinds[i])) {
			tell(burst, &burst->kinds[i]);
			burst->kinds[i].passed = 0;
		}
}

int64_t burst_due(const struct burst *burst)
{
	int64_t first = 0;

	for (unsigned int i = 0; i < BURST_KINDS; i++)
		if (burst->kinds[i].held && (!first || due(&burst->kinds[i]) < first))
			first = due(&burst->kinds[i]);
	return first;
}
