/* Frames of keepalives, octet by octet as IEEE Std 802.1AB-2016 clause 8 lays them out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "engine/lldpdu.h"

/* clang-format off */
static const uint8_t untagged[] = {
	0x01, 0x80, 0xc2, 0x00, 0x00, 0x0e,      /* nearest bridge */
	0x02, 0x00, 0x00, 0x00, 0x00, 0x05,
	0x88, 0xcc,
	0x02, 0x05, 7, 'b', 'e', 'r', 'n',       /* chassis id, locally assigned */
	0x04, 0x04, 5, 'p', 'w', '0',            /* port id, interface name */
	0x06, 0x02, 0x00, 40,                    /* time to live */
	0x08, 0x04, 'c', 'a', 'f', 'e',          /* port description */
	0x0a, 0x04, 'b', 'e', 'r', 'n',          /* system name */
	0x00, 0x00,
};
static const uint8_t tagged[] = {
	0x01, 0x80, 0xc2, 0x00, 0x00, 0x0e,
	0x02, 0x00, 0x00, 0x00, 0x00, 0x05,
	0x81, 0x00, 0x0f, 0xfe,
	0x88, 0xcc,
	0x02, 0x05, 7, 'b', 'e', 'r', 'n',
	0x04, 0x04, 5, 'p', 'w', '0',
	0x06, 0x02, 0xff, 0xff,
	0x0a, 0x04, 'b', 'e', 'r', 'n',
	0x00, 0x00,
};
/* clang-format on */

static void a_frame_has_these_octets(void **state)
{
	const struct lldpdu plain = {.source.bytes = {2, 0, 0, 0, 0, 5},
				     .host = "bern",
				     .port = "pw0",
				     .description = "cafe",
				     .time_to_live = 40};
	struct lldpdu vlan = plain;
	uint8_t frame[LLDPDU_MAX];

	(void)state;
	assert_int_equal(lldpdu_build(&plain, frame), sizeof(untagged));
	assert_memory_equal(frame, untagged, sizeof(untagged));
	vlan.vlan_id = 4094;
	vlan.description = "";
	vlan.time_to_live = 65535;
	assert_int_equal(lldpdu_build(&vlan, frame), sizeof(tagged));
	assert_memory_equal(frame, tagged, sizeof(tagged));
}

/* The longest of everything; the sanitizers watch the end of what was allocated. */
static void the_longest_frame_fits(void **state)
{
	char text[LLDPDU_TEXT_MAX + 10];
	uint8_t *frame = malloc(LLDPDU_MAX);
	const struct lldpdu longest = {
		.vlan_id = 1, .host = text, .port = "nnnnnnnnnnnnnnn", .description = text};
	size_t length;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	length = lldpdu_build(&longest, frame);
	assert_int_equal(length, 18 + 67 + 18 + 4 + 66 + 66 + 2);
	assert_true(length <= LLDPDU_MAX);
	free(frame);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_has_these_octets),
		cmocka_unit_test(the_longest_frame_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
