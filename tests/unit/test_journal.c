/* The journal: what is acknowledged is there again, and what is damaged is noticed. */
#include "state_dir.h"

static void a_clean_stop_leaves_one_readable_file(void **state)
{
	struct state_dir *dir = *state;

	must_open(dir);
	assert_string_equal(dir->warning, "");
	assert_int_equal(journal_generation(dir->journal), 0);
	commit_story(dir, 1, 4);
	assert_int_equal(journal_generation(dir->journal), 4);
	dir_close(dir);
	assert_true(file_there(dir, "config.xml"));
	assert_false(file_there(dir, "config.xml.new"));
	assert_false(file_there(dir, "journal.new"));
	must_open(dir);
	assert_true(story_is_at(dir->running, 4));
	assert_int_equal(journal_generation(dir->journal), 4);
	assert_int_equal(dir->journal->length, dir->journal->tail);
	dir_close(dir);
}

static void secrets_are_not_readable_by_others(void **state)
{
	struct state_dir *dir = *state;
	struct stat st;
	char path[128];

	rmdir(dir->path); /* which the journal makes */
	must_open(dir);
	commit_story(dir, 1, 1);
	assert_int_equal(stat(dir->path, &st), 0);
	assert_int_equal(st.st_mode & 07, 0);
	file_path(dir, "journal", path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 077, 0);
	dir_close(dir);
	file_path(dir, "config.xml", path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 027, 0);
}

static void access_to_config_xml_stays_as_it_was_set(void **state)
{
	const gid_t group = geteuid() == 0 ? 12345 : getegid();
	struct state_dir *dir = *state;
	struct stat st;
	char path[128];

	must_open(dir);
	commit_story(dir, 1, 1);
	dir_close(dir);
	file_path(dir, "config.xml", path);
	assert_int_equal(chown(path, (uid_t)-1, group), 0);
	assert_int_equal(chmod(path, 0660), 0);
	must_open(dir);
	commit_story(dir, 2, 2);
	dir_close(dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_gid, group);
	assert_int_equal(st.st_mode & 07777, 0660);
}

static void a_kill_loses_nothing(void **state)
{
	struct state_dir *dir = *state;

	for (uint32_t n = 1; n <= 5; n++) {
		must_open(dir);
		assert_string_equal(dir->warning, "");
		assert_true(story_is_at(dir->running, n - 1));
		commit_story(dir, n, n);
		if (n == 3)
			dir_close(dir);
		else
			dir_abandon(dir);
	}
	must_open(dir);
	assert_true(story_is_at(dir->running, 5));
	dir_close(dir);
}

static void no_change_is_no_record(void **state)
{
	struct state_dir *dir = *state;
	uint64_t length;

	must_open(dir);
	commit_story(dir, 1, 1);
	length = dir->journal->length;
	assert_int_equal(journal_commit(dir, edit_new(), NULL), 0);
	assert_int_equal(dir->journal->length, length);
	assert_int_equal(journal_generation(dir->journal), 1);
	dir_close(dir);
}

static void a_pending_commit_is_carried_out(void **state)
{
	struct candidate candidate;
	struct state_dir *dir = *state;

	must_open(dir);
	commit_story(dir, 1, 1);
	append_only(dir, 2, &candidate);
	candidate_discard(&candidate);
	dir_close(dir); /* no folding while it is pending */
	assert_int_equal(dir->err.code, ERROR_STORAGE);
	assert_non_null(strstr(dir->err.text, "config.xml lacks commits 1 to 2"));
	assert_non_null(strstr(dir->err.text, "the last one is under way"));
	must_open(dir);
	assert_int_equal(journal_pending(dir->journal), 2);
	assert_int_equal(journal_generation(dir->journal), 2);
	assert_true(story_is_at(dir->running, 1));
	assert_int_equal(journal_changes(dir->journal, 2, dir->running, &candidate, NULL), 0);
	assert_int_equal(candidate_publish(&candidate, dir->running), 0);
	candidate_discard(&candidate);
	journal_confirm(dir->journal, 2);
	assert_true(story_is_at(dir->running, 2));
	dir_abandon(dir);
	must_open(dir);
	assert_int_equal(journal_pending(dir->journal), 0);
	assert_true(story_is_at(dir->running, 2));
	dir_close(dir);
}

static void a_pending_commit_is_revoked(void **state)
{
	struct candidate candidate;
	struct state_dir *dir = *state;

	must_open(dir);
	commit_story(dir, 1, 1);
	append_only(dir, 2, &candidate);
	assert_true(journal_append(dir->journal, &candidate, &(struct commit_info){0}, NULL) != 0);
	candidate_discard(&candidate);
	assert_true(journal_revoke(dir->journal, 1, NULL) != 0);
	dir_abandon(dir);
	must_open(dir);
	assert_int_equal(journal_revoke(dir->journal, 2, &dir->err), 0);
	assert_int_equal(journal_generation(dir->journal), 1);
	dir_abandon(dir);
	must_open(dir);
	assert_int_equal(journal_pending(dir->journal), 0);
	assert_true(story_is_at(dir->running, 1));
	commit_story(dir, 2, 3);
	dir_close(dir);
	must_open(dir);
	assert_true(story_is_at(dir->running, 3));
	dir_close(dir);
}

/* Written by hand while the daemon was down: the names are to be chosen. */
static void config_xml_may_be_edited(void **state)
{
	static const char edited[] =
		"= 7 0\npeer-tunnel-id 9\nlocal-address 10.0.0.1\nremote-address 10.0.0.2\n"
		"= 7 70\npeer-session-id 71\nend\n";
	struct state_dir *dir = *state;

	must_open(dir);
	commit_story(dir, 1, 4);
	dir_close(dir);
	file_put(dir, "config.xml", edited, strlen(edited));
	must_open(dir);
	assert_int_equal(datastore_counts(dir->running)->configured_tunnels, 1);
	assert_int_equal(datastore_counts(dir->running)->nameless, 1);
	assert_int_equal(journal_generation(dir->journal), 4);
	dir_close(dir);
}

static void what_is_wrong_in_config_xml_is_said(void **state)
{
	static const char invalid[] = "= 7 0\npeer-tunnel-id 9\nend\n";
	struct state_dir *dir = *state;

	file_put(dir, "config.xml", invalid, strlen(invalid));
	assert_true(try_open(dir) != 0);
	assert_string_equal(dir->err.path, "/l2tpv3/tunnel[tunnel-id='7']/remote-address");
	assert_non_null(strstr(dir->err.text, "config.xml: correct it there"));
	file_put(dir, "config.xml", invalid, 9);
	assert_true(try_open(dir) != 0);
	assert_non_null(strstr(dir->err.text, "cannot read"));
}

static struct timespec change_time(const struct state_dir *dir, const char *name)
{
	struct stat st;
	char path[128];

	file_path(dir, name, path);
	assert_int_equal(stat(path, &st), 0);
	return st.st_ctim;
}

/* config.xml, later than the journal: the clock of files is coarse. */
static void put_later(const struct state_dir *dir, const char *data, size_t length)
{
	const struct timespec before = change_time(dir, "journal");
	struct timespec now;

	do {
		file_put(dir, "config.xml", data, length);
		now = change_time(dir, "config.xml");
	} while (now.tv_sec == before.tv_sec && now.tv_nsec == before.tv_nsec);
}

/* After a kill, or a stop that cannot write config.xml, an edit of it is not the last word. */
static void an_edit_that_is_overridden_is_told_of(void **state)
{
	struct state_dir *dir = *state;
	char path[128], config[128], older[128], *data;
	size_t length;

	must_open(dir);
	commit_story(dir, 1, 2);
	dir_close(dir);
	data = file_get(dir, "config.xml", &length);
	must_open(dir);
	commit_story(dir, 3, 4);
	file_path(dir, "config.xml.new", path);
	assert_int_equal(mkdir(path, 0700), 0);
	dir_close(dir);
	assert_int_equal(dir->err.code, ERROR_STORAGE);
	assert_non_null(strstr(dir->err.text, "config.xml lacks commits 3 to 4"));
	must_open(dir);
	assert_string_equal(dir->warning, "");
	dir_close(dir);
	put_later(dir, data, length);
	must_open(dir);
	assert_non_null(strstr(dir->warning, "the journal had commits 3 to 4 already"));
	assert_true(story_is_at(dir->running, 4));
	dir_close(dir);
	file_path(dir, "older", older);
	file_put(dir, "older", data, length);
	assert_int_equal(utimensat(AT_FDCWD, older, (struct timespec[2]){{0}, {0}}, 0), 0);
	file_path(dir, "config.xml", config);
	assert_int_equal(rename(older, config), 0);
	must_open(dir);
	assert_non_null(strstr(dir->warning, "the journal had commits 3 to 4 already"));
	assert_true(story_is_at(dir->running, 4));
	assert_int_equal(rmdir(path), 0);
	dir_close(dir);
	assert_int_equal(dir->err.code, ERROR_NONE);
	free(data);
}

/* An edit of config.xml after a kill: the journal's commits come over it. */
static void commits_that_config_xml_does_not_fit_are_named(void **state)
{
	struct state_dir *dir = *state;

	must_open(dir);
	commit_story(dir, 1, 2);
	dir_close(dir);
	must_open(dir);
	commit_session(dir, 2, 100);
	dir_abandon(dir);
	file_put(dir, "config.xml", "end\n", 4);
	assert_true(try_open(dir) != 0);
	assert_string_equal(dir->err.path,
			    "/l2tpv3/tunnel[tunnel-id='2']/session[session-id='100']");
	assert_non_null(strstr(dir->err.text, "Edit config.xml to agree with commit 3 from "));
	assert_null(strstr(dir->err.text, "correct it there"));
}

static void change_boot_id(const struct state_dir *dir, const struct history_entry *entry)
{
	size_t length;
	char *data = file_get(dir, "journal", &length);
	char *frame = data + entry->offset;

	strstr(frame, "boot=")[5] ^= 1;
	frame_seal(frame, entry->length - FRAME_HEADER_LENGTH);
	file_put(dir, "journal", data, length);
	free(data);
}

/* Perhaps acknowledged before the power went: not to be taken back. */
static void so_is_one_that_was_perhaps_acknowledged(void **state)
{
	struct history_entry last;
	struct state_dir *dir = *state;

	must_open(dir);
	commit_story(dir, 1, 2);
	dir_close(dir);
	must_open(dir);
	commit_session(dir, 2, 100);
	last = dir->journal->history[2];
	dir_abandon(dir);
	change_boot_id(dir, &last);
	assert_int_equal(truncate_file(dir, "journal", last.offset + last.length), 0);
	must_open(dir);
	assert_int_equal(journal_pending(dir->journal), 3);
	dir_abandon(dir);
	file_put(dir, "config.xml", "end\n", 4);
	assert_true(try_open(dir) != 0);
	assert_non_null(strstr(dir->err.text, "Edit config.xml to agree with commit 3 from "));
}

/* Cut anywhere, the last record is there or not, and nothing before it is harmed. */
static void a_torn_tail_is_dropped(void **state)
{
	struct state_dir *dir = *state;
	size_t length, before;
	char *data;

	must_open(dir);
	commit_story(dir, 1, 2);
	before = dir->journal->length;
	commit_story(dir, 3, 3);
	dir_abandon(dir);
	data = file_get(dir, "journal", &length);
	for (size_t cut = before; cut < length; cut++) {
		file_put(dir, "journal", data, cut);
		must_open(dir);
		assert_true(story_is_at(dir->running, 2)); /* the confirmation is last */
		if (cut > before && journal_pending(dir->journal) == 0)
			assert_non_null(strstr(dir->warning, "incomplete record"));
		if (journal_pending(dir->journal) != 0)
			assert_int_equal(journal_revoke(dir->journal, 3, NULL), 0);
		commit_story(dir, 3, 3);
		dir_abandon(dir);
		must_open(dir);
		assert_string_equal(dir->warning, "");
		assert_true(story_is_at(dir->running, 3));
		dir_abandon(dir);
	}
	free(data);
}

/* Its head is never half written. */
static void cut_anywhere_it_opens_or_says_why(void **state)
{
	struct state_dir *dir = *state;
	size_t length, head;
	char *data;

	must_open(dir);
	commit_story(dir, 1, 2);
	head = dir->journal->history[0].offset;
	dir_abandon(dir);
	data = file_get(dir, "journal", &length);
	for (size_t cut = 0; cut < length; cut++) {
		file_put(dir, "journal", data, cut);
		if (cut < head) {
			assert_true(try_open(dir) != 0);
			assert_non_null(strstr(dir->err.text, "in its head"));
			assert_non_null(strstr(dir->err.text, "move the journal away"));
			continue;
		}
		must_open(dir);
		assert_true(story_is_at(dir->running, 0) || story_is_at(dir->running, 1));
		dir_abandon(dir);
	}
	free(data);
}

/* Zeros, as a file system may leave where data never came. */
static void a_tail_of_zeros_is_dropped(void **state)
{
	struct state_dir *dir = *state;
	char path[128];

	must_open(dir);
	commit_story(dir, 1, 2);
	file_path(dir, "journal", path);
	assert_int_equal(truncate(path, (off_t)dir->journal->length + 5000), 0);
	dir_abandon(dir);
	must_open(dir);
	assert_non_null(strstr(dir->warning, "5000 bytes"));
	assert_true(story_is_at(dir->running, 2));
	dir_close(dir);
}

/*
 * A flipped bit is noticed. Nothing is lost in silence: it is refused, or, where
 * only the last record or a confirmation is hit, there is a warning.
 */
static void every_flipped_bit_is_noticed(void **state)
{
	struct state_dir *dir = *state;
	size_t length, last;
	char *data;

	must_open(dir);
	commit_story(dir, 1, 3);
	last = dir->journal->history[2].offset;
	dir_abandon(dir);
	data = file_get(dir, "journal", &length);
	for (size_t bit = 0; bit < 8 * length; bit += 3) {
		data[bit / 8] = (char)(data[bit / 8] ^ 1 << bit % 8);
		file_put(dir, "journal", data, length);
		if (try_open(dir) == 0) {
			assert_string_not_equal(dir->warning, "");
			assert_true(story_is_at(dir->running, 3) || bit / 8 >= last);
			assert_true(story_is_at(dir->running, 3) || story_is_at(dir->running, 2));
			dir_abandon(dir);
		} else {
			assert_int_equal(dir->err.code, ERROR_STORAGE);
			assert_non_null(strstr(dir->err.text, "move the journal away"));
			assert_true(bit / 8 < last || strstr(dir->err.text, "damaged"));
		}
		data[bit / 8] = (char)(data[bit / 8] ^ 1 << bit % 8);
	}
	free(data);
}

/* The cure of the error text is one. */
static void damage_names_its_place(void **state)
{
	struct state_dir *dir = *state;
	size_t length, offset;
	char *data, expected[64], path[128];

	must_open(dir);
	commit_story(dir, 1, 3);
	offset = dir->journal->history[1].offset;
	dir_abandon(dir);
	data = file_get(dir, "journal", &length);
	data[offset + 100] ^= 1;
	file_put(dir, "journal", data, length);
	assert_true(try_open(dir) != 0);
	snprintf(expected, sizeof(expected), "damaged at offset %zu", offset);
	assert_non_null(strstr(dir->err.text, expected));
	file_path(dir, "journal", path);
	assert_int_equal(truncate(path, (off_t)offset), 0);
	must_open(dir);
	assert_true(story_is_at(dir->running, 1));
	dir_close(dir);
	free(data);
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
	struct state_dir *dir = *state;
	size_t length;
	char *data;

	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		file_put(dir, "journal", unknown[i].journal, strlen(unknown[i].journal));
		assert_true(try_open(dir) != 0);
		assert_int_equal(dir->err.code, ERROR_STORAGE);
		assert_non_null(strstr(dir->err.text, unknown[i].says));
		data = file_get(dir, "journal", &length); /* and left alone */
		assert_int_equal(length, strlen(unknown[i].journal));
		free(data);
	}
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
		char *image = NULL, *head = NULL, mark[FRAME_HEADER_LENGTH + 10] = "";
		struct state_dir dir;
		size_t size, head_length = 0;
		FILE *file = open_memstream(&image, &size);

		dir_make(&dir);
		memcpy(mark + FRAME_HEADER_LENGTH, "confirm 1\n", 10);
		frame_seal(mark, 10);
		assert_int_equal(journal_head(0, &head, &head_length), 0);
		fwrite(head, 1, head_length, file);
		free(head);
		fprintf(file, "%19s%s", "", payloads[i]);
		fwrite(mark, 1, sizeof(mark), file);
		fclose(file);
		frame_seal(image + head_length, strlen(payloads[i]));
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
	struct state_dir *dir = *state;
	char path[128];

	must_open(dir);
	commit_story(dir, 1, 2);
	dir_close(dir);
	file_path(dir, "config.xml", path);
	unlink(path);
	assert_true(try_open(dir) != 0);
	assert_non_null(strstr(dir->err.text, "config.xml is missing"));
	file_path(dir, "journal", path);
	unlink(path);
	must_open(dir);
	assert_int_equal(datastore_counts(dir->running)->tunnel_count, 0);
	dir_close(dir);
}

/* Not so when it was written by hand, and nothing is known of a journal. */
static void a_lost_journal_is_noticed(void **state)
{
	struct state_dir *dir = *state;
	char path[128];

	must_open(dir);
	commit_story(dir, 1, 3);
	dir_close(dir);
	file_path(dir, "journal", path);
	unlink(path);
	must_open(dir);
	assert_non_null(strstr(dir->warning, "journal is missing"));
	assert_non_null(strstr(dir->warning, "any commit made after 3"));
	assert_int_equal(journal_generation(dir->journal), 3);
	commit_story(dir, 4, 4);
	dir_abandon(dir);
	must_open(dir);
	assert_string_equal(dir->warning, "");
	assert_true(story_is_at(dir->running, 4));
	dir_abandon(dir);
	unlink(path);
	file_put(dir, "config.xml", "end\n", 4);
	must_open(dir);
	assert_string_equal(dir->warning, "");
	dir_close(dir);
}

/* An old journal beside a newer config.xml would undo what that has. */
static void an_older_journal_is_refused(void **state)
{
	struct state_dir *dir = *state;
	size_t length;
	char *data;

	must_open(dir);
	commit_story(dir, 1, 2);
	data = file_get(dir, "journal", &length);
	commit_story(dir, 3, 4);
	dir_close(dir);
	file_put(dir, "journal", data, length);
	assert_true(try_open(dir) != 0);
	assert_non_null(strstr(dir->err.text, "journal ends with commit 2, and config.xml holds"));
	free(data);
}

/* Put back, or both saved while a fold came between them. */
static void a_config_xml_older_than_the_journal_is_told_of(void **state)
{
	struct state_dir *dir = *state;
	size_t length;
	char *data;

	must_open(dir);
	commit_story(dir, 1, 2);
	dir_close(dir);
	data = file_get(dir, "config.xml", &length);
	must_open(dir);
	commit_story(dir, 3, 4);
	dir_close(dir);
	file_put(dir, "config.xml", data, length);
	free(data);
	must_open(dir);
	assert_non_null(strstr(dir->warning, "config.xml lacks commits 3 to 4, which"));
	assert_true(story_is_at(dir->running, 2));
	assert_int_equal(journal_generation(dir->journal), 4);
	commit_session(dir, 2, 100);
	dir_abandon(dir);
	must_open(dir);
	assert_string_equal(dir->warning, "");
	assert_non_null(datastore_session(dir->running, 2, 100));
	dir_close(dir);
}

/* config.xml of another daemon, put here between two runs: its number says nothing here. */
static void a_config_xml_of_another_history_is_taken_over(void **state)
{
	struct state_dir *dir = *state;
	size_t length;
	char *data;

	must_open(dir);
	commit_story(dir, 1, 2);
	dir_close(dir);
	data = file_get(dir, "config.xml", &length);
	assert_memory_equal(data + length - 7, " 2 -->\n", 7);
	data[length - 6] = '9';
	file_put(dir, "config.xml", data, length);
	free(data);
	must_open(dir);
	assert_string_equal(dir->warning, "");
	commit_story(dir, 3, 4);
	dir_abandon(dir);
	must_open(dir);
	assert_string_equal(dir->warning, "");
	assert_true(story_is_at(dir->running, 4));
	assert_int_equal(journal_generation(dir->journal), 4);
	assert_int_equal(dir->journal->history_count, 4);
	dir_close(dir);
}

static void what_is_no_file_is_refused(void **state)
{
	static const char *const names[] = {"journal", "config.xml"};
	struct state_dir *dir = *state;
	char path[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		file_path(dir, names[i], path);
		assert_int_equal(mkfifo(path, 0600), 0);
		assert_true(try_open(dir) != 0);
		assert_non_null(strstr(dir->err.text, "is not a regular file"));
		assert_int_equal(unlink(path), 0);
		assert_int_equal(mkdir(path, 0700), 0);
		assert_true(try_open(dir) != 0);
		assert_non_null(strstr(dir->err.text, "is not a regular file"));
		assert_int_equal(rmdir(path), 0);
	}
}

/* The confirmation's page was lost, and the next commit's was not. */
static void damage_without_loss_is_passed_over(void **state)
{
	struct state_dir *dir = *state;
	size_t length, from, to;
	char *data;

	must_open(dir);
	commit_story(dir, 1, 3);
	from = dir->journal->history[1].offset + dir->journal->history[1].length;
	to = dir->journal->history[2].offset;
	dir_abandon(dir);
	data = file_get(dir, "journal", &length);
	memset(data + from, 0, to - from);
	file_put(dir, "journal", data, length);
	must_open(dir);
	assert_non_null(strstr(dir->warning, "nothing of the configuration was lost"));
	assert_true(story_is_at(dir->running, 3));
	dir_close(dir);
	must_open(dir);
	assert_string_equal(dir->warning, "");
	assert_true(story_is_at(dir->running, 3));
	dir_close(dir);
	free(data);
}

/* Removed while it is in use: what was to be appended to it would be lost with it. */
static void a_removed_journal_is_written_anew(void **state)
{
	struct state_dir *dir = *state;
	char path[128];

	must_open(dir);
	commit_story(dir, 1, 2);
	file_path(dir, "journal", path);
	assert_int_equal(unlink(path), 0);
	commit_story(dir, 3, 3);
	assert_true(journal_maintain(dir->journal, dir->running, &dir->err) != 0);
	assert_non_null(strstr(dir->err.text, "journal was removed"));
	assert_int_equal(unlink(path), 0);
	assert_true(journal_maintain(dir->journal, dir->running, &dir->err) != 0);
	assert_int_equal(journal_maintain(dir->journal, dir->running, &dir->err), 0);
	dir_abandon(dir);
	must_open(dir);
	assert_true(story_is_at(dir->running, 3));
	assert_int_equal(dir->journal->history_count, 3);
	dir_close(dir);
}

static void so_is_a_removed_config_xml(void **state)
{
	struct state_dir *dir = *state;
	char path[128], new[128];

	must_open(dir);
	commit_story(dir, 1, 2);
	dir_close(dir);
	file_path(dir, "config.xml", path);
	must_open(dir);
	assert_int_equal(unlink(path), 0);
	dir_close(dir);
	must_open(dir);
	assert_int_equal(unlink(path), 0);
	assert_true(journal_maintain(dir->journal, dir->running, &dir->err) != 0);
	assert_non_null(strstr(dir->err.text, "config.xml was removed"));
	assert_int_equal(journal_maintain(dir->journal, dir->running, &dir->err), 0);
	assert_int_equal(unlink(path), 0);
	file_path(dir, "config.xml.new", new);
	assert_int_equal(mkdir(new, 0700), 0);
	assert_true(journal_commit(dir, story(3), NULL) != 0);
	assert_non_null(strstr(dir->err.text, "config.xml; nothing was changed; "));
	assert_int_equal(rmdir(new), 0);
	commit_story(dir, 3, 3);
	dir_abandon(dir);
	must_open(dir);
	assert_true(story_is_at(dir->running, 3));
	assert_int_equal(dir->journal->history_count, 3);
	dir_close(dir);
}

static void one_put_in_its_place_is_left_alone(void **state)
{
	struct state_dir *dir = *state;
	char path[128], *data;
	size_t length;

	must_open(dir);
	commit_story(dir, 1, 2);
	file_path(dir, "journal", path);
	assert_int_equal(unlink(path), 0);
	file_put(dir, "journal", "other", 5);
	assert_true(journal_commit(dir, story(3), NULL) != 0);
	assert_non_null(strstr(dir->err.text, "restart the daemon to go on from the file"));
	assert_true(story_is_at(dir->running, 2));
	dir_close(dir);
	data = file_get(dir, "journal", &length);
	assert_int_equal(length, 5);
	free(data);
}

static void a_second_daemon_is_refused(void **state)
{
	struct state_dir *dir = *state;
	int status;
	pid_t pid;

	must_open(dir);
	pid = fork();
	if (pid == 0) {
		struct state_dir other = *dir;
		int result = try_open(&other);

		_exit(result == 0 || other.err.code != ERROR_BUSY);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	dir_close(dir);
}

/* Whatever stands in the way of the lock: root's own lock file, a directory of that name. */
static void without_its_lock_it_does_not_start(void **state)
{
	struct state_dir *dir = *state;
	char path[128];

	file_path(dir, "lock", path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_true(try_open(dir) != 0);
	assert_non_null(strstr(dir->err.text, "another daemon may be using the directory"));
	assert_int_equal(rmdir(path), 0);
	if (geteuid() == 0) {
		file_put(dir, "lock", "", 0);
		assert_int_equal(chmod(path, 0600), 0);
		assert_int_equal(chown(dir->path, 65534, (gid_t)-1), 0);
		assert_int_equal(seteuid(65534), 0);
		assert_true(try_open(dir) != 0);
		assert_non_null(strstr(dir->err.text, "check owner and mode"));
		assert_int_equal(seteuid(0), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		dir_test(a_clean_stop_leaves_one_readable_file),
		dir_test(secrets_are_not_readable_by_others),
		dir_test(access_to_config_xml_stays_as_it_was_set),
		dir_test(a_kill_loses_nothing),
		dir_test(no_change_is_no_record),
		dir_test(a_pending_commit_is_carried_out),
		dir_test(a_pending_commit_is_revoked),
		dir_test(config_xml_may_be_edited),
		dir_test(what_is_wrong_in_config_xml_is_said),
		dir_test(an_edit_that_is_overridden_is_told_of),
		dir_test(commits_that_config_xml_does_not_fit_are_named),
		dir_test(so_is_one_that_was_perhaps_acknowledged),
		dir_test(a_torn_tail_is_dropped),
		dir_test(cut_anywhere_it_opens_or_says_why),
		dir_test(a_tail_of_zeros_is_dropped),
		dir_test(every_flipped_bit_is_noticed),
		dir_test(damage_names_its_place),
		dir_test(an_unknown_format_is_refused),
		cmocka_unit_test(an_unknown_leaf_is_refused),
		dir_test(a_lost_config_xml_is_noticed),
		dir_test(a_lost_journal_is_noticed),
		dir_test(an_older_journal_is_refused),
		dir_test(a_config_xml_older_than_the_journal_is_told_of),
		dir_test(a_config_xml_of_another_history_is_taken_over),
		dir_test(what_is_no_file_is_refused),
		dir_test(damage_without_loss_is_passed_over),
		dir_test(a_removed_journal_is_written_anew),
		dir_test(so_is_a_removed_config_xml),
		dir_test(one_put_in_its_place_is_left_alone),
		dir_test(a_second_daemon_is_refused),
		dir_test(without_its_lock_it_does_not_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
