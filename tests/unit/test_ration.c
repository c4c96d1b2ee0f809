/* Of how many sessions of a user subscribers are told. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "netconf/ration.h"

#define NOW (1000 * NS_PER_S)

static unsigned int take_all(struct ration *ration, uid_t uid, int64_t now)
{
	unsigned int count = 0;

	while (count <= RATION_FULL && ration_take(ration, uid, now))
		count++;
	return count;
}

static void it_ends_and_fills_again(void **state)
{
	struct ration ration = {0};

	(void)state;
	assert_int_equal(take_all(&ration, 1000, NOW), RATION_FULL);
	assert_int_equal(take_all(&ration, 1000, NOW + RATION_INTERVAL - 1), 0);
	assert_int_equal(take_all(&ration, 1000, NOW + RATION_INTERVAL), 1);
	assert_int_equal(take_all(&ration, 1000, NOW + 4 * RATION_INTERVAL), 3);
	assert_int_equal(take_all(&ration, 1000, NOW + RATION_FULL * 2 * RATION_INTERVAL),
			 RATION_FULL);
}

static void each_user_has_his_own(void **state)
{
	struct ration ration = {0};

	(void)state;
	assert_int_equal(take_all(&ration, 1000, NOW), RATION_FULL);
	assert_int_equal(take_all(&ration, 0, NOW), RATION_FULL);
	for (uid_t uid = 2000; uid < 2000 + RATION_USERS * 2; uid++)
		assert_true(ration_take(&ration, uid, NOW));
	assert_false(ration_take(&ration, 1000, NOW));
	assert_false(ration_take(&ration, 0, NOW));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_ends_and_fills_again),
		cmocka_unit_test(each_user_has_his_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
