/* The turn's time for NETCONF, in equal parts to all who want some. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "base/clock.h"
#include "netconf/session.h"
#include "netconf/shares.h"

#define SESSIONS 3
#define ROUNDS   10

static struct {
	struct event_base *base;
	struct shares shares;
	struct netconf_session sessions[SESSIONS];
	unsigned int served[SESSIONS], total, turns;
	int64_t longest; /* share */
} run;

static void begin(shares_go_on *go_on)
{
	memset(&run, 0, sizeof(run));
	run.base = event_base_new();
	assert_int_equal(shares_open(&run.shares, run.base, go_on), 0);
}

static void end(void)
{
	for (unsigned int i = 0; i < SESSIONS; i++)
		shares_remove(&run.sessions[i]);
	assert_int_equal(run.shares.requests.count + run.shares.notifications.count, 0);
	shares_close(&run.shares);
	event_base_free(run.base);
}

/* There is always more to do. */
static void go_on(struct netconf_session *session, bool notify)
{
	int64_t share = run.shares.share_end - clock_now();

	assert_false(notify);
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
	begin(go_on);
	for (unsigned int i = 0; i < SESSIONS; i++) {
		shares_add(&run.shares, &run.sessions[i]);
		shares_add(&run.shares, &run.sessions[i]); /* who waits already, waits once */
	}
	assert_int_equal(run.shares.requests.count, SESSIONS);
	event_base_dispatch(run.base);
	for (unsigned int i = 0; i < SESSIONS; i++)
		assert_in_range(run.served[i], ROUNDS - 1, ROUNDS + 1);
	assert_in_range(run.longest, 1, 20 * NS_PER_S / 1000);
	end();
}

/* Session 0 has requests, the others notifications; each uses up its share. */
static void use_up(struct netconf_session *session, bool notify)
{
	assert_int_equal(notify, session != &run.sessions[0]);
	while (shares_has_time(&run.shares))
		;
	run.served[session - run.sessions]++;
	if (notify)
		shares_add_notifications(&run.shares, session);
	else if (++run.turns < ROUNDS)
		shares_add(&run.shares, session);
	else
		event_base_loopbreak(run.base);
}

static void requests_come_first_and_notifications_always_have_some_time(void **state)
{
	(void)state;
	begin(use_up);
	shares_add_notifications(&run.shares, &run.sessions[0]);
	shares_add_notifications(&run.shares, &run.sessions[1]);
	shares_add_notifications(&run.shares, &run.sessions[2]);
	shares_add(&run.shares, &run.sessions[0]); /* who waits for that too, waits for that */
	assert_int_equal(run.shares.notifications.count, SESSIONS - 1);
	event_base_dispatch(run.base);
	assert_int_equal(run.served[0], ROUNDS);
	/* one of them in each turn that the other has used up */
	assert_in_range(run.served[1] + run.served[2], ROUNDS - 1, 3 * ROUNDS);
	assert_in_range(run.served[1], run.served[2], run.served[2] + 1);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(those_who_always_want_more_are_served_in_turn),
		cmocka_unit_test(requests_come_first_and_notifications_always_have_some_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
