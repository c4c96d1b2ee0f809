/*
 * The kernel interface by hand: reads commands from standard input, one a
 * line, and prints one line for each request: "ok" or an errno's name, then
 * what was read. Leaves are given and printed by their YANG names.
 *
 *   kernel_tool --real [NETNS] | --sim PROFILE
 *
 *   connect | capabilities | release | writes
 *   tunnel add LEAF=VALUE...        tunnel del ID         tunnel get ID
 *   session add TUNNEL LEAF=VALUE...                      session set TUNNEL LEAF=VALUE...
 *   session del TUNNEL ID           session get TUNNEL ID [counters]
 *   link set NAME [up=0|1] [mtu=N] [mac=MAC] [master=NAME|-]
 *   link get NAME                   link del NAME         vlan add NAME PARENT VLAN-ID
 *   begin ... submit                the requests between go as one batch
 *   dump tunnels|sessions|links     sorted
 *   address ADDRESS | source INTERFACE 4|6 | route ADDRESS
 *   gone tunnel ID | gone session TUNNEL ID | gone link NAME       wait until it is
 *   settle                          wait until all is gone that was deleted or failed to be created
 *   events                          those that came since, until none comes for a while
 *   explain VERB ERRNO TUNNEL-LEAF=VALUE... / SESSION-LEAF=VALUE...
 *   sim address LINK PREFIX | sim unaddress PREFIX | sim route PREFIX [ERRNO] | sim unroute PREFIX
 *   sim bridge NAME
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kernel/sim.h"
#include "model/codec.h"

#define WORDS_MAX    40
#define BATCH_MAX    20000
#define GONE_SECONDS 30
#define TEXT_MAX     1024

/* One request with the room for what it needs and gives. */
struct job {
	struct kernel_request request;
	struct tunnel tunnel, found_tunnel;
	struct session session, found_session;
	struct statistics statistics;
	bool counters;
};

/* Something that is going, and how to see that it is not another by now. */
struct going {
	uint32_t tunnel_id, session_id, peer_session_id; /* session_id 0: the tunnel itself */
	char interface[IFNAME_LENGTH + 1];
};

struct tool {
	struct kernel *kernel;
	struct going *going;
	size_t going_count;
	struct job *jobs;
	size_t count;
	bool batch;
	bool simulated;
};

static void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
static void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fflush(stdout);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(2);
}

/*
 * Printing.
 */

static const char *result_name(int result)
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
	       "vlan=%u",
	       link->name, link->up, link->mtu, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5],
	       master, parent, link->vlan_id);
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

static void print_job(struct tool *tool, const struct job *job)
{
	printf("%s", result_name(job->request.result));
	if (!job->request.result)
		print_found(tool, job);
	putchar('\n');
}

/*
 * What goes later than its delete returns.
 */

static void add_going(struct tool *tool, const struct going *going)
{
	tool->going = realloc(tool->going, (tool->going_count + 1) * sizeof(*tool->going));
	tool->going[tool->going_count++] = *going;
}

static int get_session(struct tool *tool, uint32_t tunnel_id, uint32_t session_id,
		       struct session *ret)
{
	struct kernel_request get = {.verb = KERNEL_SESSION_GET,
				     .tunnel_id = tunnel_id,
				     .session_id = session_id,
				     .ret_session = ret};

	tool->kernel->ops->submit(tool->kernel, &get, 1);
	return get.result;
}

static int note_session(uint32_t tunnel_id, const struct session *session,
			const struct statistics *statistics, void *arg)
{
	struct tool *tool = arg;
	struct going going = {.tunnel_id = tunnel_id,
			      .session_id = session->session_id,
			      .peer_session_id = session->peer_session_id};

	(void)statistics;
	memcpy(going.interface, session->interface_name, sizeof(going.interface));
	add_going(tool, &going);
	return 0;
}

static int note_session_of(uint32_t tunnel_id, const struct session *session,
			   const struct statistics *statistics, void *arg)
{
	struct tool *tool = ((void **)arg)[0];
	const struct job *job = ((void **)arg)[1];

	if (tunnel_id != job->request.tunnel_id)
		return 0;
	return note_session(tunnel_id, session, statistics, tool);
}

/* Before a delete: what will go with it. */
static void note_delete(struct tool *tool, const struct job *job)
{
	struct session session;

	if (job->request.verb == KERNEL_TUNNEL_DELETE) {
		tool->kernel->ops->dump_sessions(tool->kernel, note_session_of,
						 (void *[]){tool, (void *)(uintptr_t)job});
		add_going(tool, &(struct going){.tunnel_id = job->request.tunnel_id});
	} else if (!get_session(tool, job->request.tunnel_id, job->request.session_id, &session)) {
		note_session(job->request.tunnel_id, &session, NULL, tool);
	}
}

/* Since 6.12 a session whose interface name is taken stays for a while, saying it had the name. */
static void note_failed_create(struct tool *tool, const struct job *job)
{
	const struct going going = {.tunnel_id = job->tunnel.tunnel_id,
				    .session_id = job->session.session_id,
				    .peer_session_id = job->session.peer_session_id};

	if (job->request.verb == KERNEL_SESSION_CREATE && job->request.result)
		add_going(tool, &going);
}

static bool is_gone(struct tool *tool, const struct going *going)
{
	struct kernel_request get = {.verb = KERNEL_TUNNEL_GET, .tunnel_id = going->tunnel_id};
	struct session session;

	if (going->interface[0]) {
		get.verb = KERNEL_LINK_GET;
		memcpy(get.link.name, going->interface, sizeof(going->interface));
	} else if (going->session_id) {
		return get_session(tool, going->tunnel_id, going->session_id, &session) ||
		       session.peer_session_id != going->peer_session_id;
	}
	tool->kernel->ops->submit(tool->kernel, &get, 1);
	return get.result != 0;
}

/*
 * Requests.
 */

static void submit(struct tool *tool)
{
	struct kernel_request *requests = calloc(tool->count + 1, sizeof(*requests));
	int err;

	for (size_t i = 0; i < tool->count; i++)
		requests[i] = tool->jobs[i].request;
	err = tool->kernel->ops->submit(tool->kernel, requests, tool->count);
	for (size_t i = 0; i < tool->count; i++) {
		tool->jobs[i].request.result = requests[i].result;
		tool->jobs[i].request.link = requests[i].link;
		print_job(tool, &tool->jobs[i]);
		note_failed_create(tool, &tool->jobs[i]);
	}
	if (err)
		printf("socket %s\n", result_name(err));
	free(requests);
	tool->count = 0;
	tool->batch = false;
}

static struct job *new_job(struct tool *tool, enum kernel_verb verb)
{
	struct job *job = &tool->jobs[tool->count];

	if (tool->count == BATCH_MAX)
		die("a batch has at most %d requests", BATCH_MAX);
	*job = (struct job){.request.verb = verb};
	tool->count++;
	return job;
}

static void job_done(struct tool *tool)
{
	if (!tool->batch)
		submit(tool);
}

static uint32_t parse_id(const char *text)
{
	return text ? (uint32_t)strtoul(text, NULL, 0) : 0;
}

static void parse_leaf(enum object object, void *config, const char *word)
{
	size_t length = strcspn(word, "=");
	const struct row *row = row_by_leaf(object, word, length);
	struct error err = ERROR_INIT;

	if (!row || word[length] != '=')
		die("%s: no such leaf", word);
	word += length + 1;
	if (codec_parse(row, config, word, strlen(word), &err))
		die("%s: %s", row->leaf, err.text);
}

static char **parse_leaves(enum object object, void *config, char **words)
{
	for (; *words && strcmp(*words, "/") != 0; words++)
		parse_leaf(object, config, *words);
	codec_complete(object, config);
	return *words ? words + 1 : words;
}

static const char *word_at(char **words, unsigned int n)
{
	for (unsigned int i = 0; i <= n; i++) {
		if (!words[i])
			die("something is missing after %s", i ? words[i - 1] : "the command");
	}
	return words[n];
}

static void tunnel_command(struct tool *tool, char **words)
{
	const char *verb = word_at(words, 0);
	struct job *job;

	if (!strcmp(verb, "add")) {
		job = new_job(tool, KERNEL_TUNNEL_CREATE);
		parse_leaves(OBJECT_TUNNEL, &job->tunnel, words + 1);
		job->request.tunnel = &job->tunnel;
	} else {
		job = new_job(tool,
			      !strcmp(verb, "del") ? KERNEL_TUNNEL_DELETE : KERNEL_TUNNEL_GET);
		job->request.tunnel_id = parse_id(word_at(words, 1));
		job->request.ret_tunnel = &job->found_tunnel;
		if (job->request.verb == KERNEL_TUNNEL_DELETE)
			note_delete(tool, job);
	}
	job_done(tool);
}

static void give_tunnel(struct job *job, const char *id)
{
	char text[32];

	snprintf(text, sizeof(text), "tunnel-id=%s", id);
	parse_leaf(OBJECT_TUNNEL, &job->tunnel, text);
	job->request.tunnel = &job->tunnel;
}

static void session_command(struct tool *tool, char **words)
{
	const char *verb = word_at(words, 0), *tunnel_id = word_at(words, 1);
	struct job *job;

	if (!strcmp(verb, "add") || !strcmp(verb, "set")) {
		job = new_job(tool,
			      !strcmp(verb, "add") ? KERNEL_SESSION_CREATE : KERNEL_SESSION_MODIFY);
		give_tunnel(job, tunnel_id);
		parse_leaves(OBJECT_SESSION, &job->session, words + 2);
		job->request.session = &job->session;
	} else {
		job = new_job(tool,
			      !strcmp(verb, "del") ? KERNEL_SESSION_DELETE : KERNEL_SESSION_GET);
		job->request.tunnel_id = parse_id(tunnel_id);
		job->request.session_id = parse_id(word_at(words, 2));
		job->request.ret_session = &job->found_session;
		job->request.ret_statistics = &job->statistics;
		job->counters = words[3] != NULL;
		if (job->request.verb == KERNEL_SESSION_DELETE)
			note_delete(tool, job);
	}
	job_done(tool);
}

static unsigned int index_of(struct tool *tool, const char *name)
{
	struct kernel_request get = {.verb = KERNEL_LINK_GET};

	snprintf(get.link.name, sizeof(get.link.name), "%s", name);
	tool->kernel->ops->submit(tool->kernel, &get, 1);
	return get.result ? 0 : get.link.index;
}

static struct mac parse_mac(const char *text)
{
	struct mac mac = {0};
	char *end = (char *)(uintptr_t)text;

	for (size_t i = 0; i < sizeof(mac.bytes); i++)
		mac.bytes[i] = (uint8_t)strtoul(i ? end + 1 : end, &end, 16);
	return mac;
}

static void parse_setting(struct tool *tool, struct kernel_request *request, const char *word)
{
	const char *value = strchr(word, '=');

	if (!value)
		die("%s: want NAME=VALUE", word);
	value++;
	if (!strncmp(word, "up=", 3)) {
		request->link.up = value[0] == '1';
		request->link_set |= LINK_UP;
	} else if (!strncmp(word, "mtu=", 4)) {
		request->link.mtu = parse_id(value);
		request->link_set |= LINK_MTU;
	} else if (!strncmp(word, "mac=", 4)) {
		request->link.mac = parse_mac(value);
		request->link_set |= LINK_MAC;
	} else if (!strncmp(word, "master=", 7)) {
		request->link.master = *value == '-' ? 0 : index_of(tool, value);
		request->link_set |= LINK_MASTER;
	} else {
		die("%s: no such setting", word);
	}
}

static void link_command(struct tool *tool, char **words)
{
	const char *verb = word_at(words, 0), *name = word_at(words, 1);
	struct job *job = new_job(tool, !strcmp(verb, "set")   ? KERNEL_LINK_SET
					: !strcmp(verb, "del") ? KERNEL_LINK_DELETE
							       : KERNEL_LINK_GET);

	snprintf(job->request.link.name, sizeof(job->request.link.name), "%s", name);
	if (job->request.verb == KERNEL_LINK_SET) {
		for (words += 2; *words; words++)
			parse_setting(tool, &job->request, *words);
	}
	job_done(tool);
}

static void vlan_command(struct tool *tool, char **words)
{
	struct job *job = new_job(tool, KERNEL_VLAN_CREATE);
	struct kernel_link *link = &job->request.link;

	snprintf(link->name, sizeof(link->name), "%s", word_at(words, 1));
	link->parent = index_of(tool, word_at(words, 2));
	link->vlan_id = (uint16_t)parse_id(word_at(words, 3));
	job_done(tool);
}

static void begin_command(struct tool *tool, char **words)
{
	(void)words;
	tool->batch = true;
}

static void submit_command(struct tool *tool, char **words)
{
	(void)words;
	submit(tool);
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

static void dump_command(struct tool *tool, char **words)
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

/*
 * Surroundings.
 */

static struct address parse_address(const char *text)
{
	struct address address = {.family = strchr(text, ':') ? AF_INET6 : AF_INET};

	if (inet_pton(address.family, text, address.bytes) != 1)
		die("%s: not an address", text);
	return address;
}

static void address_command(struct tool *tool, char **words)
{
	static const char *const states[] = {"absent", "tentative", "ready"};
	struct address address = parse_address(word_at(words, 0));

	puts(states[tool->kernel->ops->address_state(tool->kernel, &address)]);
}

static void route_command(struct tool *tool, char **words)
{
	struct address address = parse_address(word_at(words, 0));

	puts(result_name(tool->kernel->ops->route(tool->kernel, &address)));
}

static void source_command(struct tool *tool, char **words)
{
	struct address address = {0};
	uint8_t family = !strcmp(word_at(words, 1), "6") ? AF_INET6 : AF_INET;
	char text[INET6_ADDRSTRLEN] = "";
	int err = tool->kernel->ops->interface_address(tool->kernel, words[0], family, &address);

	if (!err)
		inet_ntop(family, address.bytes, text, sizeof(text));
	printf("%s %s\n", result_name(err), text);
}

/*
 * Waiting.
 */

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void gone_command(struct tool *tool, char **words)
{
	const char *what = word_at(words, 0);
	struct kernel_request get = {.verb = KERNEL_LINK_GET};
	double deadline = seconds() + GONE_SECONDS;

	if (!strcmp(what, "link")) {
		snprintf(get.link.name, sizeof(get.link.name), "%s", word_at(words, 1));
	} else {
		get.verb = !strcmp(what, "tunnel") ? KERNEL_TUNNEL_GET : KERNEL_SESSION_GET;
		get.tunnel_id = parse_id(word_at(words, 1));
		get.session_id = parse_id(words[2]);
	}
	do {
		tool->kernel->ops->submit(tool->kernel, &get, 1);
		if (!get.result)
			usleep(5000);
	} while (!get.result && seconds() < deadline);
	printf("%s\n", get.result == -ENODEV ? "gone" : "still there");
}

static void settle_command(struct tool *tool, char **words)
{
	double deadline = seconds() + GONE_SECONDS;

	(void)words;
	for (size_t i = 0; i < tool->going_count; i++) {
		while (!is_gone(tool, &tool->going[i])) {
			if (seconds() > deadline)
				die("tunnel %" PRIu32 " session %" PRIu32 " %s does not go",
				    tool->going[i].tunnel_id, tool->going[i].session_id,
				    tool->going[i].interface);
			usleep(2000);
		}
	}
	tool->going_count = 0;
}

static void print_event(const struct kernel_event *event, void *arg)
{
	static const char *const names[] = {"tunnel",  "session", "link", "link-gone",
					    "address", "route",   "lost"};

	++*(unsigned int *)arg;
	printf("  %s", names[event->type]);
	if (event->type <= KERNEL_EVENT_SESSION)
		printf(" %" PRIu32 " %" PRIu32, event->tunnel_id, event->session_id);
	else if (event->type <= KERNEL_EVENT_LINK_GONE)
		printf(" %s up=%d mtu=%u", event->link.name, event->link.up, event->link.mtu);
	putchar('\n');
}

static void events_command(struct tool *tool, char **words)
{
	struct pollfd polled[2];
	unsigned int events = 0;
	int fds[2];
	unsigned int count = tool->kernel->ops->event_fds(tool->kernel, fds);

	(void)words;
	for (unsigned int i = 0; i < count; i++)
		polled[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
	while (poll(polled, count, 300) > 0)
		tool->kernel->ops->read_events(tool->kernel, print_event, &events);
	printf("ok %u\n", events);
}

/*
 * The rest.
 */

static void connect_command(struct tool *tool, char **words)
{
	struct error err = ERROR_INIT;
	int result = tool->kernel->ops->connect(tool->kernel, &err);

	(void)words;
	printf("%s %s\n", result_name(result), err.text);
}

static void capabilities_command(struct tool *tool, char **words)
{
	(void)words;
	printf("ok %x\n", tool->kernel->ops->capabilities(tool->kernel));
}

static void release_command(struct tool *tool, char **words)
{
	(void)words;
	printf("ok %s\n", tool->kernel->ops->release(tool->kernel));
}

static void writes_command(struct tool *tool, char **words)
{
	(void)words;
	printf("ok %" PRIu64 "\n", tool->kernel->ops->writes(tool->kernel));
}

static enum kernel_verb parse_verb(const char *name)
{
	static const char *const names[] = {"tunnel-create",  "tunnel-delete",  "tunnel-get",
					    "session-create", "session-modify", "session-delete",
					    "session-get",    "link-set",       "link-get",
					    "vlan-create",    "link-delete"};

	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(names[i], name))
			return i;
	}
	die("%s: no such verb", name);
}

static int parse_errno(const char *name)
{
	for (int i = 1; i < 200; i++) {
		if (strerrorname_np(i) && !strcmp(strerrorname_np(i), name))
			return -i;
	}
	return 0;
}

static void explain_command(struct tool *tool, char **words)
{
	struct tunnel tunnel = {0};
	struct session session = {0};
	char text[KERNEL_EXPLAIN_MAX];

	(void)tool;
	word_at(words, 1);
	parse_leaves(OBJECT_SESSION, &session, parse_leaves(OBJECT_TUNNEL, &tunnel, words + 2));
	kernel_explain(parse_verb(words[0]), parse_errno(words[1]), &tunnel, &session, text);
	puts(text);
}

static void sim_command(struct tool *tool, char **words)
{
	const char *what = word_at(words, 0);
	struct kernel *kernel = tool->kernel;
	int err = -EINVAL;

	word_at(words, 1);
	if (!tool->simulated)
		return;
	if (!strcmp(what, "address"))
		err = sim_add_address(kernel, words[1], word_at(words, 2), false);
	else if (!strcmp(what, "unaddress"))
		err = sim_remove_address(kernel, words[1]);
	else if (!strcmp(what, "route"))
		err = sim_add_route(kernel, words[1], words[2] ? parse_errno(words[2]) : 0);
	else if (!strcmp(what, "unroute"))
		err = sim_remove_route(kernel, words[1]);
	else if (!strcmp(what, "bridge"))
		err = sim_add_link(kernel, words[1], true);
	if (err)
		die("sim %s: %s", what, result_name(err));
}

/* clang-format off */
static const struct {
	const char *name;
	void (*run)(struct tool *tool, char **words);
} commands[] = {
	{ "tunnel", tunnel_command },
	{ "session", session_command },
	{ "link", link_command },
	{ "vlan", vlan_command },
	{ "begin", begin_command },
	{ "submit", submit_command },
	{ "dump", dump_command },
	{ "address", address_command },
	{ "route", route_command },
	{ "source", source_command },
	{ "settle", settle_command },
	{ "gone", gone_command },
	{ "events", events_command },
	{ "connect", connect_command },
	{ "capabilities", capabilities_command },
	{ "release", release_command },
	{ "writes", writes_command },
	{ "explain", explain_command },
	{ "sim", sim_command },
};
/* clang-format on */

static void run_line(struct tool *tool, char *line)
{
	char *words[WORDS_MAX + 1] = {NULL}, *rest = line;
	unsigned int count = 0;

	while (count < WORDS_MAX && (words[count] = strsep(&rest, " \n")))
		count += words[count][0] != '\0';
	words[count] = NULL;
	if (!words[0] || words[0][0] == '#')
		return;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (!strcmp(commands[i].name, words[0])) {
			commands[i].run(tool, words + 1);
			fflush(stdout);
			return;
		}
	}
	die("%s: no such command", words[0]);
}

int main(int argc, char **argv)
{
	struct tool tool = {.jobs = calloc(BATCH_MAX, sizeof(*tool.jobs))};
	struct error err = ERROR_INIT;
	char *line = NULL;
	size_t size = 0;
	int result = -EINVAL;

	if (argc > 1 && !strcmp(argv[1], "--real"))
		result = kernel_open_netlink(&tool.kernel, argc > 2 ? argv[2] : NULL, &err);
	else if (argc > 2 && !strcmp(argv[1], "--sim"))
		result = kernel_open_sim(&tool.kernel, argv[2], &err);
	else
		die("usage: kernel_tool --real [NETNS] | --sim PROFILE");
	tool.simulated = argc > 2 && !strcmp(argv[1], "--sim");
	if (result)
		die("%s", err.text);
	while (getline(&line, &size, stdin) > 0)
		run_line(&tool, line);
	free(line);
	free(tool.jobs);
	free(tool.going);
	tool.kernel->ops->close(tool.kernel);
	return 0;
}
