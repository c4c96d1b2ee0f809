/* The command line of l2tpv3d, and its usage text, from one table. */
#ifndef DAEMON_OPTIONS_H
#define DAEMON_OPTIONS_H

#include <stdbool.h>

struct options {
	const char *state_directory; /* -s */
	const char *socket_path;     /* -S */
	const char *agentx_address;  /* -x */
	const char *context;         /* --context, "" the default one */
	const char *yang_path;       /* --yang-path */
	const char *netns;           /* -N, NULL none */
	const char *kernel;          /* --kernel: "real", "sim", "sim:6.1" */
	const char *check_file;      /* -n, NULL none */
	const char *debug;           /* -d, "" none */
	unsigned int counter_age_ms; /* --counter-age */
	unsigned int idle_timeout;   /* --idle-timeout, --lock-timeout: seconds, 0 never */
	unsigned int lock_timeout;
	unsigned int history_size;             /* --history-size: MB */
	unsigned int history_age;              /* --history-age: days, 0 any */
	unsigned int notify_rate, notify_each; /* notifications a second */
	bool foreground, no_snmp, notify, notify_pseudowires, no_repair;
};

/* What main does next. */
enum options_verdict { OPTIONS_RUN, OPTIONS_DONE, OPTIONS_WRONG };

/* Prints errors and the texts of -h and -V. The strings point into argv. */
enum options_verdict options_read(int argc, char **argv, struct options *ret);

/* Does a path among the options depend on the working directory? */
bool options_relative(const struct options *options);

#endif
