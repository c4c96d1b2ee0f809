/* Several errors of one request (error.h). */
#include <stdio.h>
#include <stdlib.h>

#include "model/error.h"

int error_result(const struct error *err)
{
	if (!err->code)
		return 0;
	return err->os_errno ? -err->os_errno : -error_kind(err->code)->os_errno;
}

/* Is it about the whole request, so that to look for more would be vain? */
static bool ends_all(const struct error *one)
{
	return one->code == ERROR_RESOURCE || one->code == ERROR_INTERNAL ||
	       one->code == ERROR_TOO_BIG;
}

static bool comes_before(const struct error *a, const struct error *b)
{
	return a->tunnel_id != b->tunnel_id ? a->tunnel_id < b->tunnel_id
					    : a->session_id < b->session_id;
}

static bool is_same_entry(const struct error *a, const struct error *b)
{
	return a->tunnel_id && a->tunnel_id == b->tunnel_id && a->session_id == b->session_id;
}

/* Copy what an error says, but not its place in a list. */
static void assign(struct error *to, const struct error *from)
{
	bool collects = to->collects;
	struct error *next = to->next;

	*to = *from;
	to->collects = collects;
	to->next = next;
}

/* Make the last one the end of the list, which counts those that are left out. */
static void count_more(struct error *last)
{
	unsigned int more = last->code == ERROR_MORE ? last->session + 1 : 1;

	error_at(last, "%s", "");
	error_set(last, ERROR_MORE, "%u more error%s not shown; mend these %d first, and try again",
		  more, more == 1 ? " is" : "s are", ERRORS_MAX);
	last->session = more;
}

static void cut(struct error *head)
{
	struct error *last = head, *excess;

	for (int count = 1; count < ERRORS_MAX && last->next; count++)
		last = last->next;
	excess = last->next;
	if (!excess || excess->code == ERROR_MORE)
		return;
	if (excess->next) {
		last->next = excess->next;
		free(excess);
	}
	count_more(last->next);
}

/* Put a copy after @before, or, if that is NULL, first. */
static void put(struct error *head, struct error *before, const struct error *one)
{
	struct error *copy = calloc(1, sizeof(*copy)), *after = before ? before : head;

	if (!copy)
		return; /* it is refused all the same */
	assign(copy, before ? one : head);
	copy->next = after->next;
	after->next = copy;
	if (!before)
		assign(head, one);
	cut(head);
}

static int add(struct error *err, const struct error *one, bool ordered)
{
	struct error *before = NULL, *at;

	if (!err)
		return error_result(one);
	if (err->code && ends_all(err))
		return error_result(err);
	if (!err->code || !err->collects || ends_all(one)) {
		assign(err, one);
		return err->collects && !ends_all(one) ? 0 : error_result(one);
	}
	for (at = err; at && at->code != ERROR_MORE; at = at->next) {
		if (ordered && is_same_entry(at, one))
			return 0;
		if (!ordered || !comes_before(one, at))
			before = at;
	}
	if (at && before && before->next == at)
		count_more(at); /* the list is full, and ends before it */
	else
		put(err, before, one);
	return 0;
}

int error_append(struct error *err, const struct error *one)
{
	return add(err, one, false);
}

int error_insert(struct error *err, const struct error *one)
{
	return add(err, one, true);
}

void error_list_free(struct error *err)
{
	struct error *next = err->next, *at;

	while ((at = next) != NULL) {
		next = at->next;
		free(at);
	}
	*err = (struct error){.collects = err->collects};
}
