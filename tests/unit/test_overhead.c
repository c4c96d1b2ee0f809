/* What encapsulation costs, against RFC 3931's figures. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <sys/socket.h>

#include "model/overhead.h"

static void each_part_of_the_encapsulation_is_counted(void **state)
{
	struct tunnel tunnel = {.encapsulation = ENCAPSULATION_IP};
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_part_of_the_encapsulation_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
