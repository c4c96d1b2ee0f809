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
 *   address ADDRESS [VRF-IFINDEX] | source INTERFACE REMOTE [LAST] | has INTERFACE ADDRESS
 *   route REMOTE [LOCAL]: "... down" if the link below is
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
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kernel/sim/sim.h"
#include "tool.h"

#define WORDS_MAX    40
#define GONE_SECONDS 30

void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fflush(stdout);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(2);
}

uint32_t parse_id(const char *text)
{
	return text ? (uint32_t)strtoul(text, NULL, 0) : 0;
}

void parse_leaf(enum object object, void *config, const char *word)
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

char **parse_leaves(enum object object, void *config, char **words)
{
	for (; *words && strcmp(*words, "/") != 0; words++)
		parse_leaf(object, config, *words);
	codec_complete(object, config);
	return *words ? words + 1 : words;
}

const char *word_at(char **words, unsigned int n)
{
	for (unsigned int i = 0; i <= n; i++) {
		if (!words[i])
			die("something is missing after %s", i ? words[i - 1] : "the command");
	}
	return words[n];
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
	static const char *const states[] = {
		[ADDRESS_UNKNOWN] = "unknown",     [ADDRESS_ABSENT] = "absent",
		[ADDRESS_TENTATIVE] = "tentative", [ADDRESS_DUPLICATE] = "duplicate",
		[ADDRESS_READY] = "ready",
	};
	struct address address = parse_address(word_at(words, 0));
	unsigned int vrf = words[1] ? (unsigned int)strtoul(words[1], NULL, 10) : 0;

	puts(states[tool->kernel->ops->address_state(tool->kernel, &address, vrf)]);
}

static void route_command(struct tool *tool, char **words)
{
	struct tunnel ends = {.remote_address = parse_address(word_at(words, 0)),
			      .encapsulation = ENCAPSULATION_IP};
	struct kernel_route route = {0};
	int err;

	if (words[1])
		ends.local_address = parse_address(words[1]);
	err = tool->kernel->ops->route(tool->kernel, &ends, &route);
	printf("%s%s\n", result_name(err), route.down ? " down" : "");
}

static void source_command(struct tool *tool, char **words)
{
	struct address remote = parse_address(word_at(words, 1)), address = {0};
	char text[INET6_ADDRSTRLEN] = "";
	int err;

	if (words[2])
		address = parse_address(words[2]);
	err = tool->kernel->ops->interface_address(tool->kernel, words[0], &remote, &address);
	if (!err || err == -EAGAIN)
		inet_ntop(remote.family, address.bytes, text, sizeof(text));
	printf("%s %s\n", result_name(err), text);
}

static void has_command(struct tool *tool, char **words)
{
	struct address address = parse_address(word_at(words, 1));

	puts(result_name(tool->kernel->ops->interface_has(tool->kernel, words[0], &address)));
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
	static const char *const names[] = {"tunnel",  "session", "link",   "link-gone",
					    "address", "route",   "family", "lost"};

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
	{ "has", has_command },
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
