/* From an edit to a candidate that may be committed: for the engine and for who checks only. */
#include <errno.h>

#include "store/overlay.h"

struct preparation {
	struct cursor cursor;
	struct candidate *candidate;
	const struct edit *edit;
	bool (*taken)(const char *name, void *arg);
	void *arg;
	struct error *err;
	const struct preparation_part *part;
	struct cursor *under_way; /* the part's; NULL: not begun */
};

static struct cursor *begin_apply(struct preparation *p)
{
	return candidate_apply_begin(p->candidate, p->edit, p->err);
}

static struct cursor *begin_names(struct preparation *p)
{
	return candidate_choose_names_begin(p->candidate, p->taken, p->arg, p->err);
}

static struct cursor *begin_validate(struct preparation *p)
{
	return candidate_validate_begin(p->candidate, p->err);
}

static const struct preparation_part {
	struct cursor *(*begin)(struct preparation *p);
} parts[] = {{begin_apply}, {begin_names}, {begin_validate}, {NULL}};

static int preparation_forth(struct cursor *cursor)
{
	struct preparation *p = (struct preparation *)cursor;
	int rc;

	if (p->part->begin == NULL)
		return 0;
	if (p->under_way == NULL)
		p->under_way = p->part->begin(p);
	if (p->under_way == NULL)
		return -ENOMEM;
	rc = cursor_step(p->under_way, 1);
	if (rc != 0)
		return rc;
	cursor_free(p->under_way);
	p->under_way = NULL;
	p->part++;
	return 1;
}

/* What is under way takes itself back. */
static int preparation_back(struct cursor *cursor)
{
	struct preparation *p = (struct preparation *)cursor;

	if (p->under_way == NULL)
		return 0;
	cursor_abandon(p->under_way);
	return cursor_step(p->under_way, 1) > 0;
}

static void preparation_close(struct cursor *cursor)
{
	cursor_free(((struct preparation *)cursor)->under_way);
}

struct cursor *candidate_prepare_begin(struct candidate *candidate, const struct edit *edit,
				       bool (*taken)(const char *name, void *arg), void *arg,
				       struct error *err)
{
	static const struct cursor_kind kind = {
		.forth = preparation_forth, .back = preparation_back, .close = preparation_close};
	struct preparation *p = cursor_new(&kind, sizeof(*p));

	if (p == NULL) {
		overlay_no_memory(err);
		return NULL;
	}
	p->candidate = candidate;
	p->edit = edit;
	p->taken = taken;
	p->arg = arg;
	p->err = err;
	p->part = edit != NULL ? &parts[0] : &parts[1];
	return &p->cursor;
}

int candidate_prepare(struct candidate *candidate, const struct edit *edit,
		      bool (*taken)(const char *name, void *arg), void *arg, struct error *err)
{
	return cursor_run(candidate_prepare_begin(candidate, edit, taken, arg, err));
}
