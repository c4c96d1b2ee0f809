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
	journal_keep_history(dir->journal, 4000, 0); /* a fold waits for a part of it */
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
	assert_in_range(dir->journal->history_count, 5, 119);
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
	struct commit_info list[LISTED];
	struct state_dir *dir = *state;

	must_open(dir);
	assert_int_equal(journal_history(dir->journal, 0, list, LISTED), 0);
	assert_int_equal(journal_commit(dir, story(1), &info), 0);
	assert_int_equal(info.number, 1);
	assert_int_equal(info.tunnels, 1);
	assert_int_equal(info.sessions, 2);
	for (int round = 0; round < 3; round++) {
		assert_int_equal(journal_history(dir->journal, 0, list, LISTED), 1);
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

/* What is kept can be listed, read and gone back to, and nothing else; over restarts and folds. */
static void keeps(struct state_dir *dir, uint64_t first, uint64_t last)
{
	struct commit_info list[2];
	struct candidate candidate;
	char text[120];

	assert_int_equal(dir->journal->history_count, last - first + 1);
	assert_int_equal(journal_history(dir->journal, 0, list, 2), 2);
	assert_int_equal(list[0].number, last);
	assert_int_equal(list[1].number, last - 1);
	assert_int_equal(journal_history(dir->journal, first + 2, list, 2), 2);
	assert_int_equal(list[1].number, first);
	assert_int_equal(journal_history(dir->journal, first + 1, list, 2), 1);
	assert_int_equal(journal_history(dir->journal, first, list, 2), 0);
	assert_int_equal(journal_history(dir->journal, 1, list, 2), 0);
	assert_int_equal(journal_history(dir->journal, last + 9, list, 2), 2);
	assert_true(count_changes(dir, first) > 0);
	dir->err = ERROR_INIT;
	assert_int_equal(count_changes(dir, first - 1), -ENOENT);
	snprintf(text, sizeof(text), "holds %" PRIu64 " to %" PRIu64, first, last);
	assert_non_null(strstr(dir->err.text, text));
	assert_true(journal_rollback(dir->journal, first - 2, dir->running, &candidate,
				     &dir->err) != 0);
	snprintf(text, sizeof(text),
		 "cannot return to commit %" PRIu64 ", only to those from %" PRIu64 " to %" PRIu64
		 "; the record of commit %" PRIu64 " is not kept",
		 first - 2, first - 1, last, first - 1);
	assert_string_equal(dir->err.text, text);
	assert_int_equal(journal_rollback(dir->journal, first - 1, dir->running, &candidate, NULL),
			 0);
	candidate_discard(&candidate);
}

static uint64_t bytes_of(const struct journal *journal, size_t first, size_t last)
{
	uint64_t bytes = 0;

	for (size_t i = first; i <= last; i++)
		bytes += journal->history[i].length;
	return bytes;
}

static void history_is_kept_by_size(void **state)
{
	struct state_dir *dir = *state;
	uint64_t bytes, before;

	must_open(dir);
	commit_story(dir, 1, 300);
	assert_int_equal(dir->journal->history_count, 300);
	bytes = bytes_of(dir->journal, 240, 299); /* of the last sixty */
	journal_keep_history(dir->journal, bytes, 0);
	keeps(dir, 241, 300);
	dir_abandon(dir);
	must_open(dir); /* nothing was rewritten: the daemon says again what to keep */
	assert_int_equal(dir->journal->history_count, 300);
	journal_keep_history(dir->journal, bytes, 0);
	keeps(dir, 241, 300);
	before = file_length(dir, "journal");
	assert_int_equal(fold_now(dir->journal, &dir->err), 0);
	assert_true(file_length(dir, "journal") < before);
	keeps(dir, 241, 300);
	for (int round = 0; round < 2; round++) {
		dir_close(dir);
		must_open(dir);
		keeps(dir, 241, 300); /* the fold took off the rest */
	}
	journal_keep_history(dir->journal, 1, 0);
	assert_int_equal(dir->journal->history_count, 1); /* the latest is always kept */
	commit_story(dir, 301, 301);
	assert_int_equal(dir->journal->history_count, 1);
	assert_int_equal(dir->journal->history[0].number, 301);
	dir_close(dir);
}

static void history_is_kept_by_age(void **state)
{
	struct state_dir *dir = *state;

	must_open(dir);
	commit_story(dir, 1, 12);
	for (size_t i = 0; i < 12; i++) /* one an hour; the latest now */
		dir->journal->history[i].seconds -= 3600 * (int64_t)(11 - i);
	journal_keep_history(dir->journal, UINT64_MAX, 3 * 3600 + 60);
	keeps(dir, 9, 12);
	dir->journal->history[0].seconds -= 3600;
	commit_story(dir, 13, 13); /* then the next commit makes old */
	keeps(dir, 10, 13);
	dir_close(dir);
}

/* A commit that is refused makes nothing old. */
static void a_revoked_commit_prunes_nothing(void **state)
{
	struct candidate candidate;
	struct state_dir *dir = *state;

	must_open(dir);
	commit_story(dir, 1, 9);
	journal_keep_history(dir->journal, bytes_of(dir->journal, 0, 8), 0);
	append_only(dir, 10, &candidate);
	assert_int_equal(dir->journal->history_count, 10);
	assert_int_equal(journal_revoke(dir->journal, 10, &dir->err), 0);
	candidate_discard(&candidate);
	assert_int_equal(dir->journal->history_count, 9);
	assert_int_equal(dir->journal->history_bytes, bytes_of(dir->journal, 0, 8));
	dir_close(dir);
}

/*
 * The work of a commit does not grow with the history: a fold, which copies it, waits for a part of
 * its size, and the list of commits is moved as seldom.
 */
static void a_long_history_costs_no_commit_anything(void **state)
{
	struct state_dir *dir = *state;
	uint64_t written = 0, copied = 0, base = 0;
	size_t room;

	must_open(dir);
	dir->journal->fold_min = 1;
	dir->journal->config_size = 1;
	journal_keep_history(dir->journal, 200000, 0);
	for (uint32_t n = 1; n <= 4000; n++) {
		commit_story(dir, n, n);
		written += dir->journal->history[dir->journal->history_count - 1].length;
		if (fold_is_wanted(dir->journal))
			assert_int_equal(fold_now(dir->journal, &dir->err), 0);
		if (dir->journal->base != base)
			copied += dir->journal->history_bytes;
		base = dir->journal->base;
		room = dir->journal->history_room;
		assert_true(room < 6 * dir->journal->history_count + 256);
	}
	assert_in_range(dir->journal->history_bytes, 190000, 200000);
	print_message("%" PRIu64 " bytes of commits, %" PRIu64 " copied by folds\n", written,
		      copied);
	assert_true(copied < 5 * written);
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
	assert_int_equal(lost.number, 5);
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
		dir_test(history_is_kept_by_size),
		dir_test(history_is_kept_by_age),
		dir_test(a_revoked_commit_prunes_nothing),
		dir_test(a_long_history_costs_no_commit_anything),
		dir_test(rollback_goes_back_exactly),
		dir_test(rollback_does_not_jump_over_a_gap),
		dir_test(nor_over_one_at_its_end),
		cmocka_unit_test(changes_are_readable_and_secrets_are_not),
		dir_test(every_leaf_survives_a_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
