/* The XML reader: what it takes, what it refuses, what it costs, in whatever pieces it comes. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>
#include <time.h>

#include "netconf/reader.h"
#include "netconf/sections.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct seen {
	unsigned int starts, ends, attributes;
	size_t text;
};

static int start(const struct reader_element *element, void *arg, struct error *err)
{
	struct seen *seen = arg;

	(void)err;
	seen->starts++;
	seen->attributes += element->attribute_count + element->declaration_count;
	return 0;
}

static int text(const char *bytes, size_t length, void *arg, struct error *err)
{
	struct seen *seen = arg;

	(void)bytes, (void)err;
	seen->text += length;
	return 0;
}

static int end(void *arg, struct error *err)
{
	struct seen *seen = arg;

	(void)err;
	seen->ends++;
	return 0;
}

static const struct reader_handler handler = {start, text, end};

static int read_document(const char *document, size_t length, size_t piece, struct seen *seen,
			 struct error *err)
{
	struct reader *reader = reader_open(&handler, seen);
	int result = 0, again;

	for (size_t at = 0; at < length && !result; at += piece)
		result = reader_feed(reader, document + at,
				     length - at < piece ? length - at : piece, err);
	result = result ? result : reader_finish(reader, err);
	/* a refusal is final */
	if (result) {
		again = reader_feed(reader, "<a/>", 4, err);
		assert_int_equal(again, result);
	}
	reader_close(reader);
	return result;
}

static void check(const char *document, size_t length, enum error_code code)
{
	static const size_t pieces[] = {1 << 20, 4096, 13, 1};

	for (size_t i = 0; i < COUNT(pieces); i++) {
		struct seen seen = {0};
		struct error err = ERROR_INIT;
		int result;

		if (pieces[i] == 1 && length > 100000)
			continue;
		result = read_document(document, length, pieces[i], &seen, &err);
		if (err.code != code)
			fail_msg("%.60s in pieces of %zu: %s", document, pieces[i], err.text);
		assert_int_equal(result != 0, code != ERROR_NONE);
	}
}

static void test_accepted(void **state)
{
	static const char *const documents[] = {
		"<a/>",
		" \n\t<a/>\n",
		"<?xml version=\"1.0\"?><a/>",
		"\n<?xml version='1.0' encoding='UTF-8'?><a/>",
		"<?xml version='1.0' encoding='utf-8' standalone='yes'?><a/>",
		"<?xml version='1.0' encoding='utf8'?><a/>",
		"<?xml version='1.0' encoding=\"Utf_8\" ?><a/>",
		"<?xml version='1.0' encoding='us-ascii'?><a/>",
		"<?xml version = '1.0' encoding = 'US-ASCII'?><a/>",
		"<?xml version='1.0'\n encoding='ASCII'?><a>\xc3\xbc</a>",
		"<?xml version='1.0' encoding='ANSI_X3.4-1968'?><a/>",
		"\xef\xbb\xbf<a/>",
		"\xef\xbb\xbf\n <a/>",
		"\xef\xbb\xbf<?xml version='1.0' encoding='ascii'?><a/>",
		"<?xml-stylesheet href='x'?><a/>",
		"<?xml version='1.0'?><?x?><a/>",
		"<a><?php x?><b/><?y z ?\?></a><?x?>",
		"<a><?x <!-- ?>text<?y ]]> <b> & ?></a>",
		"<a><!-- <?x --><![CDATA[<!-- <?x]]></a>",
		"<!----><a/><!-- > - -> ]]> ?> -->",
		"<a>&lt;&gt;&amp;&quot;&apos;&#65;&#x42;<![CDATA[<b>]]><!-- c --></a>",
		"<x:a xmlns:x='urn:x' x:b=']]>'><x:c d='e'/></x:a>",
		"<a xmlns='relative'/>",
		"<a xmlns='no URI'/>",
		"<a xmlns:y='no URI'><y:b/></a>",
		"<a xmlns='urn:\xc3\xa9'/>",
		"<a b='1>2' c=\"'>'\"><d e='>'/></a>",
		"<a>\xc3\xbc \xe2\x82\xac \xf0\x9f\x98\x80</a>",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(documents); i++)
		check(documents[i], strlen(documents[i]), ERROR_NONE);
}

static void test_refused(void **state)
{
	static const char *const documents[] = {
		"",
		"  \n",
		"text",
		"<a>",
		"<a></b>",
		"<a/><b/>",
		"<a/>text",
		"<a b='1' b='2'/>",
		"<a b=1/>",
		"<a><</a>",
		"<a>]]></a>",
		"<a>&undefined;</a>",
		"<a b='&undefined;'/>",
		"<a>&#0;</a>",
		"<a>&#x1f;</a>",
		"<a>\x01</a>",
		"<a>\xff</a>",
		"<a>\xc3</a>",
		"<a>\xed\xa0\x80</a>",
		"<x:a/>",
		"<a x:b='1'/>",
		"<a xmlns='no URI'><x:b/></a>",
		"<a><x:b/><c xmlns='no URI'/></a>",
		"<a xmlns='no URI'>",
		"<a xmlns:x=''/>",
		"<a xmlns:xmlns='urn:x'/>",
		"<a xmlns:x='urn:x' xmlns:y='urn:x' x:b='' y:b=''/>",
		"<!DOCTYPE a><a/>",
		"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
		"<!DOCTYPE a SYSTEM 'file:///etc/hostname'><a/>",
		"<a><? x?></a>",
		"<a><?></a>",
		"<a><?x</a>",
		"<a><?x \x01?></a>",
		"<a><?x \xff?></a>",
		"<a><?XML x?></a>",
		"<a><!-- -- --></a>",
		"<a><!-- ---></a>",
		"<a><!-- \x01 --></a>",
		"<a><!-- \xff --></a>",
		"<a><!-- </a>",
		"<?xml version='1.0' encoding='ISO-8859-1'?><a/>",
		"<?xml version='1.0' encoding='UTF-16'?><a/>",
		"<?xml version='1.0' encoding='utf-88'?><a/>",
		"<?xml version='1.0' encoding=''?><a/>",
		"<?xml version='1.0' encoding=ascii?><a/>",
		"<?xml version='1.0' encoding='us-ascii'?><a>\xe4</a>",
		"<?xml version='1.0' encoding='utf-8'",
		"<a><?xml version='1.0'?></a>",
		" <a/><?xml version='1.0'?>",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(documents); i++)
		check(documents[i], strlen(documents[i]), ERROR_MALFORMED);
}

static void test_other_encodings(void **state)
{
	static const char utf16le[] = "\xff\xfe<\0a\0/\0>\0", utf16be[] = "\xfe\xff\0<\0a\0/\0>";
	static const char bare16[] = "<\0a\0/\0>\0", nul[] = "<a>\0</a>";

	(void)state;
	check(utf16le, sizeof(utf16le) - 1, ERROR_MALFORMED);
	check(utf16be, sizeof(utf16be) - 1, ERROR_MALFORMED);
	check(bare16, sizeof(bare16) - 1, ERROR_MALFORMED);
	check(nul, sizeof(nul) - 1, ERROR_MALFORMED);
}

/* @count times @unit, and its number where it has a '#', between @head and @tail. */
static char *repeat(const char *head, const char *unit, size_t count, const char *tail)
{
	size_t before = strcspn(unit, "#");
	size_t size;
	char *ret = NULL;
	FILE *file = open_memstream(&ret, &size);

	fputs(head, file);
	for (size_t i = 0; i < count; i++) {
		fwrite(unit, 1, before, file);
		if (unit[before])
			fprintf(file, "%zu%s", i, unit + before + 1);
	}
	fputs(tail, file);
	fclose(file);
	return ret;
}

static void check_repeated(const char *head, const char *unit, size_t count, const char *tail,
			   enum error_code code)
{
	char *document = repeat(head, unit, count, tail);

	check(document, strlen(document), code);
	free(document);
}

static void test_limits(void **state)
{
	(void)state;
	check_repeated("<a", " b#='1'", 32, "/>", ERROR_NONE);
	check_repeated("<a", " b#='1'", 33, "/>", ERROR_TOO_BIG);
	check_repeated("<a", " xmlns:b#='1'", 33, "/>", ERROR_TOO_BIG);
	check_repeated("<a", " b#='1'", 100000, "/>", ERROR_TOO_BIG);
	check_repeated("<a b='", "#", 20000, "'/>", ERROR_TOO_BIG);
	check_repeated("<", "a#", 20000, "/>", ERROR_TOO_BIG);
	check_repeated("<a>", "x", 60000, "</a>", ERROR_NONE);
	check_repeated("<a>", "#", 20000, "</a>", ERROR_TOO_BIG);
	check_repeated("<a><![CDATA[", "x", 60000, "]]></a>", ERROR_NONE);
	check_repeated("<a><![CDATA[", "#", 20000, "]]></a>", ERROR_TOO_BIG);
	check_repeated("<a>", "<b>", 20, "", ERROR_MALFORMED);
	check_repeated("<a>", "<b>", 100000, "", ERROR_TOO_BIG);
	check_repeated("<a>", "<b c='#'/>", 100000, "</a>", ERROR_NONE);
}

/* Each is kept by libxml2 to the end, and looked up among all others. */
static void test_different_names_are_limited(void **state)
{
	(void)state;
	check_repeated("<a>", "<b#/>", 4000, "</a>", ERROR_NONE);
	check_repeated("<a>", "<b#/>", 5000, "</a>", ERROR_TOO_BIG);
	check_repeated("<a>", "<b c#='1'/>", 5000, "</a>", ERROR_TOO_BIG);
	check_repeated("<a>", "<b xmlns:c#='u'/>", 5000, "</a>", ERROR_TOO_BIG);
	check_repeated("<a>", "<b xmlns='u#'/>", 5000, "</a>", ERROR_TOO_BIG);
	check_repeated("<a>", "<?b#?>", 5000, "</a>", ERROR_TOO_BIG);
	check_repeated("<a>", "<b>#</b>", 100000, "</a>", ERROR_NONE);
	check_repeated("<a>", "<b c='#'/>", 100000, "</a>", ERROR_NONE);
}

/* A thousand of 4 kB each would be within their number. */
static void test_long_names_are_limited(void **state)
{
	char *unit = repeat("<", "b", 4000, "#/>");

	(void)state;
	check_repeated("<a>", unit, 10, "</a>", ERROR_NONE);
	check_repeated("<a>", unit, 200, "</a>", ERROR_TOO_BIG);
	free(unit);
}

/* libxml2 looks through all of them at every element. */
static void test_declarations_around_an_element_are_limited(void **state)
{
	char *element = repeat("<b", " xmlns:c#='u'", 31, ">");
	char *beside = repeat(element, "", 0, "</b>");

	(void)state;
	check_repeated("<a>", beside, 1000, "</a>", ERROR_NONE);
	check_repeated("<a>", element, 4, "</b></b></b></b></a>", ERROR_NONE);
	check_repeated("<a>", element, 5, "</b></b></b></b></b></a>", ERROR_TOO_BIG);
	free(beside);
	free(element);
}

/* libxml2 hands on a text of no bytes, and waits for more. */
static void test_bad_byte_first_in_cdata(void **state)
{
	(void)state;
	check_repeated("<a><![CDATA[\x81", "x", 400, "]]></a>", ERROR_MALFORMED);
	check_repeated("<a><![CDATA[\xff", "#", 20000, "]]></a>", ERROR_MALFORMED);
	check_repeated("<a><![CDATA[", "", 0, "]]></a>", ERROR_NONE);
}

/* Comments and instructions may be of any length, and cost no memory; and so white space. */
static void test_what_is_passed_over_may_be_long(void **state)
{
	static const struct {
		const char *head, *unit, *tail;
	} samples[] = {
		{"<a><!--", "some words - and more ", "--></a>"},
		{"<a><!--", "-> ", "--></a>"},
		{"<!--", "\xe2\x82\xac", "--><a/>"},
		{"<a/><!--", "- ", "-->"},
		{"<a><?x ", "?\n", "?></a>"},
		{"<?x ", "\xc3\xbc>", "?><a/>"},
		{"<a/><?x ", "x", "?>"},
		{"<a>", " \r\n\t", "</a>"},
		{"", " \n", "<a/>"},
		{"<a/>", " \n", ""},
		{"<a>", "<!-- c -->", "</a>"},
		{"<a>", "<?x?>", "</a>"},
		{"<a>", "<![CDATA[]]>", "</a>"},
		{"<a", " \n ", "/>"}, /* in a tag it is part of the tag */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(samples); i++) {
		size_t last = i + 1 == COUNT(samples);

		check_repeated(samples[i].head, samples[i].unit, 1000, samples[i].tail, ERROR_NONE);
		check_repeated(samples[i].head, samples[i].unit, 100000, samples[i].tail,
			       last ? ERROR_TOO_BIG : ERROR_NONE);
	}
}

/* The parts into which a long one is cut are looked at, each. */
static void test_long_sections_are_looked_at(void **state)
{
	static const char *const bad[] = {"\x01", "\xff", "\xc3", "\xed\xa0\x80"};
	static const struct {
		const char *head, *tail;
	} kinds[] = {{"<a><!--", "--></a>"}, {"<a><?x ", "?></a>"}, {"<a><![CDATA[", "]]></a>"}};

	(void)state;
	for (size_t length = 2030; length < 4500; length += length == 2055 ? 2040 : 1) {
		for (size_t i = 0; i < COUNT(kinds); i++) {
			check_repeated(kinds[i].head, "x", length, kinds[i].tail, ERROR_NONE);
			check_repeated(kinds[i].head, "x", length, "", ERROR_MALFORMED);
			for (size_t j = 0; length % 7 == 0 && j < COUNT(bad); j++) {
				char *head = repeat(kinds[i].head, "x", length, bad[j]);

				check_repeated(head, "x", 10, kinds[i].tail, ERROR_MALFORMED);
				free(head);
			}
		}
		check_repeated("<a><!--", "x", length, "-- --></a>", ERROR_MALFORMED);
		check_repeated("<a><!--", "x", length, "- --></a>", ERROR_NONE);
		check_repeated("<a><!--", "x", length, "---></a>", ERROR_MALFORMED);
	}
	check_repeated("<a><?", "x", 3000, " y?></a>", ERROR_NONE);
	check_repeated("<a><?", "x", 3000, "<y?></a>", ERROR_MALFORMED);
}

/* In the prolog libxml2 takes the "-->" in them for their end, if the true one comes later. */
static void test_comments_that_begin_like_their_end(void **state)
{
	static const char *const tails[] = {"<!--> c --><a/>", "<!---> c --><a/>", "<!----><a/>"};

	(void)state;
	for (size_t length = 4080; length < 4096; length++)
		for (size_t i = 0; i < COUNT(tails); i++)
			check_repeated("<?x?>", " ", length, tails[i], ERROR_NONE);
}

/* Where a CDATA section is cut, its text stays what it was. */
static void test_long_cdata_keeps_its_text(void **state)
{
	static const struct {
		const char *middle;
		size_t length;
	} samples[] = {{"]]]] >", 6}, {"]>", 2},        {"\xe2\x82\xac", 3},
		       {"]>]", 3},    {"<![CDATA[", 9}, {"<!--", 4}};

	(void)state;
	for (size_t length = SECTION_MAX - 12; length < SECTION_MAX + 2; length++) {
		for (size_t i = 0; i < COUNT(samples); i++) {
			char *head = repeat("<a><![CDATA[", "x", length, samples[i].middle);
			char *document = repeat(head, "y", 9000, "]]></a>");

			for (size_t piece = 1; piece < 10000; piece *= 13) {
				struct seen seen = {0};
				struct error err = ERROR_INIT;

				assert_int_equal(read_document(document, strlen(document), piece,
							       &seen, &err),
						 0);
				assert_int_equal(seen.text, length + samples[i].length + 9000);
			}
			free(document);
			free(head);
		}
	}
}

/* A value stays whole between long blanks. */
static void test_blanks_around_a_value(void **state)
{
	char *blanks = repeat("", " \t\n", 30000, ""), document[200000];
	struct seen seen = {0};
	struct error err = ERROR_INIT;

	(void)state;
	snprintf(document, sizeof(document), "<a>%s1400%s</a>", blanks, blanks);
	assert_int_equal(read_document(document, strlen(document), 1000, &seen, &err), 0);
	assert_in_range(seen.text, 4 + 2 * READER_BLANKS_MAX, 4 + 2 * READER_BLANKS_MAX + 8192);
	assert_true(seen.text < READER_TEXT_MAX);
	free(blanks);
}

static double seconds(const char *document, size_t piece, enum error_code code)
{
	struct seen seen = {0};
	struct error err = ERROR_INIT;
	clock_t before = clock();

	read_document(document, strlen(document), piece, &seen, &err);
	assert_int_equal(err.code, code);
	return (double)(clock() - before) / CLOCKS_PER_SEC;
}

/*
 * A document of any shape costs by its length. One of plain elements sets the
 * price of a byte, under whatever sanitizer.
 */
static void test_no_shape_costs_much(void **state)
{
	static const struct {
		const char *head, *unit;
		size_t count;
		enum error_code code;
		size_t piece;
	} shapes[] = {
		{"<a>", "<?oasis-xml-catalog catalog='x'?>", 30000, ERROR_MALFORMED, 65536},
		{"", "<?oasis-xml-catalog catalog='x'?>", 30000, ERROR_MALFORMED, 65536},
		{"<a>", "<b#/>", 100000, ERROR_TOO_BIG, 65536},
		{"<a><![CDATA[", "x", 1000000, ERROR_TOO_BIG, 65536},
		{"<a><!--", "x", 1000000, ERROR_MALFORMED, 65536},
		{"<a><!--", "x", 1000000, ERROR_MALFORMED, 1},
		{"<a><?x ", "!", 1000000, ERROR_MALFORMED, 65536},
		{"<a>", "!?", 500000, ERROR_TOO_BIG, 65536},
		{"<a>", "<b c='ddddddddddddddddddddddddddddddddddddddd'/>", 20000, ERROR_MALFORMED,
		 1},
	};
	char *plain = repeat("<a>", "<b/>", 250000, "</a>");
	double price = seconds(plain, 65536, ERROR_NONE);

	(void)state;
	for (size_t i = 0; i < COUNT(shapes); i++) {
		char *document = repeat(shapes[i].head, shapes[i].unit, shapes[i].count, "");
		double took = seconds(document, shapes[i].piece, shapes[i].code);

		if (took > 3 * price + 0.05)
			fail_msg("%s%s: %.0f ms, plain elements %.0f", shapes[i].head,
				 shapes[i].unit, 1e3 * took, 1e3 * price);
		free(document);
	}
	free(plain);
}

static void test_memory_is_told_and_bounded(void **state)
{
	struct seen seen = {0};
	struct reader *reader = reader_open(&handler, &seen);
	char *names = repeat("<a>", "<b#/>", 4000, "<!--"), *comment = repeat("", "x", 100000, "");
	size_t before = reader_memory(reader), with_names;
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(reader_feed(reader, names, strlen(names), &err), 0);
	assert_int_equal(reader_feed(reader, comment, strlen(comment), &err), 0);
	with_names = reader_memory(reader);
	assert_in_range(with_names - before, 4000 * 6, 400 << 10);
	for (unsigned int i = 0; i < 100; i++)
		assert_int_equal(reader_feed(reader, comment, strlen(comment), &err), 0);
	assert_int_equal(reader_memory(reader), with_names);
	reader_close(reader);
	free(comment);
	free(names);
}

/* 100,000 attributes took libxml2 96 seconds. */
static void test_attributes_cost_nothing(void **state)
{
	char *document = repeat("<a", " b#='1'", 100000, "/>");
	struct seen seen = {0};
	struct error err = ERROR_INIT;
	clock_t before = clock();

	(void)state;
	assert_true(read_document(document, strlen(document), 1 << 20, &seen, &err) < 0);
	assert_true(clock() - before < CLOCKS_PER_SEC);
	free(document);
}

static void test_text_comes_in_one(void **state)
{
	struct seen seen = {0};
	struct error err = ERROR_INIT;
	static const char document[] = "<a x='1'>ab<!-- -->cd<![CDATA[ef]]>&lt;<b/>gh</a>";

	(void)state;
	assert_int_equal(read_document(document, sizeof(document) - 1, 1, &seen, &err), 0);
	assert_int_equal(seen.starts, 2);
	assert_int_equal(seen.ends, 2);
	assert_int_equal(seen.text, 9);
	assert_int_equal(seen.attributes, 1);
}

struct value {
	char text[64];
};

static int keep_value(const struct reader_element *element, void *arg, struct error *err)
{
	struct value *value = arg;

	(void)err;
	assert_true(element->attributes[0].length < sizeof(value->text));
	memcpy(value->text, element->attributes[0].value, element->attributes[0].length);
	return 0;
}

static int nothing(void *arg, struct error *err)
{
	(void)arg, (void)err;
	return 0;
}

static void test_attribute_values(void **state)
{
	static const char *const cases[][2] = {
		{"a", "a"},
		{"", ""},
		{"&amp;", "&"},
		{"&#38;", "&"},
		{"&amp;#38;", "&#38;"},
		{"a&amp;&amp;b&lt;&gt;&apos;&quot;", "a&&b<>'\""},
		{"&#x26;amp;", "&amp;"},
		{"a\nb&#10;c", "a b\nc"},
	};
	static const struct reader_handler keep = {keep_value, NULL, nothing};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct value value = {""};
		struct error err = ERROR_INIT;
		struct reader *reader = reader_open(&keep, &value);
		char document[128];

		snprintf(document, sizeof(document), "<a b='%s'/>", cases[i][0]);
		assert_int_equal(reader_feed(reader, document, strlen(document), &err), 0);
		assert_int_equal(reader_finish(reader, &err), 0);
		assert_string_equal(value.text, cases[i][1]);
		reader_close(reader);
	}
}

static void check_line(const char *document, const char *expected)
{
	struct seen seen = {0};
	struct error err = ERROR_INIT;

	assert_true(read_document(document, strlen(document), 100, &seen, &err) < 0);
	if (strncmp(err.text, expected, strlen(expected)) != 0)
		fail_msg("%s, not %s", err.text, expected);
}

static void test_line(void **state)
{
	char *comment = repeat("<a><!-- ", "line\n", 10000, "--><!DOCTYPE a></a>");

	(void)state;
	check_line("<a>\n\n<!DOCTYPE a>\n</a>", "line 3: ");
	check_line("\n\n<a>\n\n</b></a>", "line 5: ");
	check_line("\n\n\n<!DOCTYPE a><a/>", "line 4: a DOCTYPE");
	check_line("<a>\n<?x\n\n?><b/>\n</b></a>", "line 5: ");
	check_line(comment, "line 10001: ");
	free(comment);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_other_encodings),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_different_names_are_limited),
		cmocka_unit_test(test_long_names_are_limited),
		cmocka_unit_test(test_declarations_around_an_element_are_limited),
		cmocka_unit_test(test_what_is_passed_over_may_be_long),
		cmocka_unit_test(test_long_sections_are_looked_at),
		cmocka_unit_test(test_comments_that_begin_like_their_end),
		cmocka_unit_test(test_long_cdata_keeps_its_text),
		cmocka_unit_test(test_blanks_around_a_value),
		cmocka_unit_test(test_no_shape_costs_much),
		cmocka_unit_test(test_memory_is_told_and_bounded),
		cmocka_unit_test(test_bad_byte_first_in_cdata),
		cmocka_unit_test(test_attributes_cost_nothing),
		cmocka_unit_test(test_text_comes_in_one),
		cmocka_unit_test(test_attribute_values),
		cmocka_unit_test(test_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
