/* Folding in the background, and the history that outlives it. */
#include "state_dir.h"

/* Wait for the child and let the journal finish. */
static int maintain_to_end(struct state_dir *dir)
{
	int result = 0;

	while (journal_snapshot_pid(dir->journal) != 0 && result == 0) {
		usleep(1000);
		result = journal_maintain(dir->journal, true, &dir->err);
	}
	return result;
}

/* Commits go on while the child writes. */
static void the_journal_is_folded_in_the_background(void **state)
{
	struct state_dir *dir = *state;
	int folds = 0;

	must_open(dir);
	dir->journal->fold_min = 1000;
	for (uint32_t n = 1; n <= 120; n++) {
		commit_story(dir, n, n);
		assert_int_equal(journal_maintain(dir->journal, true, &dir->err), 0);
		folds += journal_snapshot_pid(dir->journal) != 0 && n % 4 == 0;
		if (n % 4 == 0)
			assert_int_equal(maintain_to_end(dir), 0);
	}
	assert_true(folds > 10);
	assert_true(dir->journal->base > 100);
	assert_int_equal(maintain_to_end(dir), 0);
	dir_abandon(dir);
	must_open(dir);
	assert_string_equal(dir->warning, "");
	assert_true(story_is_at(dir->running, 120));
	assert_int_equal(dir->journal->history_count, HISTORY_LENGTH);
	dir_close(dir);
}

static void a_commit_may_be_revoked_while_the_child_writes(void **state)
{
	struct candidate candidate;
	struct state_dir *dir = *state;

	must_open(dir);
	commit_story(dir, 1, 4);
	dir->journal->fold_min = 1;
	dir->journal->config_size = 1;
	assert_int_equal(journal_maintain(dir->journal, true, &dir->err), 0);
	assert_true(journal_snapshot_pid(dir->journal) != 0);
	append_only(dir, 5, &candidate);
	assert_int_equal(maintain_to_end(dir), 0);
	assert_int_equal(dir->journal->base, 4);
	assert_int_equal(journal_revoke(dir->journal, 5, &dir->err), 0);
	candidate_discard(&candidate);
	dir_abandon(dir);
	must_open(dir);
	assert_true(story_is_at(dir->running, 4));
	assert_int_equal(journal_generation(dir->journal), 4);
	dir_close(dir);
}

static void closing_ends_the_child(void **state)
{
	struct state_dir *dir = *state;

	must_open(dir);
	commit_story(dir, 1, 4);
	dir->journal->fold_min = 1;
	assert_int_equal(journal_maintain(dir->journal, true, &dir->err), 0);
	assert_true(journal_snapshot_pid(dir->journal) != 0);
	dir_close(dir);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	must_open(dir);
	assert_true(story_is_at(dir->running, 4));
	dir_close(dir);
}

/* History */

static void history_tells_who_when_and_what(void **state)
{
	struct commit_info info = {.door = "netconf",
				   .user = "J\xc3\xbcrgen %41\n",
				   .comment = "rollback to 17 = 100 %"};
	struct commit_info list[HISTORY_LENGTH];
	struct state_dir *dir = *state;

	must_open(dir);
	assert_int_equal(journal_history(dir->journal, list), 0);
	assert_int_equal(journal_commit(dir, story(1), &info), 0);
	assert_int_equal(info.number, 1);
	assert_int_equal(info.tunnels, 1);
	assert_int_equal(info.sessions, 2);
	for (int round = 0; round < 3; round++) {
		assert_int_equal(journal_history(dir->journal, list), 1);
		assert_int_equal(list[0].number, 1);
		assert_string_equal(list[0].door, info.door);
		assert_string_equal(list[0].user, info.user);
		assert_string_equal(list[0].comment, info.comment);
		assert_int_equal(list[0].time.tv_sec, info.time.tv_sec);
		assert_int_equal(list[0].time.tv_nsec, info.time.tv_nsec);
		assert_int_equal(list[0].sessions, 2);
		if (round == 0)
			dir_abandon(dir);
		else
			dir_close(dir);
		must_open(dir);
	}
	dir_close(dir);
}

static void history_keeps_the_last_fifty(void **state)
{
	struct commit_info list[HISTORY_LENGTH];
	struct candidate candidate;
	struct state_dir *dir = *state;

	must_open(dir);
	commit_story(dir, 1, 55);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(journal_history(dir->journal, list), HISTORY_LENGTH);
		assert_int_equal(list[0].number, 55);
		assert_int_equal(list[49].number, 6);
		assert_true(count_changes(dir, 6) > 0);
		dir->err = ERROR_INIT;
		assert_int_equal(count_changes(dir, 5), -ENOENT);
		assert_int_equal(dir->err.code, ERROR_MISSING);
		assert_non_null(strstr(dir->err.text, "holds 6 to 55"));
		assert_true(journal_rollback(dir->journal, 4, dir->running, &candidate,
					     &dir->err) != 0);
		assert_string_equal(dir->err.text, "cannot return to commit 4, only to those from "
						   "5 to 55; the record of commit 5 "
						   "is not kept");
		dir_close(dir);
		must_open(dir);
	}
	dir_close(dir);
}

static void rollback_goes_back_exactly(void **state)
{
	struct candidate candidate;
	struct state_dir *dir = *state;

	must_open(dir);
	commit_story(dir, 1, 12);
	for (uint32_t to = 0; to <= 12; to++) {
		assert_int_equal(journal_rollback(dir->journal, to, dir->running, &candidate, NULL),
				 0);
		assert_int_equal(candidate_validate(&candidate, &dir->err), 0);
		assert_int_equal(candidate_dirty(&candidate), to < 12);
		assert_int_equal(candidate_publish(&candidate, dir->running), 0);
		assert_true(story_is_at(dir->running, to));
		candidate_discard(&candidate);
		dir_abandon(dir);
		must_open(dir);
	}
	assert_true(journal_rollback(dir->journal, 13, dir->running, &candidate, &dir->err) != 0);
	assert_int_equal(dir->err.code, ERROR_MISSING);
	dir_close(dir);
}

static void damage_commit(const struct state_dir *dir, const struct history_entry *entry)
{
	size_t length;
	char *data = file_get(dir, "journal", &length);

	data[entry->offset + entry->length / 2] ^= 1;
	file_put(dir, "journal", data, length);
	free(data);
}

static void rolls_back_to(struct state_dir *dir, uint64_t oldest)
{
	struct candidate candidate;

	dir->err = ERROR_INIT;
	assert_true(journal_rollback(dir->journal, oldest - 1, dir->running, &candidate,
				     &dir->err) != 0);
	assert_int_equal(dir->err.code, ERROR_MISSING);
	assert_non_null(strstr(dir->err.text, "cannot return to commit"));
	assert_int_equal(journal_rollback(dir->journal, oldest, dir->running, &candidate, NULL), 0);
	assert_int_equal(candidate_publish(&candidate, dir->running), 0);
	candidate_discard(&candidate);
	assert_true(story_is_at(dir->running, (uint32_t)oldest));
}

/* A commit in the middle of the history cannot be read: what is before it is out of reach. */
static void rollback_does_not_jump_over_a_gap(void **state)
{
	struct history_entry lost;
	struct state_dir *dir = *state;

	must_open(dir);
	commit_story(dir, 1, 9);
	dir_close(dir);
	must_open(dir);
	lost = dir->journal->history[4];
	assert_int_equal(lost.info.number, 5);
	dir_close(dir);
	damage_commit(dir, &lost);
	must_open(dir);
	assert_non_null(strstr(dir->warning, "the history of commit 5 is lost"));
	assert_true(story_is_at(dir->running, 9));
	commit_story(dir, 10, 10);
	rolls_back_to(dir, 5);
	dir_abandon(dir);
}

static void nor_over_one_at_its_end(void **state)
{
	struct history_entry lost;
	struct state_dir *dir = *state;

	must_open(dir);
	commit_story(dir, 1, 9);
	dir_close(dir);
	must_open(dir);
	lost = dir->journal->history[6];
	dir_close(dir);
	assert_int_equal(truncate_file(dir, "journal", lost.offset + 30), 0);
	must_open(dir);
	assert_non_null(strstr(dir->warning, "the history of commits 7 to 9 is lost"));
	assert_true(story_is_at(dir->running, 9));
	commit_story(dir, 10, 10);
	rolls_back_to(dir, 9);
	dir_abandon(dir);
}

static void changes_are_readable_and_secrets_are_not(void **state)
{
	struct datastore *running = story_state(2);
	struct candidate candidate;
	char *text = NULL;
	size_t length;
	FILE *file = open_memstream(&text, &length);
	struct edit *edit = story(3);

	(void)state;
	add(edit, EDIT_MERGE, 2, 5, "tx-cookie=00112233 rx-cookie=44556677 ~description");
	candidate_open(&candidate, running);
	assert_int_equal(apply(&candidate, edit, NULL), 0);
	changes_print(file, &candidate);
	fclose(file);
	assert_string_equal(
		text,
		"- tunnel 1\n"
		"- session 1/2\n"
		"- session 1/3\n"
		"~ session 2/4 mtu 1400 -> 1300, dead-interval (unset) -> 30\n"
		"~ session 2/5 description \"50%\" -> (unset), tx-cookie (unset) -> (hidden), "
		"rx-cookie (hidden) -> (hidden)\n"
		"+ tunnel 3 peer-tunnel-id 3, local-address 10.1.0.3, remote-address 10.2.0.1, "
		"local-port 1027\n"
		"+ session 3/6 peer-session-id 6, mtu 1400\n"
		"+ session 3/7 description \"50%\", peer-session-id 7, rx-cookie (hidden)\n");
	free(text);
	candidate_discard(&candidate);
	datastore_free(running);
}

/* Every leaf there is, through a record and back. */
static void every_leaf_survives_a_record(void **state)
{
	static const char tunnel[] =
		"description=a%b enabled=false peer-tunnel-id=4294967295 encapsulation=udp "
		"local-interface=eth0 remote-address=2001:db8::1 local-port=1 remote-port=65535 "
		"udp6-checksum-tx=false udp6-checksum-rx=false";
	static const char session[] =
		"enabled=false peer-session-id=1 "
		"pseudowire-type=ethernet-vlan vlan-id=4094 interface-name=a= mtu=68 "
		"mac-address=02:00:00:00:00:01 bridge=br=0 link-enabled=false "
		"l2-specific-sublayer=none tx-cookie= rx-cookie=0011223344556677 "
		"sequencing=receive reorder-timeout=60000 lns-mode=true dead-interval=86400";
	static const char text[] = " caf\xc3\xa9 = 100 %20 \"x\" ";
	const struct row *row = row_by_leaf(OBJECT_SESSION, "description", 11);
	struct datastore *expected = datastore_new();
	struct state_dir *dir = *state;

	must_open(dir);
	for (int round = 0; round < 2; round++) {
		struct edit *edit = edit_new();
		struct edit_entry *entry;

		add(edit, EDIT_CREATE, ID_MAX, 0, tunnel);
		entry = add(edit, EDIT_CREATE, ID_MAX, ID_MAX, session);
		assert_int_equal(edit_leaf(entry, row, EDIT_MERGE, text, strlen(text), NULL), 0);
		if (round == 0)
			assert_int_equal(journal_commit(dir, edit, NULL), 0);
		else
			commit(expected, edit);
	}
	dir_abandon(dir);
	must_open(dir);
	assert_true(same_config(dir->running, expected));
	dir_close(dir);
	datastore_free(expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		dir_test(the_journal_is_folded_in_the_background),
		dir_test(a_commit_may_be_revoked_while_the_child_writes),
		dir_test(closing_ends_the_child),
		dir_test(history_tells_who_when_and_what),
		dir_test(history_keeps_the_last_fifty),
		dir_test(rollback_goes_back_exactly),
		dir_test(rollback_does_not_jump_over_a_gap),
		dir_test(nor_over_one_at_its_end),
		cmocka_unit_test(changes_are_readable_and_secrets_are_not),
		dir_test(every_leaf_survives_a_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
