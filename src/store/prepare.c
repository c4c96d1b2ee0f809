/* Turns an edit into a candidate that may be committed: for the engine, and for checks alone. */
#include <errno.h>

#include "store/overlay.h"

struct preparation {
	struct sequence sequence;
	struct candidate *candidate;
	struct edit *edit;
	bool (*taken)(const char *name, void *arg);
	void *arg;
	struct error *err;
};

static int begun(struct cursor *cursor, struct cursor **ret)
{
	*ret = cursor;
	return cursor ? 0 : -ENOMEM;
}

static int begin_apply(struct sequence *sequence, struct cursor **ret)
{
	struct preparation *p = (struct preparation *)sequence;

	return p->edit ? begun(candidate_apply_begin(p->candidate, p->edit, p->err), ret) : 0;
}

static int begin_names(struct sequence *sequence, struct cursor **ret)
{
	struct preparation *p = (struct preparation *)sequence;

	return begun(candidate_choose_names_begin(p->candidate, p->taken, p->arg, p->err), ret);
}

static int begin_validate(struct sequence *sequence, struct cursor **ret)
{
	struct preparation *p = (struct preparation *)sequence;

	return begun(candidate_validate_begin(p->candidate, p->err), ret);
}

struct cursor *candidate_prepare_begin(struct candidate *candidate, struct edit *edit,
				       bool (*taken)(const char *name, void *arg), void *arg,
				       struct error *err)
{
	static sequence_part *const parts[] = {begin_apply, begin_names, begin_validate, NULL};
	struct preparation *p = sequence_new(parts, sizeof(*p));

	if (!p) {
		overlay_no_memory(err);
		return NULL;
	}
	p->candidate = candidate;
	p->edit = edit;
	p->taken = taken;
	p->arg = arg;
	p->err = err;
	return &p->sequence.cursor;
}

int candidate_prepare(struct candidate *candidate, struct edit *edit,
		      bool (*taken)(const char *name, void *arg), void *arg, struct error *err)
{
	return cursor_run(candidate_prepare_begin(candidate, edit, taken, arg, err));
}
