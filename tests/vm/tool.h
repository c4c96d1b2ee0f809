/* What the files of kernel_tool share. */
#ifndef VM_TOOL_H
#define VM_TOOL_H

#include "kernel/kernel.h"
#include "model/codec.h"

#define BATCH_MAX 20000

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

/* ---- kernel_tool.c */
void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
const char *word_at(char **words, unsigned int n);
uint32_t parse_id(const char *text); /* 0 for NULL */
void parse_leaf(enum object object, void *config, const char *word);
/* LEAF=VALUE... up to "/" or the end; returns what comes after that. */
char **parse_leaves(enum object object, void *config, char **words);

/* ---- tool_print.c */
const char *result_name(int result);
void print_job(struct tool *tool, const struct job *job);
void dump_command(struct tool *tool, char **words);

/* ---- tool_request.c */
bool is_gone(struct tool *tool, const struct going *going);
void tunnel_command(struct tool *tool, char **words);
void session_command(struct tool *tool, char **words);
void link_command(struct tool *tool, char **words);
void vlan_command(struct tool *tool, char **words);
void begin_command(struct tool *tool, char **words);
void submit_command(struct tool *tool, char **words);

#endif
