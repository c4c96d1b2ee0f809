/* The XML reader: what it takes, what it refuses, in whatever pieces it comes. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>
#include <time.h>

#include "netconf/reader.h"

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
	struct reader *reader = reader_open(&reader_limits, &handler, seen);
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
		"\xef\xbb\xbf<a/>",
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
		"<a><?php x?></a>",
		"<?xml-stylesheet href='x'?><a/>",
		"<a/><?x?>",
		"<?xml version='1.0' encoding='ISO-8859-1'?><a/>",
		"<?xml version='1.0' encoding='UTF-16'?><a/>",
		"<a><?xml version='1.0'?></a>",
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
	check_repeated("<a><!--", "#", 20000, "--></a>", ERROR_TOO_BIG);
	check_repeated("<a>", "x", 60000, "</a>", ERROR_NONE);
	check_repeated("<a>", "#", 20000, "</a>", ERROR_TOO_BIG);
	check_repeated("<a><![CDATA[", "#", 20000, "]]></a>", ERROR_TOO_BIG);
	check_repeated("<a>", "<b>", 20, "", ERROR_MALFORMED);
	check_repeated("<a>", "<b>", 100000, "", ERROR_TOO_BIG);
	check_repeated("<a>", "<b c='#'/>", 100000, "</a>", ERROR_NONE);
}

/* libxml2 hands on a text of no bytes, and waits for more. */
static void test_bad_byte_first_in_cdata(void **state)
{
	(void)state;
	check_repeated("<a><![CDATA[\x81", "x", 400, "]]></a>", ERROR_MALFORMED);
	check_repeated("<a><![CDATA[\xff", "#", 20000, "]]></a>", ERROR_TOO_BIG);
	check_repeated("<a><![CDATA[", "", 0, "]]></a>", ERROR_NONE);
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
		struct reader *reader = reader_open(&reader_limits, &keep, &value);
		char document[128];

		snprintf(document, sizeof(document), "<a b='%s'/>", cases[i][0]);
		assert_int_equal(reader_feed(reader, document, strlen(document), &err), 0);
		assert_int_equal(reader_finish(reader, &err), 0);
		assert_string_equal(value.text, cases[i][1]);
		reader_close(reader);
	}
}

static void test_line(void **state)
{
	struct seen seen = {0};
	struct error err = ERROR_INIT;

	(void)state;
	assert_true(read_document("<a>\n\n<?x?>\n</a>", 15, 100, &seen, &err) < 0);
	assert_non_null(strstr(err.text, "line 3: processing"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_other_encodings),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_bad_byte_first_in_cdata),
		cmocka_unit_test(test_attributes_cost_nothing),
		cmocka_unit_test(test_text_comes_in_one),
		cmocka_unit_test(test_attribute_values),
		cmocka_unit_test(test_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
