/* The journal: what is acknowledged is there again, and what is damaged is noticed. */
#include "state_dir.h"

#include <sys/mman.h>

static void commit_story(struct state_dir *dir, uint32_t from, uint32_t to)
{
	for (uint32_t n = from; n <= to; n++)
		assert_int_equal(journal_commit(dir, story(n), NULL), 0);
}

static void a_clean_stop_leaves_one_readable_file(void **state)
{
	struct state_dir dir;

	(void)state;
	dir_make(&dir);
	must_open(&dir);
	assert_string_equal(dir.warning, "");
	assert_int_equal(journal_generation(dir.journal), 0);
	commit_story(&dir, 1, 4);
	assert_int_equal(journal_generation(dir.journal), 4);
	dir_close(&dir);
	assert_true(file_there(&dir, "config.xml"));
	assert_false(file_there(&dir, "config.xml.new"));
	assert_false(file_there(&dir, "journal.new"));
	must_open(&dir);
	assert_true(story_is_at(dir.running, 4));
	assert_int_equal(journal_generation(dir.journal), 4);
	assert_int_equal(dir.journal->length, dir.journal->tail);
	dir_close(&dir);
	dir_remove(&dir);
}

static void secrets_are_not_readable_by_others(void **state)
{
	struct state_dir dir;
	struct stat st;
	char path[128];

	(void)state;
	dir_make(&dir);
	rmdir(dir.path); /* which the journal makes */
	must_open(&dir);
	commit_story(&dir, 1, 1);
	assert_int_equal(stat(dir.path, &st), 0);
	assert_int_equal(st.st_mode & 07, 0);
	file_path(&dir, "journal", path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 077, 0);
	dir_close(&dir);
	file_path(&dir, "config.xml", path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 027, 0);
	dir_remove(&dir);
}

static void a_kill_loses_nothing(void **state)
{
	struct state_dir dir;

	(void)state;
	dir_make(&dir);
	for (uint32_t n = 1; n <= 5; n++) {
		must_open(&dir);
		assert_string_equal(dir.warning, "");
		assert_true(story_is_at(dir.running, n - 1));
		commit_story(&dir, n, n);
		if (n == 3)
			dir_close(&dir);
		else
			dir_abandon(&dir);
	}
	must_open(&dir);
	assert_true(story_is_at(dir.running, 5));
	dir_close(&dir);
	dir_remove(&dir);
}

static void no_change_is_no_record(void **state)
{
	struct state_dir dir;
	uint64_t length;

	(void)state;
	dir_make(&dir);
	must_open(&dir);
	commit_story(&dir, 1, 1);
	length = dir.journal->length;
	assert_int_equal(journal_commit(&dir, edit_new(), NULL), 0);
	assert_int_equal(dir.journal->length, length);
	assert_int_equal(journal_generation(dir.journal), 1);
	dir_close(&dir);
	dir_remove(&dir);
}

/* Append commit 2 of the story and leave it unconfirmed. */
static void append_only(struct state_dir *dir, uint32_t n, struct candidate *candidate)
{
	struct commit_info info = {.door = "test"};

	candidate_open(candidate, dir->running);
	assert_int_equal(apply(candidate, story(n), NULL), 0);
	assert_int_equal(candidate_choose_names(candidate, NULL, NULL, NULL), 0);
	assert_int_equal(journal_append(dir->journal, candidate, &info, NULL), 0);
	assert_int_equal(info.number, n);
	assert_int_equal(journal_pending(dir->journal), n);
}

static void a_pending_commit_is_carried_out(void **state)
{
	struct candidate candidate;
	struct state_dir dir;

	(void)state;
	dir_make(&dir);
	must_open(&dir);
	commit_story(&dir, 1, 1);
	append_only(&dir, 2, &candidate);
	candidate_discard(&candidate);
	dir_close(&dir); /* no folding while it is pending */
	must_open(&dir);
	assert_int_equal(journal_pending(dir.journal), 2);
	assert_int_equal(journal_generation(dir.journal), 2);
	assert_true(story_is_at(dir.running, 1));
	assert_int_equal(journal_changes(dir.journal, 2, dir.running, &candidate, NULL), 0);
	assert_int_equal(candidate_publish(&candidate, dir.running), 0);
	candidate_discard(&candidate);
	journal_confirm(dir.journal, 2);
	assert_true(story_is_at(dir.running, 2));
	dir_abandon(&dir);
	must_open(&dir);
	assert_int_equal(journal_pending(dir.journal), 0);
	assert_true(story_is_at(dir.running, 2));
	dir_close(&dir);
	dir_remove(&dir);
}

static void a_pending_commit_is_revoked(void **state)
{
	struct candidate candidate;
	struct state_dir dir;

	(void)state;
	dir_make(&dir);
	must_open(&dir);
	commit_story(&dir, 1, 1);
	append_only(&dir, 2, &candidate);
	assert_true(journal_append(dir.journal, &candidate, &(struct commit_info){0}, NULL) != 0);
	candidate_discard(&candidate);
	assert_true(journal_revoke(dir.journal, 1, NULL) != 0);
	dir_abandon(&dir);
	must_open(&dir);
	assert_int_equal(journal_revoke(dir.journal, 2, &dir.err), 0);
	assert_int_equal(journal_generation(dir.journal), 1);
	dir_abandon(&dir);
	must_open(&dir);
	assert_int_equal(journal_pending(dir.journal), 0);
	assert_true(story_is_at(dir.running, 1));
	commit_story(&dir, 2, 3);
	dir_close(&dir);
	must_open(&dir);
	assert_true(story_is_at(dir.running, 3));
	dir_close(&dir);
	dir_remove(&dir);
}

/* Written by hand while the daemon was down: the names are to be chosen. */
static void config_xml_may_be_edited(void **state)
{
	static const char edited[] =
		"= 7 0\npeer-tunnel-id 9\nlocal-address 10.0.0.1\nremote-address 10.0.0.2\n"
		"= 7 70\npeer-session-id 71\nend\n";
	struct state_dir dir;

	(void)state;
	dir_make(&dir);
	must_open(&dir);
	commit_story(&dir, 1, 4);
	dir_close(&dir);
	file_put(&dir, "config.xml", edited, strlen(edited));
	must_open(&dir);
	assert_int_equal(dir.running->configured_tunnels, 1);
	assert_int_equal(dir.running->nameless, 1);
	assert_int_equal(journal_generation(dir.journal), 4);
	dir_close(&dir);
	dir_remove(&dir);
}

static void what_is_wrong_in_config_xml_is_said(void **state)
{
	static const char invalid[] = "= 7 0\npeer-tunnel-id 9\nend\n";
	struct state_dir dir;

	(void)state;
	dir_make(&dir);
	file_put(&dir, "config.xml", invalid, strlen(invalid));
	assert_true(try_open(&dir) != 0);
	assert_string_equal(dir.err.path, "/l2tpv3/tunnel[tunnel-id='7']/remote-address");
	assert_non_null(strstr(dir.err.text, "config.xml: correct it there"));
	file_put(&dir, "config.xml", invalid, 9);
	assert_true(try_open(&dir) != 0);
	assert_non_null(strstr(dir.err.text, "cannot read"));
	dir_remove(&dir);
}

/* Cut anywhere, the last record is there or not, and nothing before it is harmed. */
static void a_torn_tail_is_dropped(void **state)
{
	struct state_dir dir;
	size_t length, before;
	char *data;

	(void)state;
	dir_make(&dir);
	must_open(&dir);
	commit_story(&dir, 1, 2);
	before = dir.journal->length;
	commit_story(&dir, 3, 3);
	dir_abandon(&dir);
	data = file_get(&dir, "journal", &length);
	for (size_t cut = before; cut < length; cut++) {
		file_put(&dir, "journal", data, cut);
		must_open(&dir);
		assert_true(story_is_at(dir.running, 2)); /* the confirmation is last */
		if (cut > before && journal_pending(dir.journal) == 0)
			assert_non_null(strstr(dir.warning, "incomplete record"));
		if (journal_pending(dir.journal) != 0)
			assert_int_equal(journal_revoke(dir.journal, 3, NULL), 0);
		commit_story(&dir, 3, 3);
		dir_abandon(&dir);
		must_open(&dir);
		assert_string_equal(dir.warning, "");
		assert_true(story_is_at(dir.running, 3));
		dir_abandon(&dir);
	}
	free(data);
	dir_remove(&dir);
}

static void cut_anywhere_it_opens_or_says_why(void **state)
{
	struct state_dir dir;
	size_t length;
	char *data;

	(void)state;
	dir_make(&dir);
	must_open(&dir);
	commit_story(&dir, 1, 2);
	dir_abandon(&dir);
	data = file_get(&dir, "journal", &length);
	for (size_t cut = 0; cut < length; cut++) {
		file_put(&dir, "journal", data, cut);
		must_open(&dir);
		assert_true(story_is_at(dir.running, 0) || story_is_at(dir.running, 1));
		dir_abandon(&dir);
	}
	free(data);
	dir_remove(&dir);
}

/* Zeros, as a file system may leave where data never came. */
static void a_tail_of_zeros_is_dropped(void **state)
{
	struct state_dir dir;
	char path[128];

	(void)state;
	dir_make(&dir);
	must_open(&dir);
	commit_story(&dir, 1, 2);
	file_path(&dir, "journal", path);
	assert_int_equal(truncate(path, (off_t)dir.journal->length + 5000), 0);
	dir_abandon(&dir);
	must_open(&dir);
	assert_non_null(strstr(dir.warning, "5000 bytes"));
	assert_true(story_is_at(dir.running, 2));
	dir_close(&dir);
	dir_remove(&dir);
}

/*
 * A flipped bit is noticed. Nothing is lost in silence: it is refused, or, where
 * only the last record or a confirmation is hit, there is a warning.
 */
static void every_flipped_bit_is_noticed(void **state)
{
	struct state_dir dir;
	size_t length, last;
	char *data;

	(void)state;
	dir_make(&dir);
	must_open(&dir);
	commit_story(&dir, 1, 3);
	last = dir.journal->history[2].offset;
	dir_abandon(&dir);
	data = file_get(&dir, "journal", &length);
	for (size_t bit = 0; bit < 8 * length; bit += 3) {
		data[bit / 8] = (char)(data[bit / 8] ^ 1 << bit % 8);
		file_put(&dir, "journal", data, length);
		if (try_open(&dir) == 0) {
			assert_string_not_equal(dir.warning, "");
			assert_true(story_is_at(dir.running, 3) || bit / 8 >= last);
			assert_true(story_is_at(dir.running, 3) || story_is_at(dir.running, 2));
			dir_abandon(&dir);
		} else {
			assert_int_equal(dir.err.code, ERROR_STORAGE);
			assert_non_null(strstr(dir.err.text, "move the journal away"));
			assert_true(bit / 8 < last || strstr(dir.err.text, "damaged"));
		}
		data[bit / 8] = (char)(data[bit / 8] ^ 1 << bit % 8);
	}
	free(data);
	dir_remove(&dir);
}

/* The cure of the error text is one. */
static void damage_names_its_place(void **state)
{
	struct state_dir dir;
	size_t length, offset;
	char *data, expected[64], path[128];

	(void)state;
	dir_make(&dir);
	must_open(&dir);
	commit_story(&dir, 1, 3);
	offset = dir.journal->history[1].offset;
	dir_abandon(&dir);
	data = file_get(&dir, "journal", &length);
	data[offset + 100] ^= 1;
	file_put(&dir, "journal", data, length);
	assert_true(try_open(&dir) != 0);
	snprintf(expected, sizeof(expected), "damaged at offset %zu", offset);
	assert_non_null(strstr(dir.err.text, expected));
	file_path(&dir, "journal", path);
	assert_int_equal(truncate(path, (off_t)offset), 0);
	must_open(&dir);
	assert_true(story_is_at(dir.running, 1));
	dir_close(&dir);
	free(data);
	dir_remove(&dir);
}

static const struct {
	const char *journal, *says;
} unknown[] = {
	{"l2tpv3d-journal 2\n", "a later version"},
	{"l2tpv3d-journal 999\nwhatever", "a later version"},
	{"l2tpv3d-journal x\n", "not a journal"},
	{"<?xml version=\"1.0\"?>\n", "not a journal"},
	{"l2tpv3d-journals", "not a journal"},
};

static void an_unknown_format_is_refused(void **state)
{
	struct state_dir dir;
	size_t length;
	char *data;

	(void)state;
	dir_make(&dir);
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		file_put(&dir, "journal", unknown[i].journal, strlen(unknown[i].journal));
		assert_true(try_open(&dir) != 0);
		assert_int_equal(dir.err.code, ERROR_STORAGE);
		assert_non_null(strstr(dir.err.text, unknown[i].says));
		data = file_get(&dir, "journal", &length); /* and left alone */
		assert_int_equal(length, strlen(unknown[i].journal));
		free(data);
	}
	dir_remove(&dir);
}

/* Sound frames of what this version does not know: a leaf of a later one, say. */
static void an_unknown_leaf_is_refused(void **state)
{
	static const char *const payloads[] = {
		"commit number=1 time=1.000000000\ntunnel 1\n+ colour=red\n",
		"commit number=1 time=1.000000000\ntunnel 1\n+ enabled=maybe\n",
		"commit number=1 time=1.000000000\ncircuit 1\n+ enabled=true\n",
		"commit number=1 time=1.000000000\ntunnel 1\n",
		"commit number=0 time=1.000000000\n",
		"commit number=1 time=1\n",
		"remark 17\n",
		"base 0",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++) {
		char *image = NULL, mark[FRAME_HEADER_LENGTH + 10] = "";
		struct state_dir dir;
		size_t size;
		FILE *file = open_memstream(&image, &size);

		dir_make(&dir);
		memcpy(mark + FRAME_HEADER_LENGTH, "confirm 1\n", 10);
		frame_seal(mark, 10);
		fprintf(file, "%s%19s%s", JOURNAL_HEADER, "", payloads[i]);
		fwrite(mark, 1, sizeof(mark), file);
		fclose(file);
		frame_seal(image + JOURNAL_HEADER_LENGTH, strlen(payloads[i]));
		file_put(&dir, "journal", image, size);
		if (try_open(&dir) == 0)
			fail_msg("taken: %s", payloads[i]);
		assert_non_null(strstr(dir.err.text, "does not know"));
		free(image);
		dir_remove(&dir);
	}
}

static void a_lost_config_xml_is_noticed(void **state)
{
	struct state_dir dir;
	char path[128];

	(void)state;
	dir_make(&dir);
	must_open(&dir);
	commit_story(&dir, 1, 2);
	dir_close(&dir);
	file_path(&dir, "config.xml", path);
	unlink(path);
	assert_true(try_open(&dir) != 0);
	assert_non_null(strstr(dir.err.text, "config.xml is missing"));
	file_path(&dir, "journal", path);
	unlink(path);
	must_open(&dir);
	assert_int_equal(dir.running->tunnel_count, 0);
	dir_close(&dir);
	dir_remove(&dir);
}

/* The confirmation's page was lost, and the next commit's was not. */
static void damage_without_loss_is_passed_over(void **state)
{
	struct state_dir dir;
	size_t length, from, to;
	char *data;

	(void)state;
	dir_make(&dir);
	must_open(&dir);
	commit_story(&dir, 1, 3);
	from = dir.journal->history[1].offset + dir.journal->history[1].length;
	to = dir.journal->history[2].offset;
	dir_abandon(&dir);
	data = file_get(&dir, "journal", &length);
	memset(data + from, 0, to - from);
	file_put(&dir, "journal", data, length);
	must_open(&dir);
	assert_non_null(strstr(dir.warning, "no commit was lost"));
	assert_true(story_is_at(dir.running, 3));
	dir_close(&dir);
	must_open(&dir);
	assert_string_equal(dir.warning, "");
	assert_true(story_is_at(dir.running, 3));
	dir_close(&dir);
	free(data);
	dir_remove(&dir);
}

static void a_second_daemon_is_refused(void **state)
{
	struct state_dir dir;
	int status;
	pid_t pid;

	(void)state;
	dir_make(&dir);
	must_open(&dir);
	pid = fork();
	if (pid == 0) {
		struct state_dir other = dir;
		int result = try_open(&other);

		_exit(result == 0 || other.err.code != ERROR_BUSY);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	dir_close(&dir);
	dir_remove(&dir);
}

/* Wait for the child and let the journal finish. */
static int maintain_to_end(struct state_dir *dir)
{
	int result = 0;

	while (journal_snapshot_pid(dir->journal) != 0 && result == 0) {
		usleep(1000);
		result = journal_maintain(dir->journal, dir->running, &dir->err);
	}
	return result;
}

/* Commits go on while the child writes. */
static void the_journal_is_folded_in_the_background(void **state)
{
	struct state_dir dir;
	int folds = 0;

	(void)state;
	dir_make(&dir);
	must_open(&dir);
	dir.journal->fold_min = 1000;
	for (uint32_t n = 1; n <= 120; n++) {
		commit_story(&dir, n, n);
		assert_int_equal(journal_maintain(dir.journal, dir.running, &dir.err), 0);
		folds += journal_snapshot_pid(dir.journal) != 0 && n % 4 == 0;
		if (n % 4 == 0)
			assert_int_equal(maintain_to_end(&dir), 0);
	}
	assert_true(folds > 10);
	assert_true(dir.journal->base > 100);
	assert_int_equal(maintain_to_end(&dir), 0);
	dir_abandon(&dir);
	must_open(&dir);
	assert_string_equal(dir.warning, "");
	assert_true(story_is_at(dir.running, 120));
	assert_int_equal(dir.journal->history_count, HISTORY_LENGTH);
	dir_close(&dir);
	dir_remove(&dir);
}

static void a_commit_may_be_revoked_while_the_child_writes(void **state)
{
	struct candidate candidate;
	struct state_dir dir;

	(void)state;
	dir_make(&dir);
	must_open(&dir);
	commit_story(&dir, 1, 4);
	dir.journal->fold_min = 1;
	dir.journal->config_size = 1;
	assert_int_equal(journal_maintain(dir.journal, dir.running, &dir.err), 0);
	assert_true(journal_snapshot_pid(dir.journal) != 0);
	append_only(&dir, 5, &candidate);
	assert_int_equal(maintain_to_end(&dir), 0);
	assert_int_equal(dir.journal->base, 4);
	assert_int_equal(journal_revoke(dir.journal, 5, &dir.err), 0);
	candidate_discard(&candidate);
	dir_abandon(&dir);
	must_open(&dir);
	assert_true(story_is_at(dir.running, 4));
	assert_int_equal(journal_generation(dir.journal), 4);
	dir_close(&dir);
	dir_remove(&dir);
}

static void closing_ends_the_child(void **state)
{
	struct state_dir dir;

	(void)state;
	dir_make(&dir);
	must_open(&dir);
	commit_story(&dir, 1, 4);
	dir.journal->fold_min = 1;
	assert_int_equal(journal_maintain(dir.journal, dir.running, &dir.err), 0);
	assert_true(journal_snapshot_pid(dir.journal) != 0);
	dir_close(&dir);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	must_open(&dir);
	assert_true(story_is_at(dir.running, 4));
	dir_close(&dir);
	dir_remove(&dir);
}

/* History */

static void history_tells_who_when_and_what(void **state)
{
	struct commit_info info = {.door = "netconf",
				   .user = "J\xc3\xbcrgen %41\n",
				   .comment = "rollback to 17 = 100 %"};
	struct commit_info list[HISTORY_LENGTH];
	struct state_dir dir;

	(void)state;
	dir_make(&dir);
	must_open(&dir);
	assert_int_equal(journal_history(dir.journal, list), 0);
	assert_int_equal(journal_commit(&dir, story(1), &info), 0);
	assert_int_equal(info.number, 1);
	assert_int_equal(info.tunnels, 1);
	assert_int_equal(info.sessions, 2);
	for (int round = 0; round < 3; round++) {
		assert_int_equal(journal_history(dir.journal, list), 1);
		assert_int_equal(list[0].number, 1);
		assert_string_equal(list[0].door, info.door);
		assert_string_equal(list[0].user, info.user);
		assert_string_equal(list[0].comment, info.comment);
		assert_int_equal(list[0].time.tv_sec, info.time.tv_sec);
		assert_int_equal(list[0].time.tv_nsec, info.time.tv_nsec);
		assert_int_equal(list[0].sessions, 2);
		if (round == 0)
			dir_abandon(&dir);
		else
			dir_close(&dir);
		must_open(&dir);
	}
	dir_close(&dir);
	dir_remove(&dir);
}

static void history_keeps_the_last_fifty(void **state)
{
	struct commit_info list[HISTORY_LENGTH];
	struct candidate candidate;
	struct state_dir dir;

	(void)state;
	dir_make(&dir);
	must_open(&dir);
	commit_story(&dir, 1, 55);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(journal_history(dir.journal, list), HISTORY_LENGTH);
		assert_int_equal(list[0].number, 55);
		assert_int_equal(list[49].number, 6);
		assert_int_equal(journal_changes(dir.journal, 6, dir.running, &candidate, NULL), 0);
		assert_true(candidate_dirty(&candidate));
		candidate_discard(&candidate);
		dir.err = ERROR_INIT;
		assert_true(journal_changes(dir.journal, 5, dir.running, &candidate, &dir.err) !=
			    0);
		assert_int_equal(dir.err.code, ERROR_MISSING);
		assert_non_null(strstr(dir.err.text, "holds 6 to 55"));
		dir_close(&dir);
		must_open(&dir);
	}
	dir_close(&dir);
	dir_remove(&dir);
}

static void rollback_goes_back_exactly(void **state)
{
	struct candidate candidate;
	struct state_dir dir;

	(void)state;
	dir_make(&dir);
	must_open(&dir);
	commit_story(&dir, 1, 12);
	for (uint32_t to = 0; to <= 12; to++) {
		assert_int_equal(journal_rollback(dir.journal, to, dir.running, &candidate, NULL),
				 0);
		assert_int_equal(candidate_validate(&candidate, &dir.err), 0);
		assert_int_equal(candidate_dirty(&candidate), to < 12);
		assert_int_equal(candidate_publish(&candidate, dir.running), 0);
		assert_true(story_is_at(dir.running, to));
		candidate_discard(&candidate);
		dir_abandon(&dir);
		must_open(&dir);
	}
	assert_true(journal_rollback(dir.journal, 13, dir.running, &candidate, &dir.err) != 0);
	assert_int_equal(dir.err.code, ERROR_MISSING);
	dir_close(&dir);
	dir_remove(&dir);
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
	struct state_dir dir;

	(void)state;
	dir_make(&dir);
	must_open(&dir);
	for (int round = 0; round < 2; round++) {
		struct edit *edit = edit_new();
		struct edit_entry *entry;

		add(edit, EDIT_CREATE, ID_MAX, 0, tunnel);
		entry = add(edit, EDIT_CREATE, ID_MAX, ID_MAX, session);
		assert_int_equal(edit_leaf(entry, row, EDIT_MERGE, text, strlen(text), NULL), 0);
		if (round == 0)
			assert_int_equal(journal_commit(&dir, edit, NULL), 0);
		else
			commit(expected, edit);
	}
	dir_abandon(&dir);
	must_open(&dir);
	assert_true(same_config(dir.running, expected));
	dir_close(&dir);
	datastore_free(expected);
	dir_remove(&dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clean_stop_leaves_one_readable_file),
		cmocka_unit_test(secrets_are_not_readable_by_others),
		cmocka_unit_test(a_kill_loses_nothing),
		cmocka_unit_test(no_change_is_no_record),
		cmocka_unit_test(a_pending_commit_is_carried_out),
		cmocka_unit_test(a_pending_commit_is_revoked),
		cmocka_unit_test(config_xml_may_be_edited),
		cmocka_unit_test(what_is_wrong_in_config_xml_is_said),
		cmocka_unit_test(a_torn_tail_is_dropped),
		cmocka_unit_test(cut_anywhere_it_opens_or_says_why),
		cmocka_unit_test(a_tail_of_zeros_is_dropped),
		cmocka_unit_test(every_flipped_bit_is_noticed),
		cmocka_unit_test(damage_names_its_place),
		cmocka_unit_test(an_unknown_format_is_refused),
		cmocka_unit_test(an_unknown_leaf_is_refused),
		cmocka_unit_test(a_lost_config_xml_is_noticed),
		cmocka_unit_test(damage_without_loss_is_passed_over),
		cmocka_unit_test(a_second_daemon_is_refused),
		cmocka_unit_test(the_journal_is_folded_in_the_background),
		cmocka_unit_test(a_commit_may_be_revoked_while_the_child_writes),
		cmocka_unit_test(closing_ends_the_child),
		cmocka_unit_test(history_tells_who_when_and_what),
		cmocka_unit_test(history_keeps_the_last_fifty),
		cmocka_unit_test(rollback_goes_back_exactly),
		cmocka_unit_test(changes_are_readable_and_secrets_are_not),
		cmocka_unit_test(every_leaf_survives_a_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
