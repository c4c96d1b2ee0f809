/* What goes on over a restart: moments of objects that are the same, and of no others. */
#include "engine_bench.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/recall.h"
#include "journal/journal_file.h"

#define UDP1 "peer-tunnel-id=2 local-address=192.0.2.1 remote-address=192.0.2.2 encapsulation=udp"
#define IP2  "peer-tunnel-id=2 local-address=192.0.2.1 remote-address=192.0.2.2 encapsulation=ip"

struct place {
	char directory[64];
	struct bench *bench;
};

static int setup(void **state)
{
	struct place *s = calloc(1, sizeof(*s));

	snprintf(s->directory, sizeof(s->directory), "/tmp/l2tpv3d-recall-XXXXXX");
	assert_non_null(mkdtemp(s->directory));
	s->bench = new_bench("6.12", s->directory);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct place *s = *state;
	struct dirent *entry;
	DIR *list;

	if (!s->bench->engine) /* an assertion failed between two daemons */
		start_bench(s->bench);
	free_bench(s->bench);
	list = opendir(s->directory);
	while ((entry = readdir(list)) != NULL)
		unlinkat(dirfd(list), entry->d_name, 0);
	closedir(list);
	rmdir(s->directory);
	free(s);
	return 0;
}

static void path_of_identities(const struct place *s, char ret[128])
{
	snprintf(ret, 128, "%s/%s", s->directory, IDENTITIES_FILE);
}

static void settle(struct place *s)
{
	assert_true(turn_until(s->bench, is_idle, 5000));
}

static void restart(struct place *s)
{
	settle(s);
	stop_bench(s->bench);
	start_bench(s->bench);
	settle(s);
}

/* What the last daemon wrote by itself is all that there is: the file as it was before it ended. */
static void kill_and_start(struct place *s)
{
	char path[128], text[1 << 16];
	size_t size;
	FILE *file;

	settle(s);
	path_of_identities(s, path);
	file = fopen(path, "r");
	assert_non_null(file);
	size = fread(text, 1, sizeof(text), file);
	fclose(file);
	stop_bench(s->bench);
	file = fopen(path, "w");
	assert_int_equal(fwrite(text, 1, size, file), size);
	fclose(file);
	start_bench(s->bench);
	settle(s);
}

static struct moment began(struct place *s, uint32_t tunnel_id, uint32_t id)
{
	struct entry *entry = datastore_entry(s->bench->store, tunnel_id, id);

	assert_non_null(entry);
	return entry_state(entry)->statistics.discontinuity_time;
}

static struct moment changed(struct place *s, uint32_t tunnel_id, uint32_t id)
{
	struct entry *entry = datastore_entry(s->bench->store, tunnel_id, id);

	assert_non_null(entry);
	return entry_state(entry)->last_change;
}

static bool same(struct moment a, struct moment b)
{
	return a.at == b.at && a.wall == b.wall && a.at != 0;
}

/* Tunnel 1 over UDP with an Ethernet and a PPP session, 2 over IP alone, 3 over IP with sessions;
 * session 1/12 waits for a bridge, 4 is disabled, tunnel 5 waits for a route. */
static void configure(struct place *s)
{
	struct edit *edit = edit_new();

	sim_add_route(s->bench->kernel, "203.0.113.128/25", -ENETUNREACH);
	tunnel(edit, EDIT_MERGE, 1, UDP1);
	session(edit, EDIT_MERGE, 1, 10, "peer-session-id=7");
	session(edit, EDIT_MERGE, 1, 11, "peer-session-id=7 pseudowire-type=ppp");
	session(edit, EDIT_MERGE, 1, 12, "peer-session-id=7 bridge=br7");
	tunnel(edit, EDIT_MERGE, 2, IP2);
	tunnel(edit, EDIT_MERGE, 3, IP2);
	session(edit, EDIT_MERGE, 3, 30, "peer-session-id=7");
	session(edit, EDIT_MERGE, 3, 31, "peer-session-id=8 pseudowire-type=ppp");
	tunnel(edit, EDIT_MERGE, 4, UDP1 " local-port=4000 enabled=false");
	tunnel(edit, EDIT_MERGE, 5,
	       "peer-tunnel-id=5 local-address=192.0.2.1 remote-address=203.0.113.200 "
	       "local-port=5000");
	assert_int_equal(commit(s->bench, edit), 0);
	settle(s);
}

static const struct key all[] = {{1, 0}, {1, 10}, {1, 11}, {1, 12}, {2, 0},
				 {3, 0}, {3, 30}, {3, 31}, {5, 0}};

#define ALL (sizeof(all) / sizeof(all[0]))

struct moments {
	struct moment began[ALL], changed[ALL];
};

static struct moments look(struct place *s)
{
	struct moments moments;

	for (size_t i = 0; i < ALL; i++) {
		moments.began[i] = began(s, all[i].tunnel_id, all[i].session_id);
		moments.changed[i] = changed(s, all[i].tunnel_id, all[i].session_id);
	}
	return moments;
}

static void assert_unmoved(struct place *s, const struct moments *before)
{
	struct moments now = look(s);

	for (size_t i = 0; i < ALL; i++) {
		bool in_kernel =
			datastore_entry(s->bench->store, all[i].tunnel_id, all[i].session_id)
				->in_kernel;

		if (in_kernel && !same(before->began[i], now.began[i]))
			fail_msg("discontinuity-time of %u/%u moved", all[i].tunnel_id,
				 all[i].session_id);
		if (!same(before->changed[i], now.changed[i]))
			fail_msg("last-change of %u/%u moved", all[i].tunnel_id, all[i].session_id);
	}
}

static void a_restart_moves_nothing(void **state)
{
	struct place *s = *state;
	struct moments before;
	struct engine_info info, after;
	struct moment disabled;

	configure(s);
	before = look(s);
	disabled = changed(s, 4, 0); /* since it has existed */
	engine_info(s->bench->engine, &info);
	for (int i = 0; i < 3; i++) {
		restart(s);
		assert_unmoved(s, &before);
		assert_true(same(disabled, changed(s, 4, 0)));
	}
	engine_info(s->bench->engine, &after);
	assert_true(same(info.last_change, after.last_change));
	assert_null(strstr(s->bench->log, "waiting")); /* that it goes on waiting is no news */
}

static void nor_does_a_kill(void **state)
{
	struct place *s = *state;
	struct moments before;

	configure(s);
	before = look(s);
	kill_and_start(s);
	assert_unmoved(s, &before);
}

static int as_others(struct place *s, enum kernel_verb verb, uint32_t tunnel_id, uint32_t id)
{
	struct kernel_request request = {.verb = verb, .tunnel_id = tunnel_id, .session_id = id};
	int rc = sim_foreign(s->bench->kernel, &request);

	sim_reap(s->bench->kernel);
	return rc;
}

/* While no daemon runs, others delete the object and make it anew as it was. */
static void recreate(struct place *s, const struct key *keys, size_t count)
{
	struct bench *bench = s->bench;
	union config configs[4];
	struct statistics statistics;

	for (size_t i = 0; i < count; i++) {
		struct kernel_request get = {.verb = keys[i].session_id ? KERNEL_SESSION_GET
									: KERNEL_TUNNEL_GET,
					     .tunnel_id = keys[i].tunnel_id,
					     .session_id = keys[i].session_id,
					     .ret_tunnel = &configs[i].tunnel,
					     .ret_session = &configs[i].session,
					     .ret_statistics = &statistics};

		bench->kernel->ops->submit(bench->kernel, &get, 1);
		assert_int_equal(get.result, 0);
		codec_complete(keys[i].session_id ? OBJECT_SESSION : OBJECT_TUNNEL, &configs[i]);
	}
	assert_int_equal(
		as_others(s, keys[0].session_id ? KERNEL_SESSION_DELETE : KERNEL_TUNNEL_DELETE,
			  keys[0].tunnel_id, keys[0].session_id),
		0);
	for (size_t i = 0; i < count; i++) {
		struct kernel_request make = {.verb = keys[i].session_id ? KERNEL_SESSION_CREATE
									 : KERNEL_TUNNEL_CREATE,
					      .tunnel_id = keys[i].tunnel_id,
					      .session_id = keys[i].session_id,
					      .tunnel = &configs[i].tunnel,
					      .session = &configs[i].session};

		if (keys[i].session_id)
			make.tunnel = NULL;
		assert_int_equal(sim_foreign(bench->kernel, &make), 0);
	}
}

static bool is_dormant(struct bench *bench)
{
	return ask_link(bench, "pw0").dormant;
}

static bool is_up_again(struct bench *bench)
{
	return !is_dormant(bench);
}

static void a_link_that_is_down_for_a_silent_peer_stays_so(void **state)
{
	const struct statistics heard = {.rx_packets = 1, .rx_bytes = 60};
	struct place *s = *state;
	struct edit *edit = edit_new();
	struct session quiet;
	uint64_t writes;

	tunnel(edit, EDIT_MERGE, 1, IP2);
	session(edit, EDIT_MERGE, 1, 5,
		"peer-session-id=7 interface-name=pw0 dead-interval=1 dead-action=link-down");
	assert_int_equal(commit(s->bench, edit), 0);
	assert_true(turn_until(s->bench, is_dormant, 5000));
	writes = s->bench->kernel->ops->writes(s->bench->kernel);
	restart(s);
	kill_and_start(s);
	assert_true(is_dormant(s->bench));
	assert_int_equal(s->bench->kernel->ops->writes(s->bench->kernel), writes);
	stop_bench(s->bench);
	assert_int_equal(sim_count(s->bench->kernel, 1, 5, &heard), 0);
	start_bench(s->bench); /* and nor is it forgotten */
	assert_true(turn_until(s->bench, is_up_again, 5000));
	assert_true(turn_until(s->bench, is_dormant, 5000));
	quiet = *session_config(entry_of(s->bench, 1, 5));
	stop_bench(s->bench);
	s->bench->base = event_base_new();
	open_state(s->bench); /* while it was down, somebody removed the leaf from the file */
	quiet.present &= ~(BIT(SESSION_DEAD_ACTION) | BIT(SESSION_DEAD_INTERVAL));
	quiet.dead_action = DEAD_ACTION_NONE;
	quiet.dead_interval = 0;
	assert_non_null(datastore_configure(s->bench->store, 1, 5, &quiet));
	open_engine(s->bench);
	assert_true(turn_until(s->bench, is_up_again, 5000));
}

struct missed {
	unsigned int count;
	enum oper_status old, now;
	struct key key;
};

static void note_missed(const struct engine_event *event, void *arg)
{
	struct missed *missed = arg;

	assert_int_equal(event->type, ENGINE_STATE);
	missed->count++;
	missed->key = event->entry->key;
	missed->old = event->old_status;
	missed->now = entry_state(event->entry)->oper_status;
}

/* As a door that opens sees it: before the loop has turned. */
static struct missed missed_by_restart(struct place *s, const struct statistics *meanwhile)
{
	struct missed missed = {0};

	settle(s);
	stop_bench(s->bench);
	if (meanwhile)
		assert_int_equal(sim_count(s->bench->kernel, 1, 5, meanwhile), 0);
	start_bench(s->bench);
	engine_tell_missed(s->bench->engine, note_missed, &missed);
	return missed;
}

static bool is_silent(struct bench *bench)
{
	return entry_of(bench, 1, 5)->state.common.oper_status == OPER_PEER_SILENT;
}

static void what_came_about_meanwhile_is_told_of(void **state)
{
	const struct statistics heard = {.rx_packets = 1, .rx_bytes = 60};
	struct place *s = *state;
	struct edit *edit = edit_new();
	struct missed missed;

	tunnel(edit, EDIT_MERGE, 1, UDP1);
	session(edit, EDIT_MERGE, 1, 5, "peer-session-id=7 dead-interval=1");
	session(edit, EDIT_MERGE, 1, 6, "peer-session-id=8");
	assert_int_equal(commit(s->bench, edit), 0);
	assert_true(turn_until(s->bench, is_silent, 5000));
	assert_int_equal(missed_by_restart(s, NULL).count, 0);
	missed = missed_by_restart(s, &heard);
	assert_int_equal(missed.count, 1);
	assert_int_equal(missed.key.session_id, 5);
	assert_int_equal(missed.old, OPER_PEER_SILENT);
	assert_int_equal(missed.now, OPER_UP);
	/* what went down before the last daemon ended is no news to the next */
	sim_add_route(s->bench->kernel, "192.0.2.0/24", -ENETUNREACH);
	UNTIL(s->bench, entry_of(s->bench, 1, 6)->state.common.oper_status == OPER_DOWN);
	assert_int_equal(missed_by_restart(s, NULL).count, 0);
}

static void what_was_made_anew_meanwhile_has_moved(void **state)
{
	static const struct {
		struct key keys[3];
		size_t count;
	} cases[] = {
		{{{1, 10}}, 1}, /* an interface: another index */
		{{{1, 0}, {1, 10}, {1, 11}},
		 3}, /* a socket: another cookie; and so its PPP session */
		{{{3, 0}, {3, 30}, {3, 31}}, 3}, /* over IP: its session's interface is another */
	};
	struct place *s = *state;

	configure(s);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct moments before = look(s), after;

		stop_bench(s->bench);
		recreate(s, cases[i].keys, cases[i].count);
		start_bench(s->bench);
		settle(s);
		after = look(s);
		for (size_t k = 0; k < ALL; k++) {
			bool anew = false;

			for (size_t c = 0; c < cases[i].count; c++)
				anew = anew || key_compare(&all[k], &cases[i].keys[c]) == 0;
			if (all[k].tunnel_id == 1 && all[k].session_id == 12 && i == 1)
				anew = true; /* its tunnel took it along, and we made it again */
			if (all[k].tunnel_id == 5)
				continue;
			if (same(before.began[k], after.began[k]) == anew)
				fail_msg("case %zu: %u/%u %s", i, all[k].tunnel_id,
					 all[k].session_id, anew ? "stayed" : "moved");
		}
	}
}

static void counters_that_went_back_tell_of_another_object(void **state)
{
	static const struct statistics some = {.tx_packets = 5, .rx_packets = 5};
	struct place *s = *state;
	struct moments before;

	configure(s);
	assert_int_equal(sim_count(s->bench->kernel, 3, 31, &some), 0);
	engine_refresh(s->bench->engine, datastore_entry(s->bench->store, 3, 31));
	before = look(s);
	restart(s);
	assert_unmoved(s, &before);
	stop_bench(s->bench);
	recreate(s, &(struct key){3, 31}, 1);
	start_bench(s->bench);
	settle(s);
	assert_false(same(before.began[7], began(s, 3, 31)));
	assert_true(same(before.began[5], began(s, 3, 0)));
}

static void a_boot_moves_all(void **state)
{
	struct place *s = *state;
	struct moments before, after;
	struct error err = ERROR_INIT;

	configure(s);
	before = look(s);
	stop_bench(s->bench);
	s->bench->kernel->ops->close(s->bench->kernel);
	assert_int_equal(kernel_open_sim(&s->bench->kernel, "6.12", &err), 0);
	sim_add_route(s->bench->kernel, "203.0.113.128/25", -ENETUNREACH);
	start_bench(s->bench);
	settle(s);
	after = look(s);
	for (size_t i = 0; i < ALL; i++) {
		assert_false(same(before.changed[i], after.changed[i]));
		assert_false(same(before.began[i], after.began[i]));
	}
}

static void a_file_that_is_damaged_or_led_elsewhere_is_begun_anew(void **state)
{
	struct place *s = *state;
	struct moments before;
	char path[128], other[128];
	struct stat st;
	int fd;

	configure(s);
	before = look(s);
	path_of_identities(s, path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	/* one record: its object begins now, with a line in the log */
	stop_bench(s->bench);
	fd = open(path, O_RDWR);
	assert_int_equal(pwrite(fd, "\xff", 1, 128 + 40), 1);
	close(fd);
	start_bench(s->bench);
	settle(s);
	assert_non_null(strstr(s->bench->log, "1 of "));
	/* the header */
	before = look(s);
	stop_bench(s->bench);
	fd = open(path, O_RDWR);
	assert_int_equal(pwrite(fd, "\xff", 1, 20), 1);
	close(fd);
	start_bench(s->bench);
	settle(s);
	assert_non_null(strstr(s->bench->log, "is damaged"));
	assert_false(same(before.began[1], began(s, 1, 10)));
	before = look(s);
	restart(s);
	assert_unmoved(s, &before);
	/* a link: what it leads to is left alone */
	stop_bench(s->bench);
	snprintf(other, sizeof(other), "%s/other", s->directory);
	assert_int_equal(rename(path, other), 0);
	assert_int_equal(chmod(other, 0644), 0);
	assert_int_equal(symlink("other", path), 0);
	start_bench(s->bench);
	settle(s);
	assert_false(same(before.began[1], began(s, 1, 10)));
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(stat(other, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	/* removed under the daemon: written anew */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(edit_one_session(s->bench, 1, 13, "peer-session-id=9"), 0);
	before = look(s);
	restart(s);
	assert_unmoved(s, &before);
}

static void records_of_what_is_gone_are_used_again(void **state)
{
	struct place *s = *state;
	struct stat first, last;
	char path[128];

	configure(s);
	path_of_identities(s, path);
	for (int i = 0; i < 4; i++) {
		struct edit *edit = edit_new();

		assert_int_equal(commit(s->bench, tunnel_with_sessions(9, 40)), 0);
		edit_tunnel(edit, EDIT_DELETE, 9);
		assert_int_equal(commit(s->bench, edit), 0);
		sim_reap(s->bench->kernel);
		settle(s);
		assert_int_equal(stat(path, i ? &last : &first), 0);
		if (i == 2)
			restart(s);
	}
	assert_int_equal(first.st_size, last.st_size);
}

/* ---- what is being removed */

static void what_we_delete_stays_ours_over_a_restart(void **state)
{
	struct place *s = *state;
	struct edit *edit = edit_new();

	assert_int_equal(commit(s->bench, tunnel_with_sessions(1, 20)), 0);
	assert_int_equal(commit(s->bench, tunnel_with_sessions(2, 3)), 0);
	settle(s);
	sim_hold_time(s->bench->kernel);
	edit_tunnel(edit, EDIT_DELETE, 1);
	for (uint32_t id = 2001; id <= 2002; id++)
		edit_session(edit, EDIT_DELETE, 2, id);
	assert_int_equal(commit(s->bench, edit), 0);
	stop_bench(s->bench);
	start_bench(s->bench);
	for (struct entry *entry = datastore_entry_from(s->bench->store, 1, 0); entry;
	     entry = entry_next(entry)) {
		assert_false(entry_is_foreign(entry));
		if (!entry_config(entry))
			assert_int_equal(entry_state(entry)->oper_status, OPER_REMOVING);
	}
	assert_non_null(datastore_session(s->bench->store, 2, 2001));
	assert_true(datastore_session(s->bench->store, 2, 2001)->state.if_index != 0);
	/* a new one of that name waits for the old one to go */
	sim_advance(s->bench->kernel, 60000);
	settle(s);
	assert_null(datastore_entry(s->bench->store, 1, 0));
	assert_null(datastore_entry(s->bench->store, 2, 2001));
	assert_non_null(datastore_entry(s->bench->store, 2, 2003));
}

static void what_others_make_of_a_deleted_id_is_theirs(void **state)
{
	struct place *s = *state;

	assert_int_equal(edit_one_tunnel(s->bench, 1, UDP1), 0);
	assert_int_equal(delete_tunnel(s->bench, 1), 0);
	stop_bench(s->bench);
	sim_reap(s->bench->kernel);
	{
		struct tunnel other = {.tunnel_id = 1,
				       .peer_tunnel_id = 9,
				       .encapsulation = ENCAPSULATION_UDP,
				       .local_address = {AF_INET, {192, 0, 2, 1}},
				       .remote_address = {AF_INET, {192, 0, 2, 2}},
				       .local_port = 1701,
				       .remote_port = 1701};
		struct kernel_request make = {.verb = KERNEL_TUNNEL_CREATE, .tunnel = &other};

		other.present =
			~UINT64_C(0) &
			(BIT(TUNNEL_ID) | BIT(TUNNEL_PEER_TUNNEL_ID) | BIT(TUNNEL_ENCAPSULATION) |
			 BIT(TUNNEL_LOCAL_ADDRESS) | BIT(TUNNEL_REMOTE_ADDRESS) |
			 BIT(TUNNEL_LOCAL_PORT) | BIT(TUNNEL_REMOTE_PORT));
		assert_int_equal(sim_foreign(s->bench->kernel, &make), 0);
	}
	start_bench(s->bench);
	settle(s);
	assert_true(entry_is_foreign(datastore_entry(s->bench->store, 1, 0)));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_restart_moves_nothing),
		TEST(nor_does_a_kill),
		TEST(a_link_that_is_down_for_a_silent_peer_stays_so),
		TEST(what_came_about_meanwhile_is_told_of),
		TEST(what_was_made_anew_meanwhile_has_moved),
		TEST(counters_that_went_back_tell_of_another_object),
		TEST(a_boot_moves_all),
		TEST(a_file_that_is_damaged_or_led_elsewhere_is_begun_anew),
		TEST(records_of_what_is_gone_are_used_again),
		TEST(what_we_delete_stays_ours_over_a_restart),
		TEST(what_others_make_of_a_deleted_id_is_theirs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
