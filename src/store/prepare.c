/* From an edit to a candidate that may be committed: for the engine and for who checks only. */
#include "store/candidate.h"

int candidate_prepare(struct candidate *candidate, const struct edit *edit,
		      bool (*taken)(const char *name, void *arg), void *arg, struct error *err)
{
	int rc = edit ? candidate_apply(candidate, edit, err) : 0;

	if (rc == 0)
		rc = candidate_choose_names(candidate, taken, arg, err);
	return rc < 0 ? rc : candidate_validate(candidate, err);
}
