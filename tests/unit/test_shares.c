/* The turn's time for NETCONF, in equal parts to all who want some. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/clock.h"
#include "netconf/session.h"
#include "netconf/shares.h"

#define SESSIONS 3
#define ROUNDS   10

static struct {
	struct event_base *base;
	struct shares shares;
	struct netconf_session sessions[SESSIONS];
	unsigned int served[SESSIONS], total;
	int64_t longest; /* share */
} run;

/* There is always more to do. */
static void go_on(struct netconf_session *session)
{
	int64_t share = run.shares.share_end - clock_now();

	run.longest = share > run.longest ? share : run.longest;
	run.served[session - run.sessions]++;
	if (++run.total < SESSIONS * ROUNDS)
		shares_add(&run.shares, session);
	else
		event_base_loopbreak(run.base);
}

static void those_who_always_want_more_are_served_in_turn(void **state)
{
	(void)state;
	run.base = event_base_new();
	assert_int_equal(shares_open(&run.shares, run.base, go_on), 0);
	for (unsigned int i = 0; i < SESSIONS; i++) {
		shares_add(&run.shares, &run.sessions[i]);
		shares_add(&run.shares, &run.sessions[i]); /* who waits already, waits once */
	}
	assert_int_equal(run.shares.count, SESSIONS);
	event_base_dispatch(run.base);
	for (unsigned int i = 0; i < SESSIONS; i++) {
		assert_in_range(run.served[i], ROUNDS - 1, ROUNDS + 1);
		shares_remove(&run.shares, &run.sessions[i]);
	}
	assert_int_equal(run.shares.count, 0);
	assert_in_range(run.longest, 1, 20 * NS_PER_S / 1000);
	shares_close(&run.shares);
	event_base_free(run.base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(those_who_always_want_more_are_served_in_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
