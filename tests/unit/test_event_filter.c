/* XPath filters of subscriptions: who shares one, and how often it is evaluated. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "model/names.h"
#include "netconf/event_filter.h"
#include "netconf/xpath_tree.h"

static struct netconf_server server;
static unsigned int evaluations;

/* Linked in place of the real ones: see the Makefile. */
const struct xpath_tree *__wrap_events_document(struct events *events,
						const struct event_record *record);
int __wrap_xpath_tree_has(const struct xpath_tree *tree, struct xpath_expression *expression);

const struct xpath_tree *__wrap_events_document(struct events *events,
						const struct event_record *record)
{
	(void)events;
	return (const struct xpath_tree *)(const void *)record;
}

/* It selects something of every third record. */
int __wrap_xpath_tree_has(const struct xpath_tree *tree, struct xpath_expression *expression)
{
	const struct event_record *record = (const void *)tree;

	(void)expression;
	evaluations++;
	return record->number % 3 == 0;
}

static struct event_filter *open_filter(const char *select, const char *prefix, const char *uri)
{
	struct declaration declared = {NULL, prefix, uri};
	struct attribute attribute = {NULL, "", "select", "", select};
	const struct node element = {
		.name = "filter", .text = "", .attributes = &attribute, .declarations = &declared};
	struct event_filter *filter = NULL;
	struct error err = ERROR_INIT;

	if (event_filter_open(&filter, &server, &element, &err))
		fail_msg("%s: %s", select, err.text);
	return filter;
}

static void those_who_give_the_same_share_it(void **state)
{
	struct event_filter *one = open_filter("/l:a", "l", NAMESPACE_MODULE);
	struct event_filter *same = open_filter("/l:a", "l", NAMESPACE_MODULE);
	struct event_filter *other = open_filter("/l:a", "l", "urn:other");
	struct event_filter *another = open_filter("/l:b", "l", NAMESPACE_MODULE);

	(void)state;
	assert_ptr_equal(one, same);
	assert_ptr_not_equal(one, other);
	assert_ptr_not_equal(one, another);
	event_filter_close(one);
	same = open_filter("/l:a", "l", NAMESPACE_MODULE); /* the other one has kept it */
	assert_ptr_equal(one, same);
	event_filter_close(one);
	event_filter_close(same);
	event_filter_close(other);
	event_filter_close(another);
	assert_true(LIST_EMPTY(&server.filters));
}

static bool passes(struct event_filter *filter, uint64_t number)
{
	const struct event_record record = {.number = number};

	return event_filter_passes(filter, &record);
}

static void a_notification_is_looked_at_once(void **state)
{
	struct event_filter *filter = open_filter("/l:a", "l", NAMESPACE_MODULE);

	(void)state;
	evaluations = 0;
	for (int i = 0; i < 3; i++) {
		for (uint64_t number = 1; number <= 100; number++)
			assert_int_equal(passes(filter, number), number % 3 == 0);
		assert_int_equal(evaluations, 100);
	}
	/* others take the places of old ones, and are not mistaken for them */
	for (uint64_t number = 4096; number <= 8192; number++)
		assert_int_equal(passes(filter, number), number % 3 == 0);
	assert_false(passes(filter, 1));
	evaluations = 0;
	assert_true(passes(filter, 0)); /* in no log: each is another */
	assert_true(passes(filter, 0));
	assert_int_equal(evaluations, 2);
	event_filter_close(filter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(those_who_give_the_same_share_it),
		cmocka_unit_test(a_notification_is_looked_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
