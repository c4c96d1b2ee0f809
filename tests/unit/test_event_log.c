/* The event log: what is kept, in which order, and what survives a restart. */
#include "state_dir.h"

#include "journal/event_log.h"

static struct state_dir dir;
static struct event_log *events;

static int setup(void **state)
{
	(void)state;
	dir_make(&dir);
	must_open(&dir);
	assert_int_equal(event_log_open(&events, dir.journal, dir.warning), 0);
	assert_string_equal(dir.warning, "");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	event_log_close(events);
	dir_close(&dir);
	dir_remove(&dir);
	return 0;
}

static void append(int64_t time, const char *text)
{
	assert_int_equal(event_log_append(events, time, text, strlen(text)), 0);
}

static void write_log(void)
{
	if (event_log_write(events, &dir.err))
		fail_msg("%s", dir.err.text);
}

/* As after a kill. */
static void reopen(void)
{
	event_log_close(events);
	assert_int_equal(event_log_open(&events, dir.journal, dir.warning), 0);
}

static uint64_t count(void)
{
	return event_log_next(events) - event_log_first(events);
}

static int open_file(const char *name, int flags)
{
	char path[128];
	int fd;

	file_path(&dir, name, path);
	fd = open(path, flags, 0600);
	assert_true(fd >= 0);
	return fd;
}

static off_t size_of(const char *name)
{
	return (off_t)file_length(&dir, name);
}

static void test_what_was_written_is_there_after_a_restart(void **state)
{
	int64_t created = event_log_created(events);
	struct stat st;
	int fd;

	(void)state;
	append(1000, "<one/>");
	append(2000, "");
	write_log();
	append(3000, "<three/>");
	write_log();
	append(4000, "<lost/>"); /* not written */
	reopen();
	assert_string_equal(dir.warning, "");
	assert_int_equal(count(), 3);
	assert_string_equal(event_log_at(events, 1)->text, "<one/>");
	assert_int_equal(event_log_at(events, 2)->length, 0);
	assert_int_equal(event_log_at(events, 3)->time, 3000);
	assert_int_equal(event_log_created(events), created);
	fd = open_file(EVENT_LOG_FILE, O_RDONLY);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	close(fd);
	append(5000, "<five/>");
	write_log();
	reopen();
	assert_int_equal(count(), 4);
	assert_string_equal(event_log_at(events, 4)->text, "<five/>");
}

static void test_the_oldest_go_when_there_are_too_many(void **state)
{
	(void)state;
	for (int i = 1; i <= EVENT_LOG_RECORDS + 10; i++)
		append(i, "<a/>");
	assert_int_equal(count(), EVENT_LOG_RECORDS);
	assert_int_equal(event_log_at(events, event_log_first(events))->time, 11);
	assert_int_equal(event_log_at(events, event_log_next(events) - 1)->time,
			 EVENT_LOG_RECORDS + 10);
}

static void test_files_and_memory_are_bounded(void **state)
{
	char text[10001];
	size_t kept = 0;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (int i = 1; i <= 2000; i++) {
		append(i, text);
		if (i % 7 == 0)
			write_log();
	}
	write_log();
	assert_true(count() * 10000 <= EVENT_LOG_SIZE);
	assert_true((count() + 1) * 10000 > EVENT_LOG_SIZE);
	kept = (size_t)(size_of(EVENT_LOG_FILE) + size_of(EVENT_LOG_OLD_FILE));
	assert_true(kept > EVENT_LOG_SIZE / 2 && kept < EVENT_LOG_SIZE + 200000);
	reopen();
	assert_true(count() * 10000 > EVENT_LOG_SIZE / 2);
	assert_int_equal(event_log_at(events, event_log_next(events) - 1)->time, 2000);
	for (uint64_t at = event_log_first(events); at + 1 < event_log_next(events); at++)
		assert_int_equal(event_log_at(events, at)->time + 1,
				 event_log_at(events, at + 1)->time);
}

static void test_a_damaged_tail_is_cut_off(void **state)
{
	off_t before, after;
	int fd;

	(void)state;
	append(1, "<one/>");
	write_log();
	before = size_of(EVENT_LOG_FILE);
	append(2, "<two/>");
	write_log();
	after = size_of(EVENT_LOG_FILE);
	for (off_t cut = before; cut < after; cut++) {
		fd = open_file(EVENT_LOG_FILE, O_RDWR);
		assert_int_equal(ftruncate(fd, cut), 0);
		close(fd);
		reopen();
		assert_int_equal(count(), 1);
		assert_int_equal(*dir.warning != '\0', cut != before);
		assert_int_equal(size_of(EVENT_LOG_FILE), before);
		append(2, "<two/>");
		write_log();
		assert_int_equal(size_of(EVENT_LOG_FILE), after);
	}
	fd = open_file(EVENT_LOG_FILE, O_RDWR);
	assert_int_equal(pwrite(fd, "?", 1, after - 3), 1);
	close(fd);
	reopen();
	assert_int_equal(count(), 1);
	assert_non_null(strstr(dir.warning, "cut off an unreadable tail"));
}

static void test_a_file_of_others_is_replaced(void **state)
{
	static const char other[] = "something else\n";
	int fd = open_file(EVENT_LOG_FILE, O_RDWR | O_CREAT);

	(void)state;
	assert_int_equal(write(fd, other, sizeof(other) - 1), sizeof(other) - 1);
	close(fd);
	reopen();
	assert_non_null(strstr(dir.warning, EVENT_LOG_FILE));
	assert_int_equal(count(), 0);
	append(1, "<one/>");
	write_log();
	reopen();
	assert_string_equal(dir.warning, "");
	assert_int_equal(count(), 1);
}

static void test_a_file_that_was_removed_is_made_again(void **state)
{
	char path[128];

	(void)state;
	append(1, "<one/>");
	write_log();
	file_path(&dir, EVENT_LOG_FILE, path);
	unlink(path);
	append(2, "<two/>");
	write_log();
	reopen();
	assert_int_equal(count(), 1);
	assert_string_equal(event_log_at(events, 1)->text, "<two/>");
}

/* The text says so, the memory keeps all, and the file goes on when it can. */
static void test_a_disk_that_fails(void **state)
{
	char path[128];

	(void)state;
	append(1, "<one/>");
	file_path(&dir, EVENT_LOG_FILE, path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_true(event_log_write(events, &dir.err) < 0);
	assert_non_null(strstr(dir.err.text, "not replayed after the next restart"));
	assert_int_equal(count(), 1);
	rmdir(path);
	append(2, "<two/>");
	write_log();
	reopen();
	assert_int_equal(count(), 1);
	assert_int_equal(event_log_at(events, 1)->time, 2);
}

static void test_without_a_journal_it_is_in_memory(void **state)
{
	struct event_log *other;
	char warning[JOURNAL_WARNING_MAX];

	(void)state;
	assert_int_equal(event_log_open(&other, NULL, warning), 0);
	assert_int_equal(event_log_append(other, 1, "<a/>", 4), 0);
	assert_int_equal(event_log_write(other, NULL), 0);
	assert_int_equal(event_log_next(other), 2);
	event_log_close(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_was_written_is_there_after_a_restart,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_oldest_go_when_there_are_too_many, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_files_and_memory_are_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_damaged_tail_is_cut_off, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_file_of_others_is_replaced, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_file_that_was_removed_is_made_again, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_a_disk_that_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_without_a_journal_it_is_in_memory, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
