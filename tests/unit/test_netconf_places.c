/* Who gets a session when places are short, who is told what, and who may rest for how long. */
#include "engine_bench.h"

#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>

#include "netconf/places.h"
#include "netconf/session.h"

#define BASE "urn:ietf:params:xml:ns:netconf:base:1.0"
#define END  "]]>]]>"
#define HELLO                                                                                      \
	"<hello xmlns=\"" BASE "\"><capabilities><capability>" CAPABILITY_1_0                      \
	"</capability></capabilities></hello>" END
#define HELLO_NEW                                                                                  \
	"<hello xmlns=\"" BASE "\"><capabilities><capability>" CAPABILITY_1_1                      \
	"</capability></capabilities></hello>" END
#define RPC(body)  "<rpc xmlns=\"" BASE "\" message-id=\"7\">" body "</rpc>"
#define LOCK       RPC("<lock><target><running/></target></lock>") END
#define GET_CONFIG RPC("<get-config><source><running/></source></get-config>") END

#define NOBODY 4000000 /* uids that are neither root's nor ours */
#define OTHER  4000001
#define THIRD  4000002
#define LONG   1000 /* seconds: not in this test */

static const char path[] = "build/test_netconf_places.sock";

struct server {
	struct bench *bench;
	struct netconf_server *netconf;
	char log[8192];
	char said[1 << 16]; /* receive()'s */
};

static void take_log(int priority, const char *text, void *arg)
{
	struct server *server = arg;
	size_t length = strlen(server->log);

	if (priority < LOG_DEBUG)
		snprintf(server->log + length, sizeof(server->log) - length, "%s\n", text);
}

static struct server *start_server(struct netconf_limits limits)
{
	struct server *server = calloc(1, sizeof(*server));
	struct netconf_options options = {.socket_path = path, .limits = limits, .log = take_log};
	struct error err = ERROR_INIT;

	server->bench = new_bench("6.12", NULL);
	assert_true(turn_until(server->bench, is_idle, 2000));
	options.base = server->bench->base;
	options.engine = server->bench->engine;
	options.arg = server;
	if (netconf_open(&server->netconf, &options, &err))
		fail_msg("%s", err.text);
	return server;
}

static void stop_server(struct server *server)
{
	netconf_close(server->netconf);
	free_bench(server->bench);
	free(server);
}

static void turn(struct server *server, unsigned int ms)
{
	const struct timeval delay = {.tv_usec = ms * 1000};

	event_base_loopexit(server->bench->base, &delay);
	event_base_dispatch(server->bench->base);
}

static void say(struct server *server, int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
	turn(server, 20);
}

/* What it says now. */
static const char *receive(struct server *server, int fd)
{
	ssize_t got;

	turn(server, 20);
	got = recv(fd, server->said, sizeof(server->said) - 1, MSG_DONTWAIT);
	server->said[got > 0 ? got : 0] = '\0';
	return server->said;
}

static bool is_closed(struct server *server, int fd)
{
	char byte;
	ssize_t got;

	turn(server, 20);
	do
		got = recv(fd, &byte, 1, MSG_DONTWAIT);
	while (got > 0);
	return got == 0 || errno != EAGAIN;
}

/* As a client of that user who says @hello; @ret_refusal may be NULL: he gets a place. */
static int enter_with(struct server *server, uid_t uid, const char *hello,
		      enum refusal *ret_refusal)
{
	struct peer peer = {.uid = uid};
	enum refusal refusal = places_admit(server->netconf, uid);
	int fds[2];

	snprintf(peer.user, sizeof(peer.user), "u%u", uid);
	if (ret_refusal)
		*ret_refusal = refusal;
	else
		assert_int_equal(refusal, REFUSAL_NONE);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds),
			 0);
	session_open(server->netconf, fds[0], &peer, refusal);
	say(server, fds[1], hello);
	return fds[1];
}

static int enter(struct server *server, uid_t uid)
{
	return enter_with(server, uid, HELLO, NULL);
}

/* Places are short for that user, who is not let in. */
static enum refusal knock(struct server *server, uid_t uid)
{
	return places_admit(server->netconf, uid);
}

static void places_are_kept_for_root_and_the_daemons_user(void **state)
{
	struct server *server = start_server((struct netconf_limits){
		.sessions = 6, .kept = 2, .user_sessions = 3, .spare_after = LONG});
	int fds[6];

	(void)state;
	for (unsigned int i = 0; i < 3; i++)
		fds[i] = enter(server, NOBODY);
	assert_int_equal(knock(server, NOBODY), REFUSAL_USER);
	fds[3] = enter(server, OTHER);
	assert_int_equal(knock(server, OTHER), REFUSAL_FULL);
	assert_int_equal(knock(server, THIRD), REFUSAL_FULL);
	fds[4] = enter(server, 0);
	fds[5] = enter(server, geteuid());
	assert_int_equal(knock(server, 0), REFUSAL_FULL);
	close(fds[0]);
	turn(server, 20);
	fds[0] = enter(server, 0);
	for (unsigned int i = 0; i < 6; i++)
		close(fds[i]);
	stop_server(server);
}

static void root_gets_the_place_of_the_session_that_rested_longest_of_who_has_most(void **state)
{
	struct server *server = start_server((struct netconf_limits){
		.sessions = 5, .kept = 1, .user_sessions = 4, .spare_after = 1});
	int other = enter(server, OTHER), old = enter(server, NOBODY);
	int fresh = enter(server, NOBODY), third = enter(server, THIRD);
	int root = enter(server, 0), again;

	(void)state;
	assert_int_equal(knock(server, 0), REFUSAL_FULL); /* nobody is at rest yet */
	say(server, fresh, GET_CONFIG);
	turn(server, 900);
	turn(server, 300);
	say(server, old, "\n"); /* white space is no request */
	again = enter(server, 0);
	assert_true(is_closed(server, old));
	assert_false(is_closed(server, fresh));
	assert_false(is_closed(server, other));
	assert_non_null(strstr(server->log, "of u4000000, idle for"));
	close(other), close(old), close(fresh), close(third), close(root), close(again);
	stop_server(server);
}

static void a_user_takes_his_own_or_of_who_has_two_more(void **state)
{
	struct server *server = start_server((struct netconf_limits){
		.sessions = 4, .kept = 1, .user_sessions = 2, .spare_after = 1});
	int one = enter(server, NOBODY), two = enter(server, NOBODY), three, other, root;

	(void)state;
	turn(server, 900);
	turn(server, 300);
	three = enter(server, NOBODY); /* at his limit: his own */
	assert_true(is_closed(server, one));
	root = enter(server, 0);
	turn(server, 900);
	turn(server, 300);
	assert_int_equal(server->netconf->count, 3);
	other = enter(server, OTHER); /* who has none */
	assert_true(is_closed(server, two));
	turn(server, 900);
	turn(server, 300);
	assert_int_equal(knock(server, THIRD), REFUSAL_FULL); /* they have one each; root's stays */
	close(one), close(two), close(three), close(other), close(root);
	stop_server(server);
}

static void roots_sessions_give_way_to_nobody_else(void **state)
{
	struct server *server = start_server((struct netconf_limits){
		.sessions = 3, .kept = 1, .user_sessions = 3, .spare_after = 1});
	int one = enter(server, 0), two = enter(server, 0);

	(void)state;
	turn(server, 900);
	turn(server, 300);
	assert_int_equal(knock(server, NOBODY), REFUSAL_FULL);
	assert_false(is_closed(server, one));
	assert_false(is_closed(server, two));
	close(one), close(two);
	stop_server(server);
}

static void who_is_refused_takes_none_of_his_places(void **state)
{
	struct server *server = start_server((struct netconf_limits){
		.sessions = 3, .kept = 1, .user_sessions = 2, .spare_after = LONG});
	int one = enter(server, NOBODY), other = enter(server, OTHER), refused;
	enum refusal refusal;

	(void)state;
	refused = enter_with(server, NOBODY, HELLO, &refusal);
	assert_int_equal(refusal, REFUSAL_FULL);
	close(other);
	turn(server, 20);
	assert_int_equal(knock(server, NOBODY), REFUSAL_NONE);
	close(one), close(refused);
	stop_server(server);
}

static void who_holds_the_lock_or_is_amid_a_request_is_not_ended(void **state)
{
	struct server *server = start_server((struct netconf_limits){
		.sessions = 3, .kept = 1, .user_sessions = 3, .spare_after = 1});
	int holder = enter(server, 0), half = enter(server, 0), fresh = enter(server, 0), again;

	(void)state;
	say(server, holder, LOCK);
	assert_non_null(strstr(receive(server, holder), "<ok/>"));
	say(server, half, "<rpc xmlns=");
	turn(server, 900);
	turn(server, 300);
	again = enter(server, 0);
	assert_true(is_closed(server, fresh));
	turn(server, 900);
	turn(server, 300);
	say(server, again, GET_CONFIG);
	assert_int_equal(knock(server, 0), REFUSAL_FULL);
	assert_false(is_closed(server, holder));
	assert_false(is_closed(server, half));
	close(holder), close(half), close(fresh), close(again);
	stop_server(server);
}

static void a_refusal_answers_the_first_request_in_its_framing(void **state)
{
	struct server *server = start_server((struct netconf_limits){
		.sessions = 2, .kept = 1, .user_sessions = 1, .spare_after = LONG});
	enum refusal refusal;
	int place = enter(server, NOBODY), old, new;
	const char *said;
	char chunk[256];

	(void)state;
	old = enter_with(server, NOBODY, HELLO, &refusal);
	assert_int_equal(refusal, REFUSAL_USER);
	assert_non_null(strstr(receive(server, old), "<session-id>"));
	say(server, old, RPC("<get/>") END);
	said = receive(server, old);
	assert_non_null(strstr(said, "message-id=\"7\"><rpc-error><error-type>protocol<"));
	assert_non_null(strstr(said, "<error-tag>resource-denied<"));
	assert_non_null(strstr(said, "u4000000 already has 1 sessions with l2tpv3d"));
	assert_non_null(strstr(said, "</rpc-reply>" END));
	assert_false(is_closed(server, old));
	say(server, old, RPC("<close-session/>") END);
	assert_non_null(strstr(receive(server, old), "<ok/>"));
	assert_true(is_closed(server, old));
	snprintf(chunk, sizeof(chunk), "\n#%zu\n%s\n##\n", sizeof(RPC("<get/>")) - 1,
		 RPC("<get/>"));
	new = enter_with(server, OTHER, HELLO_NEW, &refusal);
	assert_int_equal(refusal, REFUSAL_FULL);
	receive(server, new);
	say(server, new, chunk);
	said = receive(server, new);
	assert_non_null(strstr(said, "message-id=\"7\"><rpc-error>"));
	assert_non_null(strstr(said, "all 2 places for sessions with l2tpv3d are taken"));
	assert_non_null(strstr(said, "\n##\n"));
	turn(server, 900);
	say(server, new, chunk); /* refused again, which gives it no more time */
	assert_non_null(strstr(receive(server, new), "<rpc-error>"));
	turn(server, 900);
	turn(server, 400);
	assert_true(is_closed(server, new));
	assert_int_equal(server->netconf->count, 1);
	assert_int_equal(server->netconf->refused, 0);
	assert_false(is_closed(server, place));
	close(place), close(old), close(new);
	stop_server(server);
}

static void a_refused_client_that_asks_for_nothing_is_told_all_the_same(void **state)
{
	struct server *server = start_server((struct netconf_limits){
		.sessions = 2, .kept = 1, .user_sessions = 1, .spare_after = LONG});
	enum refusal refusal;
	int place = enter(server, NOBODY), silent;

	(void)state;
	silent = enter_with(server, OTHER, HELLO_NEW, &refusal);
	receive(server, silent);
	for (unsigned int i = 0; i < 4; i++)
		turn(server, 600);
	assert_non_null(strstr(receive(server, silent), "all 2 places for sessions"));
	for (unsigned int i = 0; i < 4; i++)
		turn(server, 600);
	assert_true(is_closed(server, silent));
	close(place), close(silent);
	stop_server(server);
}

static void who_has_not_even_a_place_to_wait_is_told_at_once(void **state)
{
	struct server *server = start_server((struct netconf_limits){0});
	struct peer peer = {.uid = NOBODY, .user = "somebody"};
	int fds[2];
	const char *said;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	places_turn_away(server->netconf, fds[0], REFUSAL_NO_DESCRIPTORS, &peer);
	said = receive(server, fds[1]);
	assert_non_null(strstr(said, "<capability>" CAPABILITY_1_0 "</capability></capabilities>"));
	assert_null(strstr(said, CAPABILITY_1_1));
	assert_non_null(strstr(said, "</hello>" END "<rpc-reply xmlns=\"" BASE "\"><rpc-error>"));
	assert_non_null(strstr(said, "LimitNOFILE"));
	assert_true(is_closed(server, fds[1]));
	close(fds[1]);
	stop_server(server);
}

static void idle_sessions_end_and_those_with_a_lock_sooner(void **state)
{
	struct server *server =
		start_server((struct netconf_limits){.idle_timeout = 2, .lock_timeout = 1});
	int idle = enter(server, 0), busy = enter(server, 0), holder = enter(server, 0);

	(void)state;
	say(server, holder, LOCK);
	assert_non_null(strstr(receive(server, holder), "<ok/>"));
	turn(server, 700);
	assert_false(is_closed(server, holder));
	turn(server, 500);
	assert_true(is_closed(server, holder));
	assert_non_null(strstr(server->log, "ends: it holds the lock and asks for nothing"));
	say(server, busy, LOCK); /* which is free */
	assert_non_null(strstr(receive(server, busy), "<ok/>"));
	say(server, busy, RPC("<unlock><target><running/></target></unlock>") END);
	assert_non_null(strstr(receive(server, busy), "<ok/>"));
	assert_false(is_closed(server, idle));
	turn(server, 900);
	assert_true(is_closed(server, idle));
	assert_false(is_closed(server, busy)); /* rests since, and without the lock */
	assert_non_null(strstr(server->log, "ends: idle too long"));
	close(idle), close(busy), close(holder);
	stop_server(server);
}

static void no_session_ends_for_idling_where_it_may_rest_for_ever(void **state)
{
	struct server *server = start_server((struct netconf_limits){
		.idle_timeout = NETCONF_NEVER, .lock_timeout = NETCONF_NEVER, .hello_timeout = 1});
	int idle = enter(server, 0), holder = enter(server, 0);

	(void)state;
	say(server, holder, LOCK);
	turn(server, 900);
	turn(server, 300);
	assert_false(is_closed(server, idle));
	assert_false(is_closed(server, holder));
	close(idle), close(holder);
	stop_server(server);
}

static void a_hello_has_its_time_however_it_trickles(void **state)
{
	struct server *server = start_server((struct netconf_limits){.hello_timeout = 1});
	int slow = enter_with(server, 0, "<hello", &(enum refusal){0});

	(void)state;
	for (unsigned int i = 0; i < 5; i++) {
		send(slow, " ", 1, MSG_NOSIGNAL);
		turn(server, 250);
	}
	assert_true(is_closed(server, slow));
	assert_non_null(strstr(server->log, "no hello in time"));
	close(slow);
	stop_server(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places_are_kept_for_root_and_the_daemons_user),
		cmocka_unit_test(
			root_gets_the_place_of_the_session_that_rested_longest_of_who_has_most),
		cmocka_unit_test(a_user_takes_his_own_or_of_who_has_two_more),
		cmocka_unit_test(roots_sessions_give_way_to_nobody_else),
		cmocka_unit_test(who_is_refused_takes_none_of_his_places),
		cmocka_unit_test(who_holds_the_lock_or_is_amid_a_request_is_not_ended),
		cmocka_unit_test(a_refusal_answers_the_first_request_in_its_framing),
		cmocka_unit_test(a_refused_client_that_asks_for_nothing_is_told_all_the_same),
		cmocka_unit_test(who_has_not_even_a_place_to_wait_is_told_at_once),
		cmocka_unit_test(idle_sessions_end_and_those_with_a_lock_sooner),
		cmocka_unit_test(no_session_ends_for_idling_where_it_may_rest_for_ever),
		cmocka_unit_test(a_hello_has_its_time_however_it_trickles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
