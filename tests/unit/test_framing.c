/* Message framing: RFC 6242 section 4, however the bytes arrive. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "netconf/framing.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What was decoded: messages with a '|' after each, and '!' for a violation, '+' for too long. */
struct decoded {
	struct framing framing;
	bool switch_after_first;
	unsigned int messages;
	size_t length;
	char text[256];
};

static void note(struct decoded *decoded, const char *bytes, size_t length)
{
	assert_true(decoded->length + length < sizeof(decoded->text));
	memcpy(decoded->text + decoded->length, bytes, length);
	decoded->length += length;
	decoded->text[decoded->length] = '\0';
}

static void feed(struct decoded *decoded, const char *data, size_t length)
{
	while (true) {
		const char *piece = NULL;
		size_t count = 0;

		switch (framing_step(&decoded->framing, &data, &length, &piece, &count)) {
		case FRAMING_MORE:
			assert_int_equal(length, 0);
			return;
		case FRAMING_DATA:
			assert_true(count > 0);
			note(decoded, piece, count);
			break;
		case FRAMING_END:
			note(decoded, "|", 1);
			if (!decoded->messages++ && decoded->switch_after_first)
				framing_switch(&decoded->framing, FRAMING_CHUNKED);
			break;
		case FRAMING_BROKEN:
			assert_non_null(decoded->framing.reason);
			note(decoded, "!", 1);
			return;
		case FRAMING_TOO_BIG:
			note(decoded, "+", 1);
			return;
		}
	}
}

static struct decoded begin(enum framing_version version, size_t limit)
{
	struct decoded decoded = {0};

	framing_init(&decoded.framing, limit);
	framing_switch(&decoded.framing, version);
	return decoded;
}

/* Whole, byte by byte, and parted in two at every place. */
static void check(enum framing_version version, bool hello_first, const char *bytes,
		  const char *expected)
{
	size_t length = strlen(bytes);

	for (size_t part = 0; part <= length; part++) {
		struct decoded decoded = begin(hello_first ? FRAMING_END_OF_MESSAGE : version, 0);

		decoded.switch_after_first = hello_first;
		feed(&decoded, bytes, part);
		if (!strchr(decoded.text, '!'))
			feed(&decoded, bytes + part, length - part);
		assert_string_equal(decoded.text, expected);
	}
	struct decoded decoded = begin(hello_first ? FRAMING_END_OF_MESSAGE : version, 0);

	decoded.switch_after_first = hello_first;
	for (size_t i = 0; i < length && !strchr(decoded.text, '!'); i++)
		feed(&decoded, bytes + i, 1);
	assert_string_equal(decoded.text, expected);
}

static void test_end_of_message(void **state)
{
	static const char *const cases[][2] = {
		{"", ""},
		{"a", "a"},
		{"]]>]]>", "|"},
		{"abc]]>]]>", "abc|"},
		{"a]]>]]>b]]>]]>", "a|b|"},
		{"]]]>]]>", "]|"},
		{"]]]]]]>]]>", "]]]]|"},
		{"]]>]]]>]]>", "]]>]|"},
		{"]]>]]>]]>]]>", "||"},
		{"]]>]>]]>]]>", "]]>]>|"},
		{"]]>x]]>]]>", "]]>x|"},
		{"]>]]>]]>", "]>|"},
		{"]]>]]]]>]]>", "]]>]]|"},
		{"]]]]x]]]>]]>", "]]]]x]|"},
		{"] ]]> ]]>]] ]]>]]>", "] ]]> ]]>]] |"},
		{"<a>x]] > ]]></a>]]>]]>", "<a>x]] > ]]></a>|"},
		{"\n#3\nabc\n##\n]]>]]>", "\n#3\nabc\n##\n|"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		check(FRAMING_END_OF_MESSAGE, false, cases[i][0], cases[i][1]);
}

static void test_chunks(void **state)
{
	static const char *const cases[][2] = {
		{"\n#1\na\n##\n", "a|"},
		{"\n#3\nabc\n#2\nde\n##\n", "abcde|"},
		{"\n#10\n0123456789\n##\n\n#1\nx\n##\n", "0123456789|x|"},
		{"\n#6\n]]>]]>\n##\n", "]]>]]>|"},
		{"\n#4\n\n##\n\n##\n", "\n##\n|"},
		{"\n#1\n\n\n##\n", "\n|"},
		{"\n#4294967295\nab", "ab"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		check(FRAMING_CHUNKED, false, cases[i][0], cases[i][1]);
}

/* RFC 6242 section 4.2: the session is terminated, nothing is guessed. */
static void test_violations_are_final(void **state)
{
	static const char *const cases[][2] = {
		{"a", "!"},
		{"#1\na\n##\n", "!"},
		{"\n1\na\n##\n", "!"},
		{"\n#0\n\n##\n", "!"},
		{"\n#01\na\n##\n", "!"},
		{"\n#+1\na\n##\n", "!"},
		{"\n#-1\na\n##\n", "!"},
		{"\n# 1\na\n##\n", "!"},
		{"\n#1 \na\n##\n", "!"},
		{"\n#1\r\na\n##\n", "!"},
		{"\n#x\na\n##\n", "!"},
		{"\n#\na\n##\n", "!"},
		{"\n##\n", "!"},
		{"\n#4294967296\na", "!"},
		{"\n#99999999999999999999999999\na", "!"},
		{"\n#1\na\n##x", "a!"},
		{"\n#1\na\n###", "a!"},
		{"\n#1\nab", "a!"},
		{"\n#1\na]]>]]>", "a!"},
		{"\n#1\na\n##\n\n#2\nbc\n##\nx", "a|bc|!"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct decoded decoded = begin(FRAMING_CHUNKED, 0);

		check(FRAMING_CHUNKED, false, cases[i][0], cases[i][1]);
		feed(&decoded, cases[i][0], strlen(cases[i][0]));
		feed(&decoded, "\n#1\na\n##\n", 9);
		assert_int_equal(decoded.text[strlen(decoded.text) - 1], '!');
	}
}

/* The hello ends by the old rule; the very next byte is read by the new one. */
static void test_switch_within_one_read(void **state)
{
	(void)state;
	check(FRAMING_CHUNKED, true, "<hello/>]]>]]>\n#3\nabc\n##\n\n#1\nd\n##\n",
	      "<hello/>|abc|d|");
	check(FRAMING_CHUNKED, true, "<hello/>]]>]]>abc]]>]]>", "<hello/>|!");
}

static void test_limit(void **state)
{
	static const struct {
		enum framing_version version;
		const char *bytes, *expected;
	} cases[] = {
		{FRAMING_END_OF_MESSAGE, "12345]]>]]>12345]]>]]>", "12345|12345|"},
		{FRAMING_END_OF_MESSAGE, "123456]]>]]>", "+"},
		{FRAMING_END_OF_MESSAGE, "1234]]x", "+"},
		{FRAMING_CHUNKED, "\n#3\n123\n#2\n45\n##\n\n#5\n12345\n##\n", "12345|12345|"},
		{FRAMING_CHUNKED, "\n#3\n123\n#3\n456\n##\n", "123+"},
		{FRAMING_CHUNKED, "\n#4294967295\n123456", "+"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct decoded decoded = begin(cases[i].version, 5);

		feed(&decoded, cases[i].bytes, strlen(cases[i].bytes));
		assert_string_equal(decoded.text, cases[i].expected);
	}
}

/* A piece costs the reader far more than a byte does. */
static void test_brackets_come_in_few_pieces(void **state)
{
	static const char *const words[] = {"]", "] ", "]]x", "]> ", "]]>x", "]]>]] ", ">]]]"};
	char text[1024];

	(void)state;
	for (size_t i = 0; i < COUNT(words); i++) {
		struct framing framing;
		size_t pieces = 0, bytes = 0;

		for (size_t at = 0; at < sizeof(text); at++)
			text[at] = words[i][at % strlen(words[i])];
		framing_init(&framing, 0);
		for (unsigned int buffers = 0; buffers < 4; buffers++) {
			const char *data = text, *piece = NULL;
			size_t left = sizeof(text), count = 0;

			while (framing_step(&framing, &data, &left, &piece, &count) ==
			       FRAMING_DATA) {
				pieces++;
				bytes += count;
			}
			assert_int_equal(left, 0);
		}
		assert_true(bytes > 4 * sizeof(text) - 6 && bytes <= 4 * sizeof(text));
		assert_true(pieces <= bytes / 4 + 4);
	}
}

static void test_idle_between_messages(void **state)
{
	struct decoded decoded = begin(FRAMING_CHUNKED, 0);

	(void)state;
	assert_true(framing_idle(&decoded.framing));
	feed(&decoded, "\n", 1);
	assert_false(framing_idle(&decoded.framing));
	feed(&decoded, "#1\na", 4);
	assert_false(framing_idle(&decoded.framing));
	feed(&decoded, "\n##\n", 4);
	assert_true(framing_idle(&decoded.framing));
}

/* What we write is read back as it was. */
static void test_encoding(void **state)
{
	static const enum framing_version versions[] = {FRAMING_END_OF_MESSAGE, FRAMING_CHUNKED};

	(void)state;
	for (size_t i = 0; i < COUNT(versions); i++) {
		struct decoded decoded = begin(versions[i], 0);
		char head[FRAMING_HEAD_MAX];

		feed(&decoded, head, framing_head(versions[i], 5, head));
		feed(&decoded, "<a/>\n", 5);
		feed(&decoded, head, framing_head(versions[i], 4, head));
		feed(&decoded, "<b/>", 4);
		feed(&decoded, framing_tail(versions[i]), strlen(framing_tail(versions[i])));
		assert_string_equal(decoded.text, "<a/>\n<b/>|");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_end_of_message),
		cmocka_unit_test(test_brackets_come_in_few_pieces),
		cmocka_unit_test(test_chunks),
		cmocka_unit_test(test_violations_are_final),
		cmocka_unit_test(test_switch_within_one_read),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_idle_between_messages),
		cmocka_unit_test(test_encoding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
