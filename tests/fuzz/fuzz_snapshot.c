/*
 * Any bytes as config.xml, as the journal reads it when the daemon starts: it is
 * refused with a reason, or what was read can be committed to, written again by a
 * clean stop, and read as the same.
 */
#include <assert.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "journal/journal.h"
#include "netconf/snapshot.h"
#include "store/publish.h"

#define OURS 4000000000U /* a tunnel that no seed has */

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static char directory[] = "/dev/shm/l2tpv3d-fuzz-XXXXXX";

static const char *place(const char *name)
{
	static char path[64];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

/* Whatever it is called: what the journal keeps there is its own affair. */
static void empty_directory(void)
{
	static const char *const names[] = {"config.xml", "journal", "lock", "config.xml.new",
					    "journal.new"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(place(names[i]));
}

static void remove_directory(void)
{
	empty_directory();
	rmdir(directory);
}

static void put(const unsigned char *data, size_t size)
{
	FILE *file;

	empty_directory();
	file = fopen(place("config.xml"), "w");
	assert(file && fwrite(data, 1, size, file) == size);
	fclose(file);
}

static char *print(const struct datastore *store)
{
	size_t length;
	char *text = NULL;
	FILE *file = open_memstream(&text, &length);

	assert(file && snapshot_write(file, store, NULL) == 0);
	fclose(file);
	return text;
}

static void commit(struct journal *journal, struct datastore *running)
{
	struct commit_info info = {.door = "fuzz"};
	struct tunnel tunnel = {.present = BIT(TUNNEL_ID) | BIT(TUNNEL_PEER_TUNNEL_ID) |
					   BIT(TUNNEL_LOCAL_ADDRESS) | BIT(TUNNEL_REMOTE_ADDRESS),
				.tunnel_id = OURS,
				.peer_tunnel_id = OURS,
				.local_address = {AF_INET, {192, 0, 2, 254}},
				.remote_address = {AF_INET, {192, 0, 2, 255}}};
	struct candidate candidate;

	candidate_open(&candidate, running);
	assert(candidate_put(&candidate, OURS, 0, &tunnel) == 0);
	if (candidate_validate(&candidate, NULL) != 0) { /* its addresses are in use */
		candidate_discard(&candidate);
		return;
	}
	assert(journal_append(journal, &candidate, &info, NULL) == 0);
	assert(candidate_publish(&candidate, running) == 0);
	journal_confirm(journal, info.number);
	candidate_discard(&candidate);
}

/* As the daemon's next start. @ret_text: what is configured then. */
static bool run(bool commits, char **ret_text)
{
	struct datastore *running = datastore_new();
	char warning[JOURNAL_WARNING_MAX];
	struct error err = ERROR_INIT;
	struct journal *journal;
	bool opened = running && journal_open(&journal, directory, running, &snapshot_codec,
					      warning, &err) == 0;

	assert(opened || err.text[0]);
	if (opened) {
		if (commits && !datastore_tunnel(running, OURS))
			commit(journal, running);
		*ret_text = print(running);
		assert(journal_close(journal, NULL) == 0);
	}
	datastore_free(running);
	return opened;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static bool made;
	char *first, *second;

	if (!made && (!mkdtemp(directory) || atexit(remove_directory) != 0))
		abort();
	made = true;
	put(data, size);
	if (!run(true, &first))
		return 0;
	assert(run(false, &second));
	assert(!strcmp(first, second));
	free(first);
	free(second);
	return 0;
}
