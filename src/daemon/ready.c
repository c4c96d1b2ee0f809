#include "daemon/ready.h"

#include <errno.h>
#include <event2/event.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int parent_fd = -1;

static void wait_in_parent(int fd)
{
	char byte;
	ssize_t n;

	do
		n = read(fd, &byte, 1);
	while (n < 0 && errno == EINTR);
	_exit(n == 1 ? 0 : 1);
}

int ready_background(bool keep_directory)
{
	int fds[2];
	pid_t pid;

	if (pipe(fds) < 0)
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid > 0) {
		close(fds[1]);
		wait_in_parent(fds[0]);
	}
	close(fds[0]);
	parent_fd = fds[1];
	setsid();
	return !keep_directory && chdir("/") < 0 ? -errno : 0;
}

static void notify(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = path ? strlen(path) : 0;
	int fd;

	if (length < 2 || length >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, path, length);
	if (path[0] == '@')
		address.sun_path[0] = '\0'; /* the abstract namespace */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	/* nothing to do when nobody listens */
	if (sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&address,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) < 0)
		(void)errno;
	close(fd);
}

static bool has_status;

void ready_takes_time(const char *text)
{
	char message[256];

	snprintf(message, sizeof(message), "STATUS=%s", text);
	notify("EXTEND_TIMEOUT_USEC=30000000");
	notify(message);
	has_status = true;
}

void ready_clear_status(void)
{
	if (has_status)
		notify("STATUS=");
	has_status = false;
}

/* Ignore errors: there is nobody left to tell. */
static void silence(FILE *file, const char *mode)
{
	if (!freopen("/dev/null", mode, file))
		(void)errno;
}

void ready_tell(void)
{
	notify("READY=1");
	if (parent_fd < 0)
		return;
	if (write(parent_fd, "", 1) < 0)
		(void)errno; /* the parent has died: nobody waits */
	close(parent_fd);
	parent_fd = -1;
	silence(stdin, "r");
	silence(stdout, "w");
	silence(stderr, "w");
}

void ready_stopping(void)
{
	notify("STOPPING=1");
}

static void on_watch(int fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	notify("WATCHDOG=1");
}

static bool is_for_us(void)
{
	const char *pid = getenv("WATCHDOG_PID");

	return !pid || strtol(pid, NULL, 10) == getpid();
}

int ready_watch(struct event_base *base, struct event **ret)
{
	const char *text = getenv("WATCHDOG_USEC");
	unsigned long long half = text && is_for_us() ? strtoull(text, NULL, 10) / 2 : 0;
	const struct timeval interval = {.tv_sec = (time_t)(half / 1000000),
					 .tv_usec = (suseconds_t)(half % 1000000)};

	*ret = NULL;
	if (half == 0)
		return 0;
	*ret = event_new(base, -1, EV_PERSIST, on_watch, NULL);
	return *ret && event_add(*ret, &interval) == 0 ? 0 : -ENOMEM;
}
