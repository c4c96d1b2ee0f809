/* What encapsulation costs, against RFC 3931's figures. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <sys/socket.h>

#include "model/codec.h"
#include "model/overhead.h"

static void each_part_of_the_encapsulation_is_counted(void **state)
{
	struct tunnel tunnel = {.present = BIT(TUNNEL_ENCAPSULATION),
				.encapsulation = ENCAPSULATION_IP};
	struct session session = {.l2_specific_sublayer = SUBLAYER_NONE,
				  .pseudowire_type = PSEUDOWIRE_PPP};

	(void)state;
	tunnel.remote_address.family = AF_INET;
	assert_int_equal(overhead_of(&tunnel, &session), 20 + 4);
	tunnel.encapsulation = ENCAPSULATION_UDP; /* sections 4.1.2.1, 4.1.2.2 */
	assert_int_equal(overhead_of(&tunnel, &session), 20 + 8 + 8);
	tunnel.remote_address.family = AF_INET6;
	assert_int_equal(overhead_of(&tunnel, &session), 40 + 8 + 8);
	session.tx_cookie.length = 8;
	assert_int_equal(overhead_of(&tunnel, &session), 40 + 8 + 8 + 8);
	session.rx_cookie.length = 4; /* we do not send that */
	assert_int_equal(overhead_of(&tunnel, &session), 40 + 8 + 8 + 8);
	session.l2_specific_sublayer = SUBLAYER_DEFAULT;
	assert_int_equal(overhead_of(&tunnel, &session), 40 + 8 + 8 + 8 + 4);
	session.pseudowire_type = PSEUDOWIRE_ETHERNET;
	assert_int_equal(overhead_of(&tunnel, &session), 40 + 8 + 8 + 8 + 4 + 14);
	session.pseudowire_type = PSEUDOWIRE_ETHERNET_VLAN;
	assert_int_equal(overhead_of(&tunnel, &session), 40 + 8 + 8 + 8 + 4 + 14 + 4);
}

/* The kernel's own choice on a 1500-byte path, measured on 6.1 and 6.12. */
static void without_the_tag_it_gives_the_mtu_that_the_kernel_chooses(void **state)
{
	static const struct {
		uint8_t family, encapsulation, sublayer, tx_cookie, rx_cookie, type;
		unsigned int mtu;
	} cases[] = {
		{.family = AF_INET, .mtu = 1446},
		{.family = AF_INET, .encapsulation = ENCAPSULATION_IP, .mtu = 1458},
		{.family = AF_INET6, .mtu = 1426},
		{.family = AF_INET6, .encapsulation = ENCAPSULATION_IP, .mtu = 1438},
		{.family = AF_INET, .sublayer = SUBLAYER_NONE, .mtu = 1450},
		{.family = AF_INET, .tx_cookie = 4, .mtu = 1442},
		{.family = AF_INET, .tx_cookie = 8, .mtu = 1438},
		{.family = AF_INET, .rx_cookie = 4, .mtu = 1446},
		{.family = AF_INET, .type = PSEUDOWIRE_ETHERNET_VLAN, .mtu = 1446},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tunnel tunnel = {.encapsulation = cases[i].encapsulation};
		struct session session = {.l2_specific_sublayer = cases[i].sublayer,
					  .pseudowire_type = cases[i].type};

		tunnel.remote_address.family = cases[i].family;
		session.tx_cookie.length = cases[i].tx_cookie;
		session.rx_cookie.length = cases[i].rx_cookie;
		if (cases[i].encapsulation)
			tunnel.present |= BIT(TUNNEL_ENCAPSULATION);
		assert_int_equal(1500 - overhead_in_kernel(&tunnel, &session), cases[i].mtu);
		codec_complete(OBJECT_TUNNEL, &tunnel); /* absent leaves count as their defaults */
		assert_int_equal(1500 - overhead_in_kernel(&tunnel, &session), cases[i].mtu);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_part_of_the_encapsulation_is_counted),
		cmocka_unit_test(without_the_tag_it_gives_the_mtu_that_the_kernel_chooses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
