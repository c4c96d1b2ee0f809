/* kernel_tool's requests, alone or as a batch, and what goes later than its delete returns. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

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

bool is_gone(struct tool *tool, const struct going *going)
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

void tunnel_command(struct tool *tool, char **words)
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

void session_command(struct tool *tool, char **words)
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
	} else if (!strncmp(word, "alias=", 6)) {
		request->link.alias = strdup(value); /* outlives the line; "": none */
		request->link_set |= LINK_ALIAS;
	} else if (!strncmp(word, "dormant=", 8)) {
		request->link.dormant = value[0] == '1';
		request->link_set |= LINK_DORMANT;
	} else {
		die("%s: no such setting", word);
	}
}

void link_command(struct tool *tool, char **words)
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

void vlan_command(struct tool *tool, char **words)
{
	struct job *job = new_job(tool, KERNEL_VLAN_CREATE);
	struct kernel_link *link = &job->request.link;

	snprintf(link->name, sizeof(link->name), "%s", word_at(words, 1));
	link->parent = index_of(tool, word_at(words, 2));
	link->vlan_id = (uint16_t)parse_id(word_at(words, 3));
	job_done(tool);
}

void begin_command(struct tool *tool, char **words)
{
	(void)words;
	tool->batch = true;
}

void submit_command(struct tool *tool, char **words)
{
	(void)words;
	submit(tool);
}
