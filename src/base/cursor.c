#include "base/cursor.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

void *cursor_new(const struct cursor_kind *kind, size_t size)
{
	struct cursor *cursor = calloc(1, size);

	if (cursor)
		cursor->kind = kind;
	return cursor;
}

static void turn(struct cursor *cursor, int rc)
{
	cursor->result = rc;
	cursor->turned = true;
	cursor->ended = !cursor->kind->back;
}

static void one_unit(struct cursor *cursor)
{
	int rc = cursor->turned ? cursor->kind->back(cursor) : cursor->kind->forth(cursor);

	if (rc < 0)
		turn(cursor, rc);
	else if (rc == 0)
		cursor->ended = true;
}

int cursor_step(struct cursor *cursor, size_t budget)
{
	for (cursor->budget = budget; cursor->budget > 0 && !cursor->ended; cursor->budget--)
		one_unit(cursor);
	return cursor->ended ? cursor->result : 1;
}

void cursor_abandon(struct cursor *cursor)
{
	if (!cursor->ended && !cursor->turned && !cursor->decided)
		turn(cursor, -ECANCELED);
}

void cursor_free(struct cursor *cursor)
{
	if (!cursor)
		return;
	cursor_abandon(cursor);
	cursor_step(cursor, SIZE_MAX);
	if (cursor->kind->close)
		cursor->kind->close(cursor);
	free(cursor);
}

int cursor_run(struct cursor *cursor)
{
	int rc = -ENOMEM;

	if (!cursor)
		return rc;
	rc = cursor_step(cursor, SIZE_MAX);
	cursor_free(cursor);
	return rc;
}

/* ---- several in a row */

static int sequence_forth(struct cursor *cursor)
{
	struct sequence *sequence = (struct sequence *)cursor;
	int rc;

	if (!sequence->under_way) {
		if (!*sequence->part)
			return 0;
		rc = (*sequence->part++)(sequence, &sequence->under_way);
		return rc < 0 ? rc : 1;
	}
	rc = cursor_step(sequence->under_way, cursor->budget);
	cursor->budget = sequence->under_way->budget + 1; /* it has spent the rest */
	if (rc != 0)
		return rc;
	cursor_free(sequence->under_way);
	sequence->under_way = NULL;
	return 1;
}

/* The part under way takes itself back. */
static int sequence_back(struct cursor *cursor)
{
	struct sequence *sequence = (struct sequence *)cursor;

	if (!sequence->under_way)
		return 0;
	cursor_abandon(sequence->under_way);
	return cursor_step(sequence->under_way, 1) > 0;
}

static void sequence_close(struct cursor *cursor)
{
	cursor_free(((struct sequence *)cursor)->under_way);
}

void *sequence_new(sequence_part *const *parts, size_t size)
{
	static const struct cursor_kind kind = {
		.forth = sequence_forth, .back = sequence_back, .close = sequence_close};
	struct sequence *sequence = cursor_new(&kind, size);

	if (sequence)
		sequence->part = parts;
	return sequence;
}
