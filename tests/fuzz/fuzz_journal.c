/*
 * An image of the journal file: load it; if it opens, read its history and commit.
 * Input that does not begin as a journal is taken for payloads, NUL between them,
 * and framed, for no fuzzer guesses a checksum.
 */
#include <stdint.h>
#include <unistd.h>

#include "journal/journal.h"
#include "journal/journal_file.h"
#include "store/publish.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static int write_nothing(FILE *file, const struct datastore *running, void *arg)
{
	(void)file, (void)running, (void)arg;
	return 0;
}

static int read_nothing(const char *path, struct edit **ret_edit, struct error *err, void *arg)
{
	(void)path, (void)arg;
	*ret_edit = edit_new();
	return *ret_edit ? 0 : error_set(err, ERROR_RESOURCE, "no memory");
}

static const struct snapshot_codec codec = {write_nothing, read_nothing, NULL};

static char directory[] = "/dev/shm/l2tpv3d-fuzz-XXXXXX";

static void put(const char *name, const unsigned char *data, size_t size)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "w");
	if (!file)
		abort();
	fwrite(data, 1, size, file);
	fclose(file);
}

static void put_frame(FILE *file, const unsigned char *payload, size_t length)
{
	char *frame = calloc(1, FRAME_HEADER_LENGTH + length);

	if (!frame)
		abort();
	memcpy(frame + FRAME_HEADER_LENGTH, payload, length);
	frame_seal(frame, length);
	fwrite(frame, 1, FRAME_HEADER_LENGTH + length, file);
	free(frame);
}

static void put_framed(const unsigned char *data, size_t size)
{
	const unsigned char *end = data + size, *next;
	char *image = NULL;
	size_t length;
	FILE *file = open_memstream(&image, &length);

	if (!file)
		abort();
	fputs(JOURNAL_HEADER, file);
	for (; data < end; data = next + 1) {
		next = memchr(data, '\0', (size_t)(end - data));
		next = next ? next : end;
		put_frame(file, data, (size_t)(next - data));
	}
	fclose(file);
	put(JOURNAL_FILE, (const unsigned char *)image, length);
	free(image);
}

static void read_changes(struct journal *journal, uint64_t number, const struct datastore *running,
			 FILE *file)
{
	struct journal_reading *reading;
	const struct change *change;

	if (journal_read_begin(&reading, journal, JOURNAL_CHANGES, number, running, NULL) < 0)
		return;
	while (journal_read_change(reading, &change, NULL) == JOURNAL_MORE)
		if (change)
			change_print(file, change, 0);
	journal_read_end(reading, NULL);
}

static void read_history(struct journal *journal, const struct datastore *running)
{
	struct commit_info list[50];
	int count = journal_history(journal, 0, list, 50);
	struct candidate changes;
	char *text = NULL;
	size_t length;
	FILE *file = open_memstream(&text, &length);

	for (int i = 0; file && i < count; i++) {
		read_changes(journal, list[i].number, running, file);
		if (journal_rollback(journal, list[i].number, running, &changes, NULL) == 0)
			candidate_discard(&changes);
	}
	if (file)
		fclose(file);
	free(text);
}

static void commit(struct journal *journal, struct datastore *running)
{
	struct commit_info info = {.door = "fuzz"};
	struct tunnel tunnel = {.present = BIT(TUNNEL_DESCRIPTION), .description = "fuzz"};
	struct candidate candidate;

	if (journal_unfinished(journal) &&
	    journal_revoke(journal, journal_unfinished(journal), NULL) != 0)
		abort();
	candidate_open(&candidate, running);
	if (candidate_put(&candidate, 4000000000U, 0, &tunnel) == 0 &&
	    journal_append(journal, &candidate, &info, NULL) == 0) {
		candidate_publish(&candidate, running);
		journal_confirm(journal, info.number);
	}
	candidate_discard(&candidate);
}

static void remove_directory(void)
{
	static const char *const names[] = {CONFIG_FILE, JOURNAL_FILE};
	char path[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
		unlink(path);
	}
	rmdir(directory);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static bool made;
	struct datastore *running = datastore_new();
	struct error err = ERROR_INIT;
	struct journal *journal;
	char warning[JOURNAL_WARNING_MAX];

	if (!made && (!mkdtemp(directory) || atexit(remove_directory) != 0))
		abort();
	made = true;
	put(CONFIG_FILE, data, 0);
	if (size > 0 && data[0] == JOURNAL_HEADER[0])
		put(JOURNAL_FILE, data, size);
	else
		put_framed(data, size);
	if (journal_open(&journal, directory, running, &codec, warning, &err) == 0) {
		read_history(journal, running);
		commit(journal, running);
		(void)journal_close(journal, NULL);
	} else if (err.text[0] == '\0') {
		abort();
	}
	datastore_free(running);
	return 0;
}
