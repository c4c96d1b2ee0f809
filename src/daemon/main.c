/* l2tpv3d: manages the kernel's static L2TPv3 tunnels and sessions. */
#include <event2/event.h>
#include <syslog.h>

#include "daemon/daemon.h"
#include "daemon/log.h"
#include "daemon/ready.h"
#include "base/arena.h"
#include "base/standard_files.h"
#include "base/wipe.h"

static size_t start(struct daemon *daemon)
{
	struct error err = ERROR_INIT;
	size_t started = 0;

	while (stages[started].name && stages[started].start(daemon, &err) == 0)
		started++;
	if (stages[started].name)
		log_text(LOG_ERR, "%s: %s", stages[started].name, err.text);
	return started;
}

static void stop(struct daemon *daemon, size_t started)
{
	while (started--)
		stages[started].stop(daemon);
}

static bool go_into_background(const struct options *options)
{
	int rc = ready_background(options_relative(options));

	if (rc < 0)
		log_text(LOG_ERR, "cannot run in the background: %s", strerror(-rc));
	return rc == 0;
}

int main(int argc, char **argv)
{
	struct options options;
	struct daemon daemon = {.options = &options};
	size_t started;
	bool ready;

	standard_files_occupy();
	wipe_forbid_dumps();
	arena_return_to_system();
	switch (options_read(argc, argv, &options)) {
	case OPTIONS_RUN:
		break;
	case OPTIONS_DONE:
		return 0;
	case OPTIONS_WRONG:
		return 2;
	}
	if (options.check_file)
		return daemon_check(options.check_file);
	log_open(options.foreground, options.debug);
	if (!options.foreground && !go_into_background(&options))
		return 1;
	started = start(&daemon);
	ready = !stages[started].name;
	if (ready) {
		ready_tell();
		log_started();
		log_text(LOG_NOTICE, "ready");
		if (!daemon.stopping)
			event_base_dispatch(daemon.base);
		ready_stopping();
	}
	/* the failed part may be half started: every stop function accepts that */
	stop(&daemon, ready ? started : started + 1);
	return ready ? 0 : 1;
}
