/* Errors: what a refusal says, and that every door tells it by the right name. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

#include "model/error.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* RFC 6241 appendix A: each tag with the types it may have. */
static const struct {
	const char *tag, *types;
} tags[] = {
	{"in-use", "protocol application"},
	{"invalid-value", "protocol application"},
	{"too-big", "transport rpc protocol application"},
	{"missing-attribute", "rpc protocol application"},
	{"bad-attribute", "rpc protocol application"},
	{"unknown-attribute", "rpc protocol application"},
	{"missing-element", "protocol application"},
	{"bad-element", "protocol application"},
	{"unknown-element", "protocol application"},
	{"unknown-namespace", "protocol application"},
	{"access-denied", "protocol application"},
	{"lock-denied", "protocol"},
	{"resource-denied", "transport rpc protocol application"},
	{"rollback-failed", "protocol application"},
	{"data-exists", "application"},
	{"data-missing", "application"},
	{"operation-not-supported", "protocol application"},
	{"operation-failed", "rpc protocol application"},
	{"malformed-message", "rpc"},
};

static void every_code_has_a_netconf_tag_of_an_allowed_type(void **state)
{
	(void)state;
	for (unsigned int code = 0; code < ERROR_CODES; code++) {
		const struct error_kind *kind = error_kind((enum error_code)code);
		size_t i = 0;

		assert_non_null(kind->name);
		while (i < COUNT(tags) && strcmp(tags[i].tag, kind->tag))
			i++;
		assert_true(i < COUNT(tags));
		assert_non_null(strstr(tags[i].types, kind->type));
		assert_true(kind->os_errno > 0);
	}
}

static void every_code_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (unsigned int a = 0; a < ERROR_CODES; a++)
		for (unsigned int b = 0; b < a; b++)
			assert_string_not_equal(error_kind((enum error_code)a)->name,
						error_kind((enum error_code)b)->name);
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* Codes that NETCONF has one name for: they differ in what SNMP calls them, or in the text. */
static bool may_be_told_alike(enum error_code a, enum error_code b)
{
	static const enum error_code pairs[][2] = {
		/* RFC 7950 section 8.3.1: a value of the wrong type, whichever way */
		{ERROR_INVALID_LENGTH, ERROR_INVALID_VALUE},
		{ERROR_INVALID_TYPE, ERROR_INVALID_VALUE},
		{ERROR_INVALID_TYPE, ERROR_INVALID_LENGTH},
		/* ... a leaf whose "when" is false */
		{ERROR_NOT_APPLICABLE, ERROR_UNKNOWN_ELEMENT},
		/* section 15.3 and RFC 6241 section 7.2 */
		{ERROR_MANDATORY, ERROR_MISSING},
	};

	for (size_t i = 0; i < COUNT(pairs); i++)
		if (pairs[i][0] == a && pairs[i][1] == b)
			return true;
	return false;
}

static void no_code_stands_for_another_in_netconf(void **state)
{
	(void)state;
	for (unsigned int a = 1; a < ERROR_CODES; a++)
		for (unsigned int b = 1; b < a; b++) {
			const struct error_kind *one = error_kind((enum error_code)a);
			const struct error_kind *other = error_kind((enum error_code)b);
			bool alike = same_text(one->tag, other->tag) &&
				     same_text(one->type, other->type) &&
				     same_text(one->app_tag, other->app_tag);

			if (alike != may_be_told_alike((enum error_code)a, (enum error_code)b))
				fail_msg("%s and %s", one->name, other->name);
		}
}

static void a_fault_of_the_operation_is_of_type_protocol_where_its_tag_may_be(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	for (unsigned int code = 1; code < ERROR_CODES; code++) {
		size_t i = 0;

		error_set(&err, (enum error_code)code, "x");
		assert_string_equal(error_type(&err), error_kind((enum error_code)code)->type);
		assert_int_equal(error_in_operation(&err, -EINVAL), -EINVAL);
		while (strcmp(tags[i].tag, error_kind((enum error_code)code)->tag) != 0)
			i++;
		if (err.code == ERROR_NO_MESSAGE_ID) /* of the rpc itself */
			assert_string_equal(error_type(&err), "rpc");
		else
			assert_int_equal(!strcmp(error_type(&err), "protocol"),
					 strstr(tags[i].types, "protocol") != NULL);
	}
	error_set(&err, ERROR_UNKNOWN_ELEMENT, "another");
	assert_string_equal(error_type(&err), "application");
	assert_int_equal(error_in_operation(&err, 0), 0);
	assert_string_equal(error_type(&err), "application");
	assert_int_equal(error_in_operation(NULL, -EINVAL), -EINVAL);
}

static void rfc7950_section_15_errors_are_told_by_its_names(void **state)
{
	(void)state;
	assert_string_equal(error_kind(ERROR_MISSING_CHOICE)->tag, "data-missing");
	assert_string_equal(error_kind(ERROR_MISSING_CHOICE)->app_tag, "missing-choice");
	assert_string_equal(error_kind(ERROR_NOT_UNIQUE)->tag, "operation-failed");
	assert_string_equal(error_kind(ERROR_NOT_UNIQUE)->app_tag, "data-not-unique");
	assert_string_equal(error_kind(ERROR_MUST)->tag, "operation-failed");
	assert_string_equal(error_kind(ERROR_MUST)->app_tag, "must-violation");
	assert_string_equal(error_kind(ERROR_NOT_APPLICABLE)->tag, "unknown-element");
}

static void snmp_status_numbers_are_those_of_net_snmp(void **state)
{
	(void)state;
	assert_int_equal(SNMP_GEN_ERR, SNMP_ERR_GENERR);
	assert_int_equal(SNMP_WRONG_TYPE, SNMP_ERR_WRONGTYPE);
	assert_int_equal(SNMP_WRONG_LENGTH, SNMP_ERR_WRONGLENGTH);
	assert_int_equal(SNMP_WRONG_VALUE, SNMP_ERR_WRONGVALUE);
	assert_int_equal(SNMP_NO_CREATION, SNMP_ERR_NOCREATION);
	assert_int_equal(SNMP_INCONSISTENT_VALUE, SNMP_ERR_INCONSISTENTVALUE);
	assert_int_equal(SNMP_RESOURCE_UNAVAILABLE, SNMP_ERR_RESOURCEUNAVAILABLE);
	assert_int_equal(SNMP_COMMIT_FAILED, SNMP_ERR_COMMITFAILED);
	assert_int_equal(SNMP_UNDO_FAILED, SNMP_ERR_UNDOFAILED);
	assert_int_equal(SNMP_AUTHORIZATION_ERROR, SNMP_ERR_AUTHORIZATIONERROR);
	assert_int_equal(SNMP_NOT_WRITABLE, SNMP_ERR_NOTWRITABLE);
	assert_int_equal(SNMP_INCONSISTENT_NAME, SNMP_ERR_INCONSISTENTNAME);
}

static void a_code_out_of_range_is_an_internal_error(void **state)
{
	(void)state;
	assert_ptr_equal(error_kind((enum error_code)9999), error_kind(ERROR_INTERNAL));
	assert_ptr_equal(error_kind((enum error_code) - 1), error_kind(ERROR_INTERNAL));
}

static void setting_returns_the_errno_of_the_code_even_without_a_struct(void **state)
{
	(void)state;
	assert_int_equal(error_set(NULL, ERROR_INVALID_VALUE, "x"), -EINVAL);
	assert_int_equal(error_set(NULL, ERROR_EXISTS, "x"), -EEXIST);
	assert_int_equal(error_set(NULL, ERROR_MISSING, "x"), -ENOENT);
	assert_int_equal(error_set_errno(NULL, ERROR_KERNEL, ENODEV, "x"), -ENODEV);
	assert_null(error_at(NULL, "/x"));
}

static void an_errno_is_told_once(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	error_set_errno(&err, ERROR_KERNEL, EPERM, "cannot enter: %s", strerror(EPERM));
	assert_string_equal(err.text, "cannot enter: Operation not permitted");
	error_set_errno(&err, ERROR_KERNEL, EPERM, "cannot enter");
	assert_string_equal(err.text, "cannot enter: Operation not permitted");
}

static void setting_keeps_the_path_and_clears_the_rest(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	error_at(&err, "/l2tpv3/tunnel[tunnel-id='%u']", 7U);
	error_set_errno(&err, ERROR_KERNEL, ENODEV, "deleting");
	assert_string_equal(err.text, "deleting: No such device");
	assert_int_equal(err.os_errno, ENODEV);
	err.app_tag = "tag";
	err.session = 3;
	snprintf(err.info, sizeof(err.info), "leaf");
	error_set(&err, ERROR_EXISTS, "it is %s", "there");
	assert_string_equal(err.path, "/l2tpv3/tunnel[tunnel-id='7']");
	assert_string_equal(err.text, "it is there");
	assert_string_equal(err.info, "");
	assert_int_equal(err.os_errno, 0);
	assert_int_equal(err.session, 0);
	assert_null(err.app_tag);
}

static void the_app_tag_of_the_error_goes_before_that_of_its_code(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	error_set(&err, ERROR_MUST, "no");
	assert_string_equal(error_app_tag(&err), "must-violation");
	err.app_tag = "vlan-id-required";
	assert_string_equal(error_app_tag(&err), "vlan-id-required");
	error_set(&err, ERROR_EXISTS, "no");
	assert_null(error_app_tag(&err));
}

static void long_text_is_cut_between_characters(void **state)
{
	struct error err = ERROR_INIT;
	char text[1001];

	(void)state;
	for (size_t shift = 0; shift < 4; shift++) {
		size_t length;

		memset(text, 'a', shift);
		for (size_t i = shift; i + 4 < sizeof(text); i += 4)
			memcpy(text + i, "\xf0\x9f\x98\x80", 5);
		error_set(&err, ERROR_INVALID_VALUE, "%s", text);
		length = strlen(err.text);
		assert_true(length >= sizeof(err.text) - 4);
		assert_int_equal((length - shift) % 4, 0);
	}
}

static void utf8_is_taken_as_xml_and_libyang_take_it(void **state)
{
	static const struct {
		const char *bytes;
		size_t length, expected;
		unsigned int point;
	} cases[] = {
		{"a", 1, 1, 'a'},
		{"", 0, 0, 0},
		{"\xc3\xa9", 2, 2, 0xe9},
		{"\xe2\x82\xac", 3, 3, 0x20ac},
		{"\xf0\x9f\x98\x80", 4, 4, 0x1f600},
		{"\xf4\x8f\xbf\xbd", 4, 4, 0x10fffd},
		{"\xe2\x82\xac", 2, 0, 0},     /* cut short */
		{"\x80", 1, 0, 0},             /* tail first */
		{"\xc0\xaf", 2, 0, 0},         /* overlong */
		{"\xe0\x80\xaf", 3, 0, 0},     /* overlong */
		{"\xf0\x80\x80\xaf", 4, 0, 0}, /* overlong */
		{"\xed\xa0\x80", 3, 0, 0},     /* surrogate */
		{"\xf4\x90\x80\x80", 4, 0, 0}, /* beyond U+10FFFF */
		{"\xff\xff", 2, 0, 0},
		{"\xef\xbf\xbe", 3, 0, 0}, /* U+FFFE */
		{"\xef\xbf\xbf", 3, 0, 0}, /* U+FFFF */
		{"\xef\xb7\x90", 3, 3, 0xfdd0},
		{"\xf0\x9f\xbf\xbf", 4, 4, 0x1ffff},
		{"\xc3(", 2, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		unsigned int point = 0;

		assert_int_equal(utf8_sequence(cases[i].bytes, cases[i].length, &point),
				 cases[i].expected);
		assert_int_equal(point, cases[i].point);
	}
}

static void what_was_given_is_quoted_fit_for_a_terminal_and_for_xml(void **state)
{
	char ret[ERROR_QUOTE_MAX];
	char text[200];

	(void)state;
	error_quote("eth0", 4, ret);
	assert_string_equal(ret, "\"eth0\"");
	error_quote("", 0, ret);
	assert_string_equal(ret, "\"\"");
	error_quote("a\033[31m\0b\xff", 8, ret);
	assert_string_equal(ret, "\"a?[31m?b\"");
	error_quote("\xc2\x85\xc3\xa9\xff", 5, ret);
	assert_string_equal(ret, "\"?\xc3\xa9?\"");
	for (size_t length = 0; length < sizeof(text); length++) {
		memset(text, 'x', length);
		error_quote(text, length, ret);
		assert_true(strlen(ret) < ERROR_QUOTE_MAX);
		if (length > ERROR_QUOTE_MAX)
			assert_non_null(strstr(ret, "x...\""));
	}
}

static struct error at(unsigned int tunnel_id)
{
	struct error one = ERROR_INIT;

	error_set(&one, ERROR_MUST, "wrong");
	error_at(&one, "/%u", tunnel_id);
	one.tunnel_id = tunnel_id;
	return one;
}

static void a_list_is_in_order_has_one_of_each_entry_and_an_end(void **state)
{
	struct error list = {.collects = true}, *last = &list;
	unsigned int count = 0;

	(void)state;
	for (unsigned int i = ERRORS_MAX + 20; i > 0; i--) {
		struct error one = at(i), again = at(i);

		assert_int_equal(error_insert(&list, &one), 0);
		assert_int_equal(error_insert(&list, &again), 0);
	}
	for (last = &list; last->next; last = last->next)
		assert_int_equal(last->tunnel_id, ++count);
	assert_int_equal(count, ERRORS_MAX);
	assert_int_equal(last->code, ERROR_MORE);
	assert_ptr_equal(strstr(last->text, "20 more "), last->text);
	assert_int_equal(error_result(&list), -EINVAL);
	error_list_free(&list);
	assert_true(!list.next && !list.code && list.collects);
	for (unsigned int i = ERRORS_MAX + 20; i > 0; i--) {
		struct error one = at(i);

		assert_int_equal(error_append(&list, &one), 0);
	}
	assert_int_equal(list.tunnel_id, ERRORS_MAX + 20);
	for (last = &list; last->next; last = last->next)
		;
	assert_ptr_equal(strstr(last->text, "20 more "), last->text);
	error_list_free(&list);
}

static void who_does_not_collect_has_the_first(void **state)
{
	struct error err = ERROR_INIT, one = at(1), all = ERROR_INIT;

	(void)state;
	assert_int_equal(error_append(&err, &one), -EINVAL);
	assert_int_equal(err.tunnel_id, 1);
	assert_null(err.next);
	assert_int_equal(error_append(NULL, &one), -EINVAL);
	err.collects = true;
	error_set(&all, ERROR_RESOURCE, "no memory");
	assert_int_equal(error_append(&err, &all), -ENOMEM);
	assert_int_equal(err.code, ERROR_RESOURCE);
	assert_int_equal(error_append(&err, &one), -ENOMEM);
	error_list_free(&err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_is_in_order_has_one_of_each_entry_and_an_end),
		cmocka_unit_test(who_does_not_collect_has_the_first),
		cmocka_unit_test(every_code_has_a_netconf_tag_of_an_allowed_type),
		cmocka_unit_test(every_code_has_a_name_of_its_own),
		cmocka_unit_test(no_code_stands_for_another_in_netconf),
		cmocka_unit_test(a_fault_of_the_operation_is_of_type_protocol_where_its_tag_may_be),
		cmocka_unit_test(rfc7950_section_15_errors_are_told_by_its_names),
		cmocka_unit_test(snmp_status_numbers_are_those_of_net_snmp),
		cmocka_unit_test(a_code_out_of_range_is_an_internal_error),
		cmocka_unit_test(setting_returns_the_errno_of_the_code_even_without_a_struct),
		cmocka_unit_test(an_errno_is_told_once),
		cmocka_unit_test(setting_keeps_the_path_and_clears_the_rest),
		cmocka_unit_test(the_app_tag_of_the_error_goes_before_that_of_its_code),
		cmocka_unit_test(long_text_is_cut_between_characters),
		cmocka_unit_test(utf8_is_taken_as_xml_and_libyang_take_it),
		cmocka_unit_test(what_was_given_is_quoted_fit_for_a_terminal_and_for_xml),
	};

	return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
