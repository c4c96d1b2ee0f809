/*
 * XPaths that a filter answers, and those that must be evaluated; and the evaluator over little
 * data, as a notification is.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "model/names.h"
#include "netconf/xpath.h"
#include "netconf/xpath_expression.h"
#include "netconf/xpath_tree.h"

/* Where l: and m: are declared, and in an element around it n: and another m:. */
static struct node *make_scope(struct tree *tree)
{
	static struct declaration inner_m = {NULL, "m", NAMESPACE_MONITORING};
	static struct declaration inner = {&inner_m, "l", NAMESPACE_MODULE};
	static struct declaration outer_m = {NULL, "m", "urn:x"};
	static struct declaration outer = {&outer_m, "n", NAMESPACE_MODULE};
	struct node *around = tree_add(tree, NULL, "rpc", ""), *scope;

	around->declarations = &outer;
	scope = tree_add(tree, around, "filter", "");
	scope->declarations = &inner;
	return scope;
}

#define TUNNEL "/l:l2tpv3/l:tunnel[l:tunnel-id='1']"

static const struct {
	const char *expression;
	enum xpath_kind kind;
} cases[] = {
	{"/l:l2tpv3", XPATH_FILTER},
	{" / n:l2tpv3 / l:tunnel [ l:tunnel-id = 1 ] ", XPATH_FILTER},
	{TUNNEL "/l:session[l:session-id=2]/l:mtu", XPATH_FILTER},
	{TUNNEL "/l:session[l:oper-status=\"up\"][l:mtu='1400']", XPATH_FILTER},
	{TUNNEL " | /m:netconf-state", XPATH_FILTER},
	/* not as a filter compares */
	{"/l:l2tpv3/l:tunnel[l:tunnel-id='01']", XPATH_SEARCH},
	{"/l:l2tpv3/l:tunnel[l:tunnel-id='']", XPATH_SEARCH},
	{TUNNEL "/l:session[l:description='x']", XPATH_SEARCH},
	{TUNNEL "/l:session[l:interface-name=12]", XPATH_SEARCH},
	{TUNNEL "/l:session[l:mac-address='AA:00:00:00:00:01']", XPATH_SEARCH},
	{TUNNEL "/l:session[l:statistics='1']", XPATH_SEARCH},
	{TUNNEL "/l:session[m:session-id='1']", XPATH_SEARCH},
	{"/m:netconf-state/m:sessions/m:session[m:session-id='1']", XPATH_SEARCH},
	{TUNNEL "[2]", XPATH_SEARCH},
	{TUNNEL "//l:mtu", XPATH_SEARCH},
	{TUNNEL "/*[contains(., '/../')]", XPATH_SEARCH},
	{TUNNEL "/l:session[l:a/l:b][./l:c = 2]/text()", XPATH_SEARCH},
	/* reaches others */
	{TUNNEL "/..", XPATH_WHOLE},
	{TUNNEL "/l:session[../l:mtu]", XPATH_WHOLE},
	{TUNNEL "/following-sibling::*", XPATH_WHOLE},
	{TUNNEL "/l:session[/l:l2tpv3]", XPATH_WHOLE},
	{TUNNEL "/l:session[l:mtu and/l:l2tpv3]", XPATH_WHOLE},
	{TUNNEL "/l:session[l:mtu =/l:l2tpv3]", XPATH_WHOLE},
	{TUNNEL "/l:session[l:mtu * /l:l2tpv3]", XPATH_WHOLE},
	{TUNNEL "/l:session[count(/*)]", XPATH_WHOLE},
	{TUNNEL "[2] | /l:l2tpv3", XPATH_WHOLE},
	{TUNNEL " | //l:session", XPATH_WHOLE},
	/* not ours, or no path */
	{"/l2tpv3/tunnel", XPATH_WHOLE},
	{"/x:l2tpv3", XPATH_WHOLE},
	{"//l:tunnel", XPATH_WHOLE},
	{"/*", XPATH_WHOLE},
	{"/", XPATH_WHOLE},
	{"", XPATH_WHOLE},
	{"l:l2tpv3", XPATH_WHOLE},
	{"count(/l:l2tpv3)", XPATH_WHOLE},
};

static void paths_with_keys_are_filters(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tree around = {0}, filter = {0};
		enum xpath_kind kind =
			xpath_to_filter(cases[i].expression, make_scope(&around), &filter);

		if (kind != cases[i].kind)
			fail_msg("%s: %d", cases[i].expression, kind);
		tree_free(&around);
		tree_free(&filter);
	}
}

static void a_filter_has_the_path_and_the_key(void **state)
{
	struct tree around = {0}, filter = {0};
	const struct node *at;

	(void)state;
	xpath_to_filter(TUNNEL "/m:x", make_scope(&around), &filter);
	at = node_child(filter.root, "l2tpv3", NAMESPACE_MODULE);
	at = node_child(at, "tunnel", NAMESPACE_MODULE);
	assert_string_equal(node_text(at, "tunnel-id", NAMESPACE_MODULE), "1");
	assert_non_null(node_child(at, "x", NAMESPACE_MONITORING));
	tree_free(&around);
	tree_free(&filter);
}

static unsigned int one_key(const char *top, const char *name, const char *uri)
{
	(void)top, (void)uri;
	return !strcmp(name, "list");
}

static int to_text(const char *bytes, size_t length, void *arg)
{
	strncat(arg, bytes, length);
	return 0;
}

/* What is selected of two small containers; "!": it is refused. */
static void check(const char *expression, unsigned int depth, const char *expected)
{
	static const char data[] =
		"<a xmlns='" NAMESPACE_MODULE "'><list><k>1</k><v x='2'>&lt;</v></list>"
		"<list><k>2</k><v>w</v></list></a><b xmlns='urn:b'><list><k>3</k></list></b>";
	struct xpath_tree *tree = xpath_tree_open();
	struct tree around = {0};
	struct error err = ERROR_INIT;
	char text[1024] = "";
	struct writer writer;
	int rc;

	assert_int_equal(xpath_tree_feed(data, strlen(data), tree), 0);
	assert_int_equal(xpath_tree_finish(tree), 0);
	rc = xpath_check(expression, make_scope(&around), &err);
	assert_int_equal(rc < 0, !strcmp(expected, "!"));
	rc = xpath_tree_select(tree, expression, around.root->first, &err);
	assert_int_equal(rc < 0, !strcmp(expected, "!"));
	if (rc >= 0) {
		writer_init(&writer, to_text, text);
		xpath_tree_write(tree, &writer, one_key, depth);
		writer_flush(&writer);
		assert_string_equal(text, expected);
	}
	tree_free(&around);
	xpath_tree_close(tree);
}

#define A   "<a xmlns=\"" NAMESPACE_MODULE "\">"
#define ONE "<list><k>1</k><v x=\"2\">&lt;</v></list>"
#define TWO "<list><k>2</k><v>w</v></list>"

static void the_evaluator_selects_with_keys(void **state)
{
	(void)state;
	check("/l:a/l:list[2]", 0, A TWO "</a>");
	check("//l:v[. = '<']", 0, A ONE "</a>");
	check("//@x", 0, A ONE "</a>");
	check("//l:v/text()", 1, A ONE TWO "</a>");
	check("//*[. = '3']", 0, "<b xmlns=\"urn:b\"><list><k>3</k></list></b>");
	check("/l:a", 1, A "</a>");
	check("/l:a", 2, A "<list><k>1</k></list><list><k>2</k></list></a>");
	check("/", 1, A "</a><b xmlns=\"urn:b\"></b>");
	check("//l:nothing", 0, "");
	check("/l:a[", 0, "!");
	check("1", 0, "!");
	check("//x:a", 0, "!");
}

/* A notification as long as they get; its edits name tunnels 0 to 63. */
static struct xpath_tree *make_notification(void)
{
	struct xpath_tree *tree = xpath_tree_open();
	char edit[256], *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	fprintf(file, "<change xmlns='%s'>", NAMESPACE_MODULE);
	for (int i = 0; i < 64; i++) {
		snprintf(edit, sizeof(edit),
			 "<edit><target>/l2tp:l2tpv3/l2tp:tunnel[l2tp:tunnel-id='%d']"
			 "/l2tp:session[l2tp:session-id='4294967295']/l2tp:l2-specific-sublayer"
			 "</target><operation>replace</operation></edit>",
			 i);
		fputs(edit, file);
	}
	fputs("</change>", file);
	fclose(file);
	assert_int_equal(xpath_tree_feed(text, strlen(text), tree), 0);
	assert_int_equal(xpath_tree_finish(tree), 0);
	free(text);
	return tree;
}

/* 1, 0, or a negative errno. */
static int has(const struct xpath_tree *tree, const char *text)
{
	struct xpath_expression *expression = NULL;
	struct tree around = {0};
	struct error err = ERROR_INIT;
	int rc = xpath_expression_open(&expression, text, make_scope(&around), &err);

	tree_free(&around);
	if (rc)
		fail_msg("%s: %s", text, err.text);
	rc = xpath_tree_has(tree, expression);
	assert_int_equal(xpath_tree_has(tree, expression), rc);
	xpath_expression_close(expression);
	return rc;
}

/* "before" piece "between" piece ... "after" */
static const char *many(const char *before, const char *piece, const char *between,
			unsigned int count, const char *after)
{
	static char text[XPATH_LENGTH_MAX + 1];
	size_t used = (size_t)snprintf(text, sizeof(text), "%s", before);

	for (unsigned int i = 0; i < count; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i ? between : "",
					 piece);
	snprintf(text + used, sizeof(text) - used, "%s", after);
	return text;
}

#define AZ "'ABCDEFGHIJKLMNOPQRSTUVWXYZ','abcdefghijklmnopqrstuvwxyz'"

static void what_a_subscriber_may_ask_is_answered(void **state)
{
	struct xpath_tree *tree = make_notification();

	(void)state;
	assert_int_equal(has(tree, "//l:edit[contains(l:target, \"tunnel-id='63'\")]"), 1);
	assert_int_equal(has(tree, "//l:edit[contains(l:target, \"tunnel-id='64'\")]"), 0);
	assert_int_equal(has(tree, "//l:edit[contains(translate(l:target, " AZ "), 'x=')]"), 0);
	assert_int_equal(has(tree, "/l:change[count(l:edit[l:operation = 'replace']) = 64]"), 1);
	assert_int_equal(has(tree, "//l:edit[concat(l:target, '/', l:operation) = 'x']"), 0);
	xpath_tree_close(tree);
}

/* Steps alone do not bound them: one step may be a copy of all of it, or worse. */
static void what_would_take_long_is_given_up(void **state)
{
	struct xpath_tree *tree = make_notification();
	clock_t began = clock();

	(void)state;
	assert_int_equal(
		has(tree, many("", "//*[", "", 40, "1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]")),
		-EMSGSIZE);
	assert_int_equal(has(tree, many("", "//node()", "|", 200, "")), -EMSGSIZE);
	assert_int_equal(has(tree, many("/*[concat(", "/", ",", 900, ") = '']")), -EMSGSIZE);
	assert_int_equal(has(tree, many("/*[translate(/, '", "Q", "", 1000, "', '') = '']")),
			 -EMSGSIZE);
	assert_int_equal(has(tree, "//*[contains(/, translate(/, '', ''))]"), -EMSGSIZE);
	assert_int_equal(has(tree, "//*[normalize-space(/) = normalize-space(/)]"), -EMSGSIZE);
	assert_int_equal(has(tree, "//*[//* = //*][//* != //*][//* < //*][sum(//*) = 1]"),
			 -EMSGSIZE);
	assert_true(clock() - began < CLOCKS_PER_SEC); /* a hundred times what it takes */
	xpath_tree_close(tree);
}

/* Whether they are looked up depends on the data; whether they are good does not. */
static void names_must_be_known(void **state)
{
	static const char *const good[] = {
		"/l:nothing[l:a and (l:b or(l:c)) and not(l:d mod(2) = 1)]",
		"/l:nothing[child::text() = '$x:y(']/processing-instruction()/self::node()",
		"/l:a.b-c[normalize-space() = \"x:y\" or @xml:lang or n:* = 1.5]",
	};
	static const char *const bad[] = {
		"/l:nothing[x:a]",        "/l:nothing[@x:a]",
		"/l:nothing[$a]",         "/l:nothing[current()]",
		"/l:nothing[l:count(.)]", "/l:nothing[. = '' and document('/') = \"\"]",
		"/l:nothing[x:*]",        "/l:nothing[id ('a') | key ('a', 'b')]",
	};
	struct tree around = {0};
	struct node *scope = make_scope(&around);
	struct error err = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (xpath_check(good[i], scope, &err))
			fail_msg("%s: %s", good[i], err.text);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (!xpath_check(bad[i], scope, &err) || err.code != ERROR_INVALID_VALUE)
			fail_msg("%s is accepted", bad[i]);
	tree_free(&around);
}

#define NOTES 256

static void note(const struct xpath_step *steps, size_t count, void *arg)
{
	char *text = arg;
	size_t used = strlen(text);

	for (size_t i = 0; i < count; i++)
		used += (size_t)snprintf(text + used, NOTES - used, "/%s[%s]", steps[i].name,
					 steps[i].key);
	snprintf(text + used, NOTES - used, " ");
}

static void what_is_selected_is_visited_in_order(void **state)
{
	static const char data[] = "<a xmlns='" NAMESPACE_MODULE "'><list><k>1</k><v>2</v></list>"
				   "<list><k>2</k><v>w</v></list></a>";
	struct xpath_tree *tree = xpath_tree_open();
	struct tree around = {0};
	struct node *scope = make_scope(&around);
	struct error err = ERROR_INIT;
	char text[NOTES] = "";

	(void)state;
	assert_int_equal(xpath_tree_feed(data, strlen(data), tree), 0);
	assert_int_equal(xpath_tree_finish(tree), 0);
	assert_int_equal(xpath_tree_select(tree, "//l:v/text()", scope, &err), 2);
	assert_int_equal(xpath_tree_select(tree, "//l:list[1]", scope, &err), 1);
	xpath_tree_visit(tree, note, text);
	assert_string_equal(text, "/a[]/list[1] /a[]/list[1]/v[] /a[]/list[2]/v[] ");
	assert_int_equal(xpath_tree_select(tree, "/", scope, &err), 1);
	text[0] = '\0';
	xpath_tree_visit(tree, note, text);
	assert_string_equal(text, " /a[]/list[1] /a[]/list[1]/v[] /a[]/list[2]/v[] ");
	tree_free(&around);
	xpath_tree_close(tree);
}

/* How a process ends that may take so much, and makes a tree of this many elements. */
static int end_of_process(size_t bytes, int elements)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		struct xpath_tree *tree;

		xpath_tree_limit(bytes);
		tree = xpath_tree_open();
		for (int i = 0; tree && i < elements; i++)
			if (xpath_tree_feed("<a>text</a>", 11, tree))
				_exit(2);
		xpath_tree_close(tree);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void a_process_ends_at_its_limit(void **state)
{
	int status = end_of_process(1 << 20, 100000);

	(void)state;
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	assert_int_equal(end_of_process(1 << 20, 100), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_with_keys_are_filters),
		cmocka_unit_test(a_filter_has_the_path_and_the_key),
		cmocka_unit_test(the_evaluator_selects_with_keys),
		cmocka_unit_test(what_a_subscriber_may_ask_is_answered),
		cmocka_unit_test(what_would_take_long_is_given_up),
		cmocka_unit_test(names_must_be_known),
		cmocka_unit_test(what_is_selected_is_visited_in_order),
		cmocka_unit_test(a_process_ends_at_its_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
