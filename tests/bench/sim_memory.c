/*
 * What the simulated kernel takes of the daemon's memory and time for N sessions in one tunnel: no
 * real kernel's daemon has its structures, nor does its work.
 *
 * usage: sim_memory N
 *
 * Prints the kilobytes by which the process has grown, and the milliseconds of the processor.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "kernel/kernel.h"
#include "model/codec.h"

static long resident_kb(void)
{
	char line[256];
	long kb = 0;
	FILE *file = fopen("/proc/self/status", "re");

	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "VmRSS: %ld", &kb);
	if (file)
		fclose(file);
	return kb;
}

static double cpu_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void carry_out(struct kernel *kernel, struct kernel_request *request)
{
	if (kernel->ops->submit(kernel, request, 1) != 0 || request->result != 0)
		errx(1, "the simulated kernel refused request %d: %d", request->verb,
		     request->result);
}

static void make_tunnel(struct kernel *kernel)
{
	struct tunnel tunnel = {.present = BIT(TUNNEL_ID) | BIT(TUNNEL_PEER_TUNNEL_ID) |
					   BIT(TUNNEL_LOCAL_ADDRESS) | BIT(TUNNEL_REMOTE_ADDRESS),
				.tunnel_id = 1,
				.peer_tunnel_id = 1,
				.local_address = {AF_INET, {10, 0, 0, 1}},
				.remote_address = {AF_INET, {10, 0, 0, 2}}};
	struct kernel_request request = {
		.verb = KERNEL_TUNNEL_CREATE, .tunnel_id = 1, .tunnel = &tunnel};

	codec_complete(OBJECT_TUNNEL, &tunnel);
	carry_out(kernel, &request);
}

/* As the engine does, up at the end. */
static void make_session(struct kernel *kernel, uint32_t id)
{
	struct session session = {.present = BIT(SESSION_ID) | BIT(SESSION_PEER_SESSION_ID) |
					     BIT(SESSION_INTERFACE_NAME),
				  .session_id = id,
				  .peer_session_id = id};
	struct kernel_request create = {.verb = KERNEL_SESSION_CREATE,
					.tunnel_id = 1,
					.session_id = id,
					.session = &session};
	struct kernel_request set = {
		.verb = KERNEL_LINK_SET, .link = {.up = true}, .link_set = LINK_UP};

	snprintf(session.interface_name, sizeof(session.interface_name), "l2%u", id);
	snprintf(set.link.name, sizeof(set.link.name), "l2%u", id);
	codec_complete(OBJECT_SESSION, &session);
	carry_out(kernel, &create);
	carry_out(kernel, &set);
}

int main(int argc, char **argv)
{
	uint32_t count = argc == 2 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
	struct error error = ERROR_INIT;
	struct kernel *kernel;
	double begun, took;
	long before;

	if (!count)
		errx(2, "usage: sim_memory N");
	if (kernel_open_sim(&kernel, "6.12", &error) != 0)
		errx(1, "%s", error.text);
	if (kernel->ops->connect(kernel, &error) != 0)
		errx(1, "%s", error.text);
	before = resident_kb();
	begun = cpu_ms();
	make_tunnel(kernel);
	for (uint32_t id = 1; id <= count; id++)
		make_session(kernel, id);
	took = cpu_ms() - begun;
	printf("%ld %.3f\n", resident_kb() - before, took);
	kernel->ops->close(kernel);
	return 0;
}
