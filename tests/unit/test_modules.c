/* The table of YANG modules, and what the hello makes of it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "netconf/capabilities.h"

static const struct module twice[] = {
	{"one", "2001-01-01", "urn:one", .imported = true},
	{"two", "2001-01-01", "urn:two", .imported = true},
	{"one", "2002-01-01", "urn:one", .imported = true},
	{.name = NULL},
};

static const struct module *find(const char *name, const char *revision, const char *tag,
				 const char *app_tag)
{
	struct error err = ERROR_INIT;
	const struct module *found = module_find(twice, name, revision, &err);

	assert_int_equal(!found, tag != NULL);
	if (!found) {
		assert_string_equal(error_kind(err.code)->tag, tag);
		assert_true(app_tag ? !strcmp(error_app_tag(&err), app_tag) : !error_app_tag(&err));
	}
	return found;
}

/* RFC 6022 section 3.1: none is invalid-value, several are operation-failed, data-not-unique. */
static void one_is_found_by_name_and_revision(void **state)
{
	(void)state;
	assert_ptr_equal(find("two", NULL, NULL, NULL), &twice[1]);
	assert_ptr_equal(find("two", "2001-01-01", NULL, NULL), &twice[1]);
	assert_ptr_equal(find("one", "2001-01-01", NULL, NULL), &twice[0]);
	assert_ptr_equal(find("one", "2002-01-01", NULL, NULL), &twice[2]);
	find("one", NULL, "operation-failed", "data-not-unique");
	find("one", "2003-01-01", "invalid-value", NULL);
	find("two", "", "invalid-value", NULL);
	find("On", NULL, "invalid-value", NULL);
}

static void a_capability_is_known_by_its_whole_name(void **state)
{
	(void)state;
	assert_true(capability_has("writable-running"));
	assert_false(capability_has("writable"));
	assert_false(capability_has("startup"));
	assert_false(capability_has(""));
}

/* It fits, names each once, and an import only uses definitions of others. */
static void the_hello_has_what_was_found(void **state)
{
	struct modules modules;
	char missing[4096], uri[CAPABILITY_SIZE], all[8192] = "";
	size_t built_in = 0, said = 0;

	(void)state;
	modules_open(&modules, "", missing, sizeof(missing));
	for (const struct module *at = netconf_modules; at->name; at++) {
		assert_int_equal(modules.found[at - netconf_modules], at->text != NULL);
		assert_int_equal(!strstr(missing, at->name), at->text != NULL);
		built_in += at->text != NULL;
	}
	for (unsigned int i = 0; capability_at(&modules, i, uri); i++) {
		assert_true(strlen(uri) < CAPABILITY_SIZE - 1);
		assert_null(strstr(all, uri));
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s", uri);
		said += strstr(uri, "?module=") != NULL;
	}
	assert_int_equal(said, built_in);
	modules_open(&modules, "", missing, 20); /* cut, and no more */
	assert_int_equal(strlen(missing), 19);
}

static void what_is_built_in_is_whole(void **state)
{
	struct modules modules = {.path = ""};

	(void)state;
	for (const struct module *at = netconf_modules; at->text; at++) {
		struct module_text text;
		char revision[32];

		assert_int_equal(module_read(&modules, at, &text, NULL), 0);
		assert_int_equal(strncmp(text.bytes, "module ", 7), 0);
		assert_int_equal(strncmp(text.bytes + 7, at->name, strlen(at->name)), 0);
		assert_int_equal(strncmp(text.bytes + text.length - 2, "}\n", 2), 0);
		snprintf(revision, sizeof(revision), "revision %s {", at->revision);
		assert_non_null(memmem(text.bytes, text.length, revision, strlen(revision)));
		assert_non_null(memmem(text.bytes, text.length, at->uri, strlen(at->uri)));
		module_text_free(&text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_is_found_by_name_and_revision),
		cmocka_unit_test(a_capability_is_known_by_its_whole_name),
		cmocka_unit_test(the_hello_has_what_was_found),
		cmocka_unit_test(what_is_built_in_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
