/* What kernel_tool prints: results, what was read, dumps. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

#define TEXT_MAX 1024

const char *result_name(int result)
{
	return result ? strerrorname_np(-result) : "ok";
}

static void print_rows(enum object object, const void *config)
{
	const struct row_set *set = &row_sets[object];
	char text[VALUE_TEXT_MAX];

	for (unsigned int i = 0; i < set->config_count; i++) {
		if (!codec_present(&set->rows[i], config))
			continue;
		codec_print(&set->rows[i], config, text);
		printf(" %s=%s", set->rows[i].leaf, text);
	}
}

static void print_statistics(const struct statistics *statistics)
{
	const struct row_set *set = &row_sets[OBJECT_SESSION];
	char text[VALUE_TEXT_MAX];

	for (unsigned int i = 0; i < set->count; i++) {
		if (set->rows[i].part != PART_STATISTICS || set->rows[i].type != TYPE_COUNTER)
			continue;
		codec_print(&set->rows[i], statistics, text);
		printf(" %s=%s", set->rows[i].leaf, text);
	}
}

static void link_name(struct tool *tool, unsigned int index, char ret[IFNAME_LENGTH + 1])
{
	struct kernel_request get = {.verb = KERNEL_LINK_GET, .link.index = index};

	tool->kernel->ops->submit(tool->kernel, &get, 1);
	snprintf(ret, IFNAME_LENGTH + 1, "%s", index == 0 ? "-" : get.link.name);
}

static void print_link(struct tool *tool, const struct kernel_link *link)
{
	const uint8_t *mac = link->mac.bytes;
	char master[IFNAME_LENGTH + 1], parent[IFNAME_LENGTH + 1];

	link_name(tool, link->master, master);
	link_name(tool, link->parent, parent);
	printf(" name=%s up=%d mtu=%u mac=%02x:%02x:%02x:%02x:%02x:%02x master=%s parent=%s "
	       "vlan=%u dormant=%d alias=%s",
	       link->name, link->up, link->mtu, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5],
	       master, parent, link->vlan_id, link->dormant, link->alias ? link->alias : "-");
}

static void print_found(struct tool *tool, const struct job *job)
{
	switch (job->request.verb) {
	case KERNEL_TUNNEL_GET:
		print_rows(OBJECT_TUNNEL, &job->found_tunnel);
		break;
	case KERNEL_SESSION_GET:
		print_rows(OBJECT_SESSION, &job->found_session);
		break;
	case KERNEL_LINK_GET:
		print_link(tool, &job->request.link);
		break;
	default:
		break;
	}
	if (job->counters)
		print_statistics(&job->statistics);
}

void print_job(struct tool *tool, const struct job *job)
{
	printf("%s", result_name(job->request.result));
	if (!job->request.result)
		print_found(tool, job);
	putchar('\n');
}

/*
 * Dumps: sorted by what is compared, so printed into memory first.
 */

struct lines {
	struct tool *tool;
	char (*texts)[TEXT_MAX];
	size_t count, room;
};

/* Print through stdout's functions into a line. */
static void add_line(struct lines *lines, const char *start,
		     void (*print)(struct lines *lines, const void *object), const void *object)
{
	FILE *real = stdout, *memory;

	if (lines->count == lines->room) {
		lines->room = lines->room ? 2 * lines->room : 64;
		lines->texts = realloc(lines->texts, lines->room * sizeof(*lines->texts));
	}
	memset(lines->texts[lines->count], 0, TEXT_MAX);
	memory = fmemopen(lines->texts[lines->count++], TEXT_MAX - 1, "w");
	stdout = memory;
	printf("%s", start);
	print(lines, object);
	stdout = real;
	fclose(memory);
}

static void print_tunnel_line(struct lines *lines, const void *object)
{
	(void)lines;
	print_rows(OBJECT_TUNNEL, object);
}

static void print_session_line(struct lines *lines, const void *object)
{
	(void)lines;
	print_rows(OBJECT_SESSION, object);
}

static void print_link_line(struct lines *lines, const void *object)
{
	print_link(lines->tool, object);
}

static int take_tunnel(const struct tunnel *tunnel, const struct statistics *statistics, void *arg)
{
	(void)statistics;
	add_line(arg, "  tunnel", print_tunnel_line, tunnel);
	return 0;
}

static int take_session(uint32_t tunnel_id, const struct session *session,
			const struct statistics *statistics, void *arg)
{
	char start[64];

	(void)statistics;
	snprintf(start, sizeof(start), "  session tunnel-id=%" PRIu32, tunnel_id);
	add_line(arg, start, print_session_line, session);
	return 0;
}

static int take_link(const struct kernel_link *link, void *arg)
{
	add_line(arg, "  link", print_link_line, link);
	return 0;
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(a, b);
}

void dump_command(struct tool *tool, char **words)
{
	const struct kernel_operations *ops = tool->kernel->ops;
	const char *what = word_at(words, 0);
	struct lines lines = {.tool = tool};
	int err;

	if (!strcmp(what, "tunnels"))
		err = ops->dump_tunnels(tool->kernel, take_tunnel, &lines);
	else if (!strcmp(what, "sessions"))
		err = ops->dump_sessions(tool->kernel, take_session, &lines);
	else
		err = ops->dump_links(tool->kernel, take_link, &lines);
	if (lines.count)
		qsort(lines.texts, lines.count, sizeof(*lines.texts), compare_lines);
	printf("%s %zu\n", result_name(err), lines.count);
	for (size_t i = 0; i < lines.count; i++)
		puts(lines.texts[i]);
	free(lines.texts);
}
