/* The engine with a state directory: what it makes of config.xml and of an unfinished commit. */
#include "engine_bench.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sys/syscall.h>

#include "journal/journal_file.h"

/* ---- a disk that fails after so many syncs; -1: never */

static int syncs_left = -1;

static int sync_or_fail(long number, int fd)
{
	if (syncs_left == 0) {
		errno = EIO;
		return -1;
	}
	syncs_left -= syncs_left > 0;
	return (int)syscall(number, fd);
}

int fsync(int fd)
{
	return sync_or_fail(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	return sync_or_fail(SYS_fdatasync, fd);
}

/* ---- a state directory */

struct place {
	char directory[64];
	struct bench *bench;
};

static int setup(void **state)
{
	struct place *s = calloc(1, sizeof(*s));

	snprintf(s->directory, sizeof(s->directory), "/tmp/l2tpv3d-state-XXXXXX");
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

	free_bench(s->bench);
	list = opendir(s->directory);
	while ((entry = readdir(list)) != NULL)
		if (unlinkat(dirfd(list), entry->d_name, 0) < 0)
			unlinkat(dirfd(list), entry->d_name, AT_REMOVEDIR);
	closedir(list);
	rmdir(s->directory);
	free(s);
	return 0;
}

static void path_of(const struct place *s, const char *name, char ret[128])
{
	snprintf(ret, 128, "%s/%s", s->directory, name);
}

static FILE *open_file(const struct place *s, const char *name, const char *mode)
{
	char path[128];
	FILE *file;

	path_of(s, name, path);
	file = fopen(path, mode);
	assert_non_null(file);
	return file;
}

static char *get_file(const struct place *s, const char *name)
{
	FILE *file = open_file(s, name, "r");
	char *text = calloc(1, 65536);

	assert_true(fread(text, 1, 65535, file) > 0);
	fclose(file);
	return text;
}

/* As an administrator with an editor: take the lines with @word out. */
static void strip_lines(const struct place *s, const char *name, const char *word)
{
	char *text = get_file(s, name), *save = NULL;
	FILE *file = open_file(s, name, "w");

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (!strstr(line, word))
			fprintf(file, "%s\n", line);
	fclose(file);
	free(text);
}

/* config.xml by hand: tunnel 1, sessions 1001 and 1002 without names, 1003 called @name. */
static void write_config(const struct place *s, const char *name)
{
	FILE *file = open_file(s, CONFIG_FILE, "w");

	fputs("<l2tpv3 xmlns=\"urn:l2tpv3d:yang:linux-l2tpv3\"><tunnel><tunnel-id>1</tunnel-id>"
	      "<peer-tunnel-id>2</peer-tunnel-id><local-address>192.0.2.1</local-address>"
	      "<remote-address>192.0.2.2</remote-address>",
	      file);
	for (int id = 1001; id <= 1003; id++)
		fprintf(file,
			"<session><session-id>%d</session-id>"
			"<peer-session-id>7</peer-session-id>%s%s%s</session>\n",
			id, id == 1003 ? "<interface-name>" : "", id == 1003 ? name : "",
			id == 1003 ? "</interface-name>" : "");
	fputs("</tunnel></l2tpv3>\n", file);
	fclose(file);
}

static void start(struct place *s)
{
	start_bench(s->bench);
	assert_true(turn_until(s->bench, is_idle, 5000));
}

static const char *name_of(struct bench *bench, uint32_t id)
{
	struct session found;

	assert_int_equal(ask_kernel(bench, 1, id, &found), 0);
	assert_string_equal(found.interface_name,
			    session_config(entry_of(bench, 1, id))->interface_name);
	assert_int_equal(status_of(bench, 1, id), OPER_UP);
	return session_config(entry_of(bench, 1, id))->interface_name;
}

static size_t commits(struct bench *bench, struct commit_info *ret_last)
{
	struct commit_info history[50];
	int count = journal_history(bench->journal, 0, history, 50);

	assert_true(count >= 0);
	if (count)
		*ret_last = history[0];
	return (size_t)count;
}

/* ---- tests */

static void names_left_out_of_config_xml_are_a_commit(void **state)
{
	struct place *s = *state;
	struct commit_info last;

	stop_bench(s->bench);
	write_config(s, "l2tpeth0");
	start(s);
	assert_string_equal(name_of(s->bench, 1001), "l2tpeth1");
	assert_string_equal(name_of(s->bench, 1002), "l2tpeth2");
	assert_string_equal(name_of(s->bench, 1003), "l2tpeth0");
	assert_int_equal(commits(s->bench, &last), 1);
	assert_string_equal(last.comment, "interface names chosen");
	assert_int_equal(last.sessions, 2);
	stop_bench(s->bench);
	start(s);
	assert_string_equal(name_of(s->bench, 1001), "l2tpeth1");
	assert_int_equal(commits(s->bench, &last), 1);
}

static void names_that_interfaces_have_are_kept(void **state)
{
	struct place *s = *state;
	struct edit *edit = edit_new();
	uint64_t writes;

	tunnel(edit, EDIT_MERGE, 1, TUNNEL1);
	session(edit, EDIT_MERGE, 1, 1001, "peer-session-id=7 interface-name=wan0");
	session(edit, EDIT_MERGE, 1, 1002, "peer-session-id=7 interface-name=l2tpeth5");
	session(edit, EDIT_MERGE, 1, 1003, "peer-session-id=7");
	assert_int_equal(commit(s->bench, edit), 0);
	stop_bench(s->bench);
	strip_lines(s, CONFIG_FILE, "interface-name");
	writes = s->bench->kernel->ops->writes(s->bench->kernel);
	start(s);
	assert_string_equal(name_of(s->bench, 1001), "wan0");
	assert_string_equal(name_of(s->bench, 1002), "l2tpeth5");
	assert_string_equal(name_of(s->bench, 1003), "l2tpeth0");
	assert_int_equal(s->bench->kernel->ops->writes(s->bench->kernel), writes);
}

static void names_are_chosen_though_they_cannot_be_kept(void **state)
{
	struct place *s = *state;
	struct commit_info last;
	char path[128];

	stop_bench(s->bench);
	write_config(s, "wan3");
	path_of(s, JOURNAL_FILE, path);
	unlink(path);
	path_of(s, JOURNAL_NEW, path); /* where the journal is to be begun */
	assert_int_equal(mkdir(path, 0700), 0);
	start(s);
	assert_string_equal(name_of(s->bench, 1001), "l2tpeth0");
	assert_non_null(strstr(s->bench->log, "cannot record the interface names chosen"));
	assert_int_equal(commits(s->bench, &last), 0);
	assert_int_equal(edit_one_session(s->bench, 1, 1001, "mtu=1400"), -EEXIST);
	assert_int_equal(s->bench->error.code, ERROR_STORAGE);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(edit_one_session(s->bench, 1, 1001, "mtu=1400"), 0);
	stop_bench(s->bench);
	start(s);
	assert_string_equal(name_of(s->bench, 1001), "l2tpeth0");
	assert_string_equal(name_of(s->bench, 1002), "l2tpeth1");
}

static void a_kernel_that_refuses_one_session_does_not_keep_the_others_nameless(void **state)
{
	struct place *s = *state;

	stop_bench(s->bench);
	write_config(s, "wan3");
	assert_int_equal(sim_fail(s->bench->kernel, KERNEL_SESSION_CREATE, 1, SIM_REFUSE, -EPROTO),
			 0);
	start(s);
	assert_string_equal(name_of(s->bench, 1002), "l2tpeth1");
	assert_non_null(strstr(s->bench->log, "session 1/1001 failed"));
	assert_string_equal(session_config(entry_of(s->bench, 1, 1001))->interface_name,
			    "l2tpeth0");
}

/* As kill -9 leaves it: recorded, not confirmed. */
static void record_only(struct place *s, struct edit *edit)
{
	struct candidate changes;
	struct commit_info info = {.door = "test"};
	struct error err = ERROR_INIT;

	candidate_open(&changes, s->bench->store);
	assert_int_equal(candidate_apply(&changes, edit, &err), 0);
	assert_int_equal(candidate_choose_names(&changes, NULL, NULL, &err), 0);
	assert_int_equal(candidate_validate(&changes, &err), 0);
	assert_int_equal(journal_append(s->bench->journal, &changes, &info, &err), 0);
	candidate_discard(&changes);
	edit_free(edit);
	stop_bench(s->bench);
}

static void an_unfinished_commit_and_names_left_out_go_together(void **state)
{
	struct place *s = *state;
	struct edit *edit = edit_new();

	stop_bench(s->bench);
	write_config(s, "l2tpeth7");
	start(s);
	tunnel(edit, EDIT_MERGE, 1, "remote-address=192.0.2.9");
	session(edit, EDIT_MERGE, 1, 1004, "peer-session-id=7");
	record_only(s, edit);
	strip_lines(s, CONFIG_FILE, "xxxx");
	write_config(s, "wan3");
	start(s);
	assert_int_equal(datastore_counts(s->bench->store)->nameless, 0);
	for (uint32_t id = 1001; id <= 1004; id++)
		assert_string_not_equal(name_of(s->bench, id), "");
	assert_string_equal(name_of(s->bench, 1003), "wan3");
	assert_int_equal(datastore_tunnel(s->bench->store, 1)->actual.remote_address.bytes[3], 9);
}

/* Stopped after @ms of a commit: what it is told is what is. */
static void stop_in_a_commit(struct place *s, unsigned int ms)
{
	const struct datastore_counts *counts;
	int result;

	assert_int_equal(commit(s->bench, baseline()), 0);
	s->bench->done = false;
	engine_edit(s->bench->engine, mixed_edit(), &tester, on_done, s->bench);
	turn_until(s->bench, is_done, ms);
	stop_bench(s->bench);
	assert_true(s->bench->done);
	result = s->bench->result;
	assert_true(result == 0 || result == -ECANCELED);
	start(s);
	assert_null(strstr(s->bench->log, "interrupted"));
	assert_int_equal(datastore_tunnel(s->bench->store, 4) != NULL, result == 0);
	assert_int_equal(datastore_tunnel(s->bench->store, 3) == NULL, result == 0);
	counts = datastore_counts(s->bench->store);
	assert_int_equal(counts->tunnel_count, counts->configured_tunnels);
	assert_int_equal(counts->session_count, counts->configured_sessions);
}

static void a_stop_in_the_middle_of_a_commit_brings_it_to_its_end(void **state)
{
	struct place *s = *state;

	sim_add_link(s->bench->kernel, "br0", true);
	for (unsigned int ms = 0; ms < 20; ms++)
		stop_in_a_commit(s, ms);
}

static void make_foreign_tunnel(struct bench *bench, uint32_t id)
{
	struct tunnel t = {.present = BIT(TUNNEL_ID) | BIT(TUNNEL_PEER_TUNNEL_ID) |
				      BIT(TUNNEL_LOCAL_ADDRESS) | BIT(TUNNEL_REMOTE_ADDRESS) |
				      BIT(TUNNEL_ENCAPSULATION),
			   .tunnel_id = id,
			   .peer_tunnel_id = 99,
			   .encapsulation = ENCAPSULATION_IP,
			   .local_address = {AF_INET, {192, 0, 2, 1}},
			   .remote_address = {AF_INET, {192, 0, 2, 3}}};
	struct kernel_request make = {.verb = KERNEL_TUNNEL_CREATE, .tunnel_id = id, .tunnel = &t};

	codec_complete(OBJECT_TUNNEL, &t);
	assert_int_equal(sim_foreign(bench->kernel, &make), 0);
}

static void an_id_that_others_took_meanwhile_is_theirs(void **state)
{
	struct place *s = *state;
	struct edit *edit = tunnel_with_sessions(5, 2);
	struct commit_info last;
	char *before, *after;

	assert_int_equal(commit(s->bench, tunnel_with_sessions(1, 2)), 0);
	tunnel(edit, EDIT_MERGE, 1, "");
	session(edit, EDIT_MERGE, 1, 1001, "mtu=1300");
	record_only(s, edit);
	make_foreign_tunnel(s->bench, 5);
	before = kernel_text(s->bench->kernel, true);
	start(s);
	after = kernel_text(s->bench->kernel, true);
	assert_true(same_text(after, before));
	assert_false(entry_config(&datastore_tunnel(s->bench->store, 5)->entry));
	assert_int_equal(journal_unfinished(s->bench->journal), 0);
	assert_int_equal(commits(s->bench, &last), 1);
	free(before);
	free(after);
}

/* The kernel refuses, and the record cannot be taken back for certain: no door may say "refused".
 */
static void a_refusal_that_may_not_last_is_told_as_unknown(void **state)
{
	struct place *s = *state;

	assert_int_equal(commit(s->bench, tunnel_with_sessions(1, 2)), 0);
	sim_fail(s->bench->kernel, KERNEL_SESSION_CREATE, 1, SIM_REFUSE, -EPROTO);
	syncs_left = 1; /* of the record */
	assert_int_equal(edit_one_session(s->bench, 1, 1003, "peer-session-id=7"), -EIO);
	assert_int_equal(s->bench->error.code, ERROR_OUTCOME_UNKNOWN);
	assert_non_null(strstr(s->bench->log, "the outcome is unknown"));
	assert_null(datastore_session(s->bench->store, 1, 1003));
	assert_int_equal(edit_one_session(s->bench, 1, 1004, "peer-session-id=7"), -EIO);
	assert_int_equal(s->bench->error.code, ERROR_STORAGE);
	syncs_left = -1;
	s->bench->journal->fold.retry_at = 0;
	(void)journal_maintain(s->bench->journal, true, &(struct error){0});
	assert_int_equal(edit_one_session(s->bench, 1, 1004, "peer-session-id=7"), 0);
	stop_bench(s->bench);
	start(s);
	assert_null(datastore_session(s->bench->store, 1, 1003));
	assert_non_null(datastore_session(s->bench->store, 1, 1004));
}

/* ---- a kernel that takes its time */

static const struct kernel_operations *quick;
static unsigned int waits;

static int slow_dump_piece(struct kernel *kernel, enum kernel_dump what, bool begin,
			   const struct kernel_visitor *visitor)
{
	const struct timespec pause = {.tv_nsec = 550 * 1000000};

	nanosleep(&pause, NULL);
	return quick->dump_piece(kernel, what, begin, visitor);
}

static void count_waits(const char *what_for)
{
	assert_string_equal(what_for, "reading the kernel's tunnels and sessions");
	waits++;
}

static void who_waits_for_the_first_reading_is_told(void **state)
{
	struct place *s = *state;
	struct kernel_operations slow = *s->bench->kernel->ops;
	struct engine_options options;
	struct error err = ERROR_INIT;

	options = s->bench->engine->o;
	engine_close(s->bench->engine);
	quick = s->bench->kernel->ops;
	slow.dump_piece = slow_dump_piece;
	s->bench->kernel->ops = &slow;
	options.waits = count_waits;
	waits = 0;
	assert_int_equal(engine_open(&s->bench->engine, &options, &err), 0);
	s->bench->kernel->ops = s->bench->engine->k = quick;
	assert_int_equal(waits, 1); /* three dumps took 1.65 s */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(who_waits_for_the_first_reading_is_told),
		TEST(names_left_out_of_config_xml_are_a_commit),
		TEST(names_that_interfaces_have_are_kept),
		TEST(names_are_chosen_though_they_cannot_be_kept),
		TEST(a_kernel_that_refuses_one_session_does_not_keep_the_others_nameless),
		TEST(an_unfinished_commit_and_names_left_out_go_together),
		TEST(a_stop_in_the_middle_of_a_commit_brings_it_to_its_end),
		TEST(an_id_that_others_took_meanwhile_is_theirs),
		TEST(a_refusal_that_may_not_last_is_told_as_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
