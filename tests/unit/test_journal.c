/* The journal: what is acknowledged is there again, and what is damaged is noticed. */
#include "state_dir.h"

#include "store/acm.h"

#include <signal.h>

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

static mode_t mode_of(const struct state_dir *dir, const char *name)
{
	char path[128];
	struct stat st;

	file_path(dir, name, path);
	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void set_mode(const struct state_dir *dir, const char *name, mode_t mode)
{
	char path[128];

	file_path(dir, name, path);
	assert_int_equal(chmod(path, mode), 0);
}

static void all_is_the_daemons_users_alone(void **state)
{
	const mode_t mask = umask(0);
	struct state_dir *dir = *state;

	rmdir(dir->path); /* which the journal makes */
	must_open(dir);
	commit_story(dir, 1, 1);
	assert_int_equal(mode_of(dir, "."), 0700);
	assert_int_equal(mode_of(dir, "journal"), 0600);
	dir_close(dir);
	assert_int_equal(mode_of(dir, "config.xml"), 0600);
	assert_int_equal(mode_of(dir, "journal"), 0600);
	umask(mask);
}

/* As earlier versions left it, for the group whose members manage and see no cookies. */
static void what_others_could_read_is_closed_to_them(void **state)
{
	struct state_dir *dir = *state;

	must_open(dir);
	commit_story(dir, 1, 1);
	dir_close(dir);
	set_mode(dir, ".", 0750);
	set_mode(dir, "config.xml", 0640);
	set_mode(dir, "journal", 0604);
	must_open(dir);
	assert_int_equal(mode_of(dir, "."), 0700);
	assert_int_equal(mode_of(dir, "config.xml"), 0600);
	assert_int_equal(mode_of(dir, "journal"), 0600);
	assert_non_null(strstr(dir->warning, dir->path));
	assert_non_null(strstr(dir->warning, "was open to others (mode 0750)"));
	assert_non_null(strstr(dir->warning, "config.xml was open to others (mode 0640)"));
	assert_non_null(strstr(dir->warning, "journal was open to others (mode 0604)"));
	commit_story(dir, 2, 2);
	set_mode(dir, "config.xml", 0644); /* it is nobody's choice */
	dir_close(dir);
	assert_int_equal(mode_of(dir, "config.xml"), 0600);
	must_open(dir);
	assert_string_equal(dir->warning, "");
	dir_close(dir);
}

/* Given by mistake: /tmp, or /var/lib. */
static void a_directory_of_others_is_left_open(void **state)
{
	struct state_dir *dir = *state;
	char path[128];

	set_mode(dir, ".", 01777);
	must_open(dir);
	assert_int_equal(mode_of(dir, "."), 01777);
	assert_non_null(strstr(dir->warning, "give the daemon a directory of its own"));
	dir_close(dir);
	set_mode(dir, ".", 0755);
	file_path(dir, "other", path);
	assert_int_equal(mkdir(path, 0755), 0);
	must_open(dir);
	assert_int_equal(mode_of(dir, "."), 0755);
	assert_non_null(strstr(dir->warning, "give the daemon a directory of its own"));
	commit_story(dir, 1, 1);
	assert_int_equal(mode_of(dir, "journal"), 0600);
	dir_close(dir);
	assert_int_equal(rmdir(path), 0);
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

static void an_unfinished_commit_is_carried_out(void **state)
{
	struct candidate candidate;
	struct state_dir *dir = *state;

	must_open(dir);
	commit_story(dir, 1, 1);
	append_only(dir, 2, &candidate);
	candidate_discard(&candidate);
	dir_close(dir); /* no folding while it is unfinished */
	assert_int_equal(dir->err.code, ERROR_STORAGE);
	assert_non_null(strstr(dir->err.text, "config.xml lacks commits 1 to 2"));
	assert_non_null(strstr(dir->err.text, "the last one is under way"));
	must_open(dir);
	assert_int_equal(journal_unfinished(dir->journal), 2);
	assert_int_equal(journal_generation(dir->journal), 2);
	assert_true(story_is_at(dir->running, 1));
	assert_int_equal(journal_resume(dir->journal, dir->running, &candidate, NULL), 0);
	assert_int_equal(candidate_publish(&candidate, dir->running), 0);
	candidate_discard(&candidate);
	journal_confirm(dir->journal, 2);
	assert_true(story_is_at(dir->running, 2));
	dir_abandon(dir);
	must_open(dir);
	assert_int_equal(journal_unfinished(dir->journal), 0);
	assert_true(story_is_at(dir->running, 2));
	dir_close(dir);
}

static void an_unfinished_commit_is_revoked(void **state)
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
	assert_int_equal(journal_unfinished(dir->journal), 0);
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

/* The file with the first @old in it made @new, of the same length. */
static void change_file(const struct state_dir *dir, const char *name, const char *old,
			const char *new)
{
	size_t length;
	char *data = file_get(dir, name, &length), *at;

	data[length] = '\0';
	at = strstr(data, old);
	assert_non_null(at);
	memcpy(at, new, strlen(new));
	file_put(dir, name, data, length);
	free(data);
}

/* After a kill, or a stop that cannot write config.xml, an edit of it is not the last word. */
static void an_edit_that_is_overridden_is_told_of(void **state)
{
	struct state_dir *dir = *state;
	char path[128];

	must_open(dir);
	commit_story(dir, 1, 2);
	dir_close(dir);
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
	change_file(dir, "config.xml", "mtu 1300", "mtu 1301");
	must_open(dir);
	assert_non_null(strstr(dir->warning, "~ session 1/2 mtu 1300 -> 1301"));
	assert_non_null(
		strstr(dir->warning, "lacked commits 3 to 4, which the journal had already"));
	assert_true(story_is_at(dir->running, 4));
	assert_int_equal(rmdir(path), 0);
	dir_close(dir);
	assert_int_equal(dir->err.code, ERROR_NONE);
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

/* By its time, for it has no checksum. */
static void so_is_one_of_a_file_that_was_never_ours(void **state)
{
	static const char by_hand[] = "= 9 0\npeer-tunnel-id 9\nlocal-address 10.0.0.1\n"
				      "remote-address 10.0.0.2\nend\n";
	struct state_dir *dir = *state;

	file_put(dir, "config.xml", by_hand, strlen(by_hand));
	must_open(dir);
	commit_story(dir, 1, 1);
	dir_abandon(dir);
	must_open(dir);
	assert_string_equal(dir->warning, "");
	dir_abandon(dir);
	put_later(dir, by_hand, strlen(by_hand));
	must_open(dir);
	assert_non_null(strstr(dir->warning, "lacked commit 1, which the journal had already"));
	dir_close(dir);
}

static const struct {
	const char *old, *new, *says;
} edits[] = {
	{"mtu 1400", "mtu 1401", "differ; what it says now counts\nconfig.xml: ~ session 4/8 mtu"},
	{"mtu 1400", "mtu 1402", "~ session 4/8 mtu 1400 -> 1402"},
	{"= 3 6\n", "= 3 5\n", "- session 3/6"},
	{"= 3 6\n", "= 3 5\n", "+ session 3/5 "},
	{"0123456789abcdef", "0123456789abcdee", "rx-cookie (hidden) -> (hidden)"},
	{"\nend\n<!-- commit 4", "\nend\n<!-- changed  ", "0 tunnels and sessions differ"},
	{"checksum ", "checksumm", "last line"},
	{"checksum ", "checksum 0", "last line"},
	{"commit 4 ", "commit x ", "last line"},
	{"commit 4 checksum ", "comment 5 checksum", "0 tunnels and sessions differ"},
};

/* A bit that flips on the disk, too. */
static void what_was_changed_in_config_xml_is_told(void **state)
{
	struct state_dir *dir = *state;
	size_t length;
	char *data;

	must_open(dir);
	commit_story(dir, 1, 4);
	dir_close(dir);
	data = file_get(dir, "config.xml", &length);
	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		change_file(dir, "config.xml", edits[i].old, edits[i].new);
		must_open(dir);
		if (!strstr(dir->warning, edits[i].says))
			fail_msg("%s is not in: %s", edits[i].says, dir->warning);
		dir_close(dir);
		file_put(dir, "config.xml", data, length);
		must_open(dir);
		assert_string_equal(dir->warning, "");
		dir_close(dir);
	}
	data[length] = '\0';
	file_put(dir, "config.xml", data, (size_t)(strstr(data, "<!-- commit") - data));
	must_open(dir); /* the stamp may be taken away */
	assert_string_equal(dir->warning, "");
	dir_close(dir);
	free(data);
}

static void a_change_is_noticed_without_the_journal_too(void **state)
{
	struct state_dir *dir = *state;
	char path[128];

	must_open(dir);
	commit_story(dir, 1, 2);
	dir_close(dir);
	change_file(dir, "config.xml", "mtu 1400", "mtu 1401");
	file_path(dir, "journal", path);
	assert_int_equal(unlink(path), 0);
	must_open(dir);
	assert_non_null(strstr(dir->warning, "was changed since it was written with commit 2"));
	assert_non_null(strstr(dir->warning, "cannot be listed"));
	dir_close(dir);
}

static void many_changes_are_counted(void **state)
{
	struct state_dir *dir = *state;
	struct edit *edit = edit_new();

	add_tunnel(edit, EDIT_CREATE, 1);
	for (uint32_t id = 1; id <= 2000; id++)
		add_session(edit, EDIT_CREATE, 1, id);
	must_open(dir);
	assert_int_equal(journal_commit(dir, edit, NULL), 0);
	dir_close(dir);
	file_put(dir, "config.xml", "end\n", 4);
	must_open(dir);
	assert_non_null(strstr(dir->warning, "2001 tunnels and sessions differ"));
	assert_non_null(strstr(dir->warning, "config.xml: ... and 1981 more"));
	assert_true(strlen(dir->warning) < JOURNAL_WARNING_MAX / 2);
	dir_close(dir);
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
	assert_int_equal(journal_unfinished(dir->journal), 3);
	dir_abandon(dir);
	file_put(dir, "config.xml", "end\n", 4);
	assert_true(try_open(dir) != 0);
	assert_non_null(strstr(dir->err.text, "Edit config.xml to agree with commit 3 from "));
}

/* Cut anywhere, the last record is there or not, and nothing before it is harmed. */
static void a_torn_tail_is_dropped(void **state)
{
	struct state_dir *dir = *state;
	size_t length, before, confirmed;
	char *data;

	must_open(dir);
	commit_story(dir, 1, 2);
	before = dir->journal->length;
	commit_story(dir, 3, 3);
	confirmed = dir->journal->length;
	dir_abandon(dir);
	data = file_get(dir, "journal", &length);
	for (size_t cut = before; cut < length; cut++) {
		file_put(dir, "journal", data, cut);
		must_open(dir);
		assert_true(story_is_at(dir->running, cut < confirmed ? 2 : 3));
		assert_string_not_equal(dir->warning, "");
		if (journal_unfinished(dir->journal) != 0)
			assert_int_equal(journal_revoke(dir->journal, 3, NULL), 0);
		if (cut < confirmed)
			commit_story(dir, 3, 3);
		else
			commit_session(dir, 2, 100);
		dir_abandon(dir);
		must_open(dir);
		assert_string_equal(dir->warning, "");
		assert_int_equal(journal_generation(dir->journal), cut < confirmed ? 3 : 4);
		dir_abandon(dir);
	}
	free(data);
}

/* Its head is never half written. */
static void cut_anywhere_it_opens_or_says_why(void **state)
{
	struct state_dir *dir = *state;
	size_t length, head, confirmed;
	char *data;

	must_open(dir);
	commit_story(dir, 1, 2);
	confirmed = dir->journal->length;
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
		assert_true(story_is_at(dir->running, 0) || story_is_at(dir->running, 1) ||
			    cut >= confirmed);
		dir_abandon(dir);
	}
	free(data);
}

/* Zeros, as a file system may leave where data never came. */
static void a_tail_of_zeros_is_dropped(void **state)
{
	struct state_dir *dir = *state;
	char path[128];
	struct stat st;

	must_open(dir);
	commit_story(dir, 1, 2);
	file_path(dir, "journal", path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(truncate(path, st.st_size + 5000), 0);
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
	{"l2tpv3d-journal 3\n", "too old a version"},
	{"l2tpv3d-journal 5\n", "a later version"},
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

	const struct journal nothing = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++) {
		char *image = NULL, *head = NULL, mark[FRAME_HEADER_LENGTH + 10] = "";
		struct state_dir dir;
		size_t size, head_length = 0;
		FILE *file = open_memstream(&image, &size);

		dir_make(&dir);
		memcpy(mark + FRAME_HEADER_LENGTH, "confirm 1\n", 10);
		frame_seal(mark, 10);
		assert_int_equal(journal_head(&nothing, 0, NULL, &head, &head_length), 0);
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
	assert_non_null(strstr(dir->warning, "config.xml lacks commits 3 to 4, on which"));
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
	data[length] = '\0';
	strstr(data, "<!-- commit 2")[strlen("<!-- commit ")] = '9';
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
	assert_true(journal_maintain(dir->journal, true, &dir->err) != 0);
	assert_non_null(strstr(dir->err.text, "journal was removed"));
	assert_int_equal(unlink(path), 0);
	assert_true(journal_maintain(dir->journal, true, &dir->err) != 0);
	assert_int_equal(journal_maintain(dir->journal, true, &dir->err), 0);
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
	assert_true(journal_maintain(dir->journal, true, &dir->err) != 0);
	assert_non_null(strstr(dir->err.text, "config.xml was removed"));
	assert_int_equal(journal_maintain(dir->journal, true, &dir->err), 0);
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
	assert_non_null(strstr(dir->err.text, "restart the daemon to continue from what is there"));
	assert_true(story_is_at(dir->running, 2));
	dir_close(dir);
	data = file_get(dir, "journal", &length);
	assert_int_equal(length, 5);
	free(data);
}

/* Returns whether another process is refused the directory, and told of us. */
static bool second_is_refused(const struct state_dir *dir)
{
	struct state_dir other = *dir;
	char expected[32];
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		snprintf(expected, sizeof(expected), "process %d uses", (int)getppid());
		_exit(try_open(&other) == 0 || other.err.code != ERROR_BUSY ||
		      !strstr(other.err.text, expected));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void a_second_daemon_is_refused_whatever_is_removed(void **state)
{
	struct state_dir *dir = *state;

	must_open(dir);
	assert_true(second_is_refused(dir));
	commit_story(dir, 1, 2);
	assert_true(second_is_refused(dir));
	dir_empty(dir);
	assert_true(second_is_refused(dir));
	assert_int_equal(fold_now(dir->journal, NULL), 0); /* other inodes */
	assert_true(second_is_refused(dir));
	dir_close(dir);
	must_open(dir);
	assert_true(story_is_at(dir->running, 2));
	dir_close(dir);
}

/* A child of a fold has the directory open when its daemon is killed, and goes soon. */
static void the_lock_ends_with_the_daemon(void **state)
{
	struct state_dir *dir = *state;
	int status;
	pid_t pid;

	for (uint32_t n = 1; n <= 20; n++) {
		pid = fork();
		if (pid == 0) {
			must_open(dir);
			commit_story(dir, n, n);
			dir->journal->fold_min = dir->journal->config_size = 1;
			journal_keep_history(dir->journal, 1, 0);
			journal_maintain(dir->journal, true, &dir->err);
			if (journal_snapshot_pid(dir->journal) > 0)
				kill(getpid(), SIGKILL);
			_exit(1);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		must_open(dir);
		assert_true(story_is_at(dir->running, n));
		dir_close(dir);
	}
}

/* That daemon knows its lock file only. */
static void one_of_an_earlier_version_is_respected(void **state)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	struct state_dir *dir = *state;
	char expected[64], path[128], byte;
	int fds[2];
	pid_t pid;

	file_put(dir, "lock", "", 0);
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		file_path(dir, "lock", path);
		if (fcntl(open(path, O_RDWR), F_SETLK, &lock) == 0 && write(fds[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	assert_int_equal(read(fds[0], &byte, 1), 1);
	assert_int_equal(try_open(dir), -EBUSY);
	snprintf(expected, sizeof(expected), "process %d uses the state directory", (int)pid);
	assert_non_null(strstr(dir->err.text, expected));
	assert_true(file_there(dir, "lock"));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(fds[0]);
	close(fds[1]);
	must_open(dir);
	assert_false(file_there(dir, "lock"));
	dir_close(dir);
}

/* Moved away, and perhaps another in its place: what is appended would not be found. */
static void a_moved_directory_takes_no_change(void **state)
{
	struct state_dir *dir = *state;
	char aside[128];

	snprintf(aside, sizeof(aside), "%s.aside", dir->path);
	must_open(dir);
	commit_story(dir, 1, 2);
	for (int replaced = 0; replaced < 2; replaced++) {
		assert_int_equal(rename(dir->path, aside), 0);
		if (replaced)
			assert_int_equal(mkdir(dir->path, 0700), 0);
		assert_int_equal(journal_commit(dir, story(3), NULL), -ESTALE);
		assert_int_equal(dir->err.code, ERROR_STORAGE);
		assert_non_null(strstr(dir->err.text, "was moved or replaced"));
		assert_non_null(strstr(dir->err.text, "nothing was changed"));
		assert_int_equal(journal_maintain(dir->journal, true, &dir->err), -EIO);
		assert_non_null(
			strstr(dir->err.text, "no change is accepted until it is put back"));
		assert_int_equal(journal_maintain(dir->journal, true, &dir->err), 0);
		assert_false(replaced && file_there(dir, "journal"));
		if (replaced)
			assert_int_equal(rmdir(dir->path), 0);
		assert_int_equal(rename(aside, dir->path), 0);
		assert_int_equal(journal_maintain(dir->journal, true, &dir->err), 0);
	}
	commit_story(dir, 3, 3);
	dir_abandon(dir);
	must_open(dir);
	assert_true(story_is_at(dir->running, 3));
	dir_close(dir);
}

static void make_link(const struct state_dir *dir, const char *target, const char *name)
{
	char path[128];

	file_path(dir, name, path);
	assert_int_equal(symlink(target, path), 0);
}

static void link_is(const struct state_dir *dir, const char *name, const char *target)
{
	char path[128], found[128];
	ssize_t length;

	file_path(dir, name, path);
	length = readlink(path, found, sizeof(found) - 1);
	assert_true(length > 0);
	found[length] = '\0';
	assert_string_equal(found, target);
}

/* Whoever can write there must not choose where cookies go. */
static void no_file_is_made_through_a_link(void **state)
{
	static const char *const names[] = {"journal.new", "config.xml.new", "lock"};
	struct state_dir *dir = *state;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		make_link(dir, "elsewhere", names[i]);
	must_open(dir);
	commit_story(dir, 1, 1);
	for (size_t i = 0; i < 2; i++)
		make_link(dir, "elsewhere", names[i]);
	dir_close(dir);
	assert_false(file_there(dir, "elsewhere"));
	must_open(dir);
	assert_true(story_is_at(dir->running, 1));
	dir_close(dir);
}

static void a_journal_that_is_a_link_is_refused(void **state)
{
	struct state_dir *dir = *state;

	make_link(dir, "elsewhere", "journal");
	assert_true(try_open(dir) != 0);
	assert_non_null(strstr(dir->err.text, "journal is not a regular file"));
	assert_false(file_there(dir, "elsewhere"));
}

/* Over one link more, to a file elsewhere that is not there at first. */
static void config_xml_that_is_a_link_stays_one(void **state)
{
	struct state_dir *dir = *state;
	char other[128], target[160], path[128];

	snprintf(other, sizeof(other), "%s.other", dir->path);
	snprintf(target, sizeof(target), "%s/l2tp.xml", other);
	assert_int_equal(mkdir(other, 0700), 0);
	make_link(dir, "other.xml", "config.xml");
	make_link(dir, target, "other.xml");
	must_open(dir);
	commit_story(dir, 1, 2);
	dir_close(dir);
	for (uint32_t n = 3; n < 5; n++) {
		link_is(dir, "config.xml", "other.xml");
		link_is(dir, "other.xml", target);
		assert_int_equal(access(target, F_OK), 0);
		must_open(dir);
		assert_string_equal(dir->warning, "");
		assert_true(story_is_at(dir->running, n - 1));
		commit_story(dir, n, n);
		dir_close(dir);
	}
	assert_int_equal(chmod(target, 0644), 0);
	must_open(dir);
	assert_non_null(strstr(dir->warning, "config.xml was open to others"));
	assert_int_equal(unlink(target), 0); /* removed, it is written anew there */
	commit_story(dir, 5, 5);
	assert_int_equal(access(target, F_OK), 0);
	dir_close(dir);
	file_path(dir, "other.xml", path);
	assert_int_equal(unlink(path), 0);
	make_link(dir, "/nowhere/l2tp.xml", "other.xml");
	assert_true(try_open(dir) != 0);
	assert_non_null(strstr(dir->err.text, "config.xml is missing"));
	dir_empty(dir);
	assert_int_equal(unlink(target), 0);
	assert_int_equal(rmdir(other), 0);
}

/*
 * As `cp -al` makes one: neither a backup, nor a daemon started on it, shares
 * what is appended.
 */
static void a_second_name_of_the_journal_keeps_what_it_had(void **state)
{
	struct state_dir *dir = *state;
	char path[128], kept[128];

	file_path(dir, "journal", path);
	file_path(dir, "kept", kept);
	must_open(dir);
	commit_story(dir, 1, 1);
	for (uint32_t n = 2; n < 4; n++) {
		size_t before, after;
		char *was, *is;
		struct stat st;

		assert_int_equal(link(path, kept), 0);
		was = file_get(dir, "kept", &before);
		if (n == 3) { /* one that has it at the start */
			dir_abandon(dir);
			must_open(dir);
			assert_int_equal(stat(kept, &st), 0);
			assert_int_equal(st.st_nlink, 1);
		}
		commit_story(dir, n, n);
		is = file_get(dir, "kept", &after);
		assert_int_equal(before, after);
		assert_memory_equal(was, is, before);
		free(was);
		free(is);
		assert_int_equal(unlink(kept), 0);
	}
	dir_abandon(dir);
	must_open(dir);
	assert_string_equal(dir->warning, "");
	assert_true(story_is_at(dir->running, 3));
	dir_close(dir);
}

/* ---- the end mark, and the numbers */

/* Offsets of the frames in the journal; the last one is its length. */
static size_t list_frames(const char *data, size_t length, size_t ret[64])
{
	struct frame frame;
	size_t count = 0;

	for (size_t at = JOURNAL_HEADER_LENGTH; at < length;
	     at += FRAME_HEADER_LENGTH + frame.length) {
		assert_true(frame_read(data + at, length - at, &frame));
		ret[count++] = at;
	}
	ret[count] = length;
	return count;
}

static void one_cut_between_two_records_is_told_from_a_whole_one(void **state)
{
	struct state_dir *dir = *state;
	size_t length, frames[64], count;
	char *data;

	must_open(dir);
	commit_story(dir, 1, 4);
	dir_abandon(dir);
	data = file_get(dir, "journal", &length);
	count = list_frames(data, length, frames);
	assert_int_equal(count, 1 + 2 * 4 + 1);
	for (size_t i = 1; i < count; i++) {
		file_put(dir, "journal", data, frames[i]);
		must_open(dir);
		assert_non_null(strstr(dir->warning, "journal has no end mark, it was cut at"));
		dir_abandon(dir);
	}
	file_put(dir, "journal", data, length);
	must_open(dir);
	assert_string_equal(dir->warning, "");
	dir_close(dir); /* folded, with a history */
	must_open(dir);
	assert_string_equal(dir->warning, "");
	free(data);
	dir_close(dir);
	data = file_get(dir, "journal", &length);
	count = list_frames(data, length, frames);
	assert_int_equal(count, 1 + 4 + 1);
	file_put(dir, "journal", data, frames[4]);
	must_open(dir);
	assert_non_null(strstr(dir->warning, "the history of commit 4 is lost"));
	assert_non_null(strstr(dir->warning, "journal has no end mark"));
	free(data);
	dir_close(dir);
}

/* A record taken out whole, at any place: what follows does not fit what is before. */
static void a_gap_in_the_numbers_is_refused(void **state)
{
	struct state_dir *dir = *state;
	size_t length, frames[64], count;
	char *data, *with_gap;

	must_open(dir);
	commit_story(dir, 1, 4);
	dir_abandon(dir);
	data = file_get(dir, "journal", &length);
	with_gap = malloc(length);
	count = list_frames(data, length, frames);
	for (size_t i = 1; i + 1 < count; i += 2) { /* with its confirmation; the end mark stays */
		size_t rest = length - frames[i + 2];

		memcpy(with_gap, data, frames[i]);
		memcpy(with_gap + frames[i], data + frames[i + 2], rest);
		file_put(dir, "journal", with_gap, frames[i] + rest);
		assert_true(try_open(dir) != 0);
		assert_non_null(strstr(dir->err.text, "a commit is missing"));
	}
	/* without the end mark the last one is not missed */
	file_put(dir, "journal", data, frames[count - 3]);
	must_open(dir);
	assert_true(story_is_at(dir->running, 3));
	dir_abandon(dir);
	free(with_gap);
	free(data);
}

/* The end mark of two commits later: one of them was acknowledged. */
static void two_damaged_at_the_end_are_not_dropped(void **state)
{
	struct state_dir *dir = *state;
	size_t length, begin;
	char *data;

	must_open(dir);
	commit_story(dir, 1, 2);
	begin = dir->journal->length;
	commit_story(dir, 3, 4);
	dir_abandon(dir);
	data = file_get(dir, "journal", &length);
	for (size_t at = begin; at + 8 < length; at++)
		if (memcmp(data + at, "commit ", 7) == 0 || memcmp(data + at, "confirm ", 8) == 0)
			data[at] ^= 1;
	file_put(dir, "journal", data, length);
	free(data);
	assert_true(try_open(dir) != 0);
	assert_non_null(strstr(dir->err.text, "the checksum is wrong"));
}

/* Nothing of an earlier version is lost, nor is its history. */
static void take_over(struct state_dir *dir, const char *header, bool ends)
{
	size_t length, frames[64], count;
	char *data;

	must_open(dir);
	commit_story(dir, 1, 4);
	dir_abandon(dir);
	data = file_get(dir, "journal", &length);
	count = list_frames(data, length, frames);
	assert_memory_equal(data, JOURNAL_HEADER, JOURNAL_HEADER_LENGTH);
	memcpy(data, header, JOURNAL_HEADER_LENGTH);
	file_put(dir, "journal", data, ends ? length : frames[count - 1]);
	free(data);
	must_open(dir);
	assert_ptr_equal(dir->running->acm, acm_factory());
	assert_string_equal(dir->warning, "");
	assert_true(story_is_at(dir->running, 4));
	commit_story(dir, 5, 5);
	assert_int_equal(dir->journal->history_count, 5);
	dir_abandon(dir);
	data = file_get(dir, "journal", &length);
	assert_memory_equal(data, JOURNAL_HEADER, JOURNAL_HEADER_LENGTH);
	free(data);
	must_open(dir);
	assert_string_equal(dir->warning, "");
	assert_true(story_is_at(dir->running, 5));
	dir_close(dir);
}

/* Journals of version 1 have no end mark. */
static void a_journal_of_the_first_version_is_taken_over(void **state)
{
	take_over(*state, "l2tpv3d-journal 1\n", false);
}

/* Those of version 2 know nothing of NACM. */
static void a_journal_of_the_second_version_is_taken_over(void **state)
{
	take_over(*state, "l2tpv3d-journal 2\n", true);
}

/* NACM's configuration is in the record, and in the way back. */
static void access_control_is_configuration(void **state)
{
	struct state_dir *dir = *state;
	struct commit_info info = {.door = "test"};
	struct edit *edit = edit_new();
	struct candidate candidate;
	struct acm_node *list, *rule;

	must_open(dir);
	assert_ptr_equal(dir->running->acm, acm_factory());
	edit->acm = acm_new();
	edit->acm->root->operation = EDIT_REPLACE;
	list = acm_add(edit->acm, edit->acm->root, ACM_RULE_LIST, "a b%=");
	acm_add(edit->acm, list, ACM_RULE_LIST_GROUP, "*");
	rule = acm_add(edit->acm, list, ACM_RULE, "r");
	acm_add(edit->acm, rule, ACM_PATH, "/{urn:u}a[{urn:u}k='v w']");
	acm_add(edit->acm, rule, ACM_ACTION, "deny");
	list->operation = rule->operation = EDIT_MERGE;
	for (struct acm_node *at = rule->first; at; at = at->next)
		at->operation = EDIT_MERGE;
	list->first->operation = EDIT_MERGE;
	candidate_open(&candidate, dir->running);
	assert_int_equal(candidate_apply(&candidate, edit, NULL), 0);
	assert_true(candidate_dirty(&candidate));
	assert_int_equal(journal_append(dir->journal, &candidate, &info, NULL), 0);
	assert_int_equal(candidate_publish(&candidate, dir->running), 0);
	journal_confirm(dir->journal, info.number);
	candidate_discard(&candidate);
	dir_abandon(dir);
	must_open(dir);
	assert_string_equal(dir->warning, "");
	rule = (struct acm_node *)(uintptr_t)acm_find(
		acm_find(dir->running->acm->root, ACM_RULE_LIST, "a b%="), ACM_RULE, "r");
	assert_non_null(rule);
	assert_string_equal(acm_text(rule, ACM_PATH), "/{urn:u}a[{urn:u}k='v w']");
	assert_null(acm_find(dir->running->acm->root, ACM_WRITE_DEFAULT, NULL));
	if (journal_rollback(dir->journal, 0, dir->running, &candidate, &dir->err) != 0)
		fail_msg("%s", dir->err.text);
	assert_true(acm_equal(candidate_acm(&candidate), acm_factory()));
	candidate_discard(&candidate);
	edit_free(edit);
	dir_close(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		dir_test(a_clean_stop_leaves_one_readable_file),
		dir_test(access_control_is_configuration),
		dir_test(all_is_the_daemons_users_alone),
		dir_test(what_others_could_read_is_closed_to_them),
		dir_test(a_directory_of_others_is_left_open),
		dir_test(a_kill_loses_nothing),
		dir_test(no_change_is_no_record),
		dir_test(an_unfinished_commit_is_carried_out),
		dir_test(an_unfinished_commit_is_revoked),
		dir_test(config_xml_may_be_edited),
		dir_test(what_is_wrong_in_config_xml_is_said),
		dir_test(an_edit_that_is_overridden_is_told_of),
		dir_test(so_is_one_of_a_file_that_was_never_ours),
		dir_test(what_was_changed_in_config_xml_is_told),
		dir_test(a_change_is_noticed_without_the_journal_too),
		dir_test(many_changes_are_counted),
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
		dir_test(a_second_daemon_is_refused_whatever_is_removed),
		dir_test(the_lock_ends_with_the_daemon),
		dir_test(one_of_an_earlier_version_is_respected),
		dir_test(a_moved_directory_takes_no_change),
		dir_test(no_file_is_made_through_a_link),
		dir_test(a_journal_that_is_a_link_is_refused),
		dir_test(config_xml_that_is_a_link_stays_one),
		dir_test(a_second_name_of_the_journal_keeps_what_it_had),
		dir_test(one_cut_between_two_records_is_told_from_a_whole_one),
		dir_test(a_gap_in_the_numbers_is_refused),
		dir_test(two_damaged_at_the_end_are_not_dropped),
		dir_test(a_journal_of_the_first_version_is_taken_over),
		dir_test(a_journal_of_the_second_version_is_taken_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
