#include "base/fault.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Globals, for a process dies only once. 0: not requested. */
static struct {
	bool read;
	char kind[16]; /* "" any */
	unsigned long left;
} fault;

static void read_environment(void)
{
	const char *value = getenv("L2TPV3D_DIE_AT");
	const char *colon = value ? strchr(value, ':') : NULL;
	size_t length = colon ? (size_t)(colon - value) : 0;

	fault.read = true;
	if (!value || length >= sizeof(fault.kind))
		return;
	memcpy(fault.kind, value, length);
	fault.left = strtoul(colon ? colon + 1 : value, NULL, 10);
}

void fault_point(const char *kind)
{
	if (!fault.read)
		read_environment();
	if (fault.left == 0 || (fault.kind[0] != '\0' && strcmp(fault.kind, kind) != 0))
		return;
	if (--fault.left == 0)
		kill(getpid(), SIGKILL);
}
