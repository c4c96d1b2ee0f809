/* A file as the content of <config>: what is around it goes, what it says stays. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "client/config_text.h"
#include "model/names.h"
#include "netconf/reader.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define M            NAMESPACE_MODULE
#define B            NAMESPACE_BASE

static void test_wrappers_go_and_namespaces_stay(void **state)
{
	static const char *const samples[][2] = {
		{"<l2tpv3 xmlns='u'/>", "<l2tpv3 xmlns=\"u\"></l2tpv3>"},
		{"\xef\xbb\xbf<?xml version='1.0' encoding='us-ascii'?>\n<!-- > "
		 "--><?x?>\n<l2tpv3/>\n"
		 "<!-- end --><?x?>",
		 "<l2tpv3 xmlns=\"\"></l2tpv3>"},
		{"<config><a/></config>", "<a xmlns=\"\"></a>"},
		{"\n<data\nxmlns='" B "'> <a xmlns='" M "'/>\n</data >", "<a xmlns=\"" M "\"></a>"},
		{"<x:rpc-reply xmlns:x='" B
		 "' xmlns='u' message-id='1'><x:data><a><b/></a></x:data>"
		 "</x:rpc-reply>",
		 "<a xmlns=\"u\"><b></b></a>"},
		{"<data xmlns:p='u' xmlns='v'><p:a><b/><p:c xmlns:p='w'/></p:a></data>",
		 "<a xmlns=\"u\"><b xmlns=\"v\"></b><c xmlns=\"w\"></c></a>"},
		{"<data xmlns:nc='" B "'><a nc:operation='de&#x6c;ete' b='&lt;&amp;'/></data>",
		 "<a xmlns=\"\" xmlns:a0=\"" B "\" a0:operation=\"delete\" b=\"&lt;&amp;\"></a>"},
		{"<a xml:lang='en'/>", "<a xmlns=\"\" xml:lang=\"en\"></a>"},
		{"<a>\n <b> x&lt;&#13;<![CDATA[&]]> </b>\n <c> </c><d/> \n</a>",
		 "<a xmlns=\"\"><b> x&lt;&#13;&amp; </b><c> </c><d></d></a>"},
		{"<a>text<b/>text</a>", "<a xmlns=\"\">text<b></b>text</a>"},
		{"<data>text</data>", "text"},
		{"<data/>", ""},
		{"<rpc-reply><data><config/></data></rpc-reply>", "<config xmlns=\"\"></config>"},
		{"<data xmlns='" M "'/>", "<data xmlns=\"" M "\"></data>"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(samples); i++) {
		struct error err = ERROR_INIT;
		char *got = NULL;
		size_t length;

		if (config_text_make(samples[i][0], strlen(samples[i][0]), &got, &length, &err))
			fail_msg("%s: %s", samples[i][0], err.text);
		assert_string_equal(got, samples[i][1]);
		assert_int_equal(length, strlen(got));
		free(got);
	}
}

static void test_refused_with_the_line(void **state)
{
	static const char *const samples[][2] = {
		{"", "line 1: "},
		{"hello", "line 1: "},
		{"\n<?xml version='1.0' encoding='ISO-8859-1'?><l2tpv3/>", "line 2: "},
		{"<?xml version='1.0'", "line 1: "},
		{"<!-- <l2tpv3/>", "line 1: "},
		{"<!DOCTYPE l2tpv3><l2tpv3/>", "line 1: a DOCTYPE"},
		{"<config>\n<l2tpv3/></data>", "line 2: "},
		{"<config><l2tpv3/>", "line 1: "},
		{"<config><l2tpv3/></config>\n\n<l2tpv3/>", "line 3: "},
		{"<config><l2tpv3/></config> text", "line 1: "},
		{"<config><l2tpv3/></config> <!-- -- >", "line 1: "},
		{"<config/><l2tpv3/>", "line 1: "},
		{"<x:config/>", "line 1: "},
		{"{\"linux-l2tpv3:l2tpv3\": {}}", "line 1: "},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(samples); i++) {
		struct error err = ERROR_INIT;
		char *got = NULL;
		size_t length;

		assert_true(config_text_make(samples[i][0], strlen(samples[i][0]), &got, &length,
					     &err) < 0);
		if (strncmp(err.text, samples[i][1], strlen(samples[i][1])) != 0)
			fail_msg("%s: %s", samples[i][0], err.text);
		assert_null(got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrappers_go_and_namespaces_stay),
		cmocka_unit_test(test_refused_with_the_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
