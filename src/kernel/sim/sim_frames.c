/* Frames sent on links of the simulated kernel: they are counted, and go nowhere. */
#include <errno.h>
#include <string.h>

#include "kernel/sim/simulated.h"

static bool send_frame(struct sim *sim, const struct kernel_frame *frame)
{
	struct sim_link *link = sim_link_by_index(sim, frame->index);
	const struct statistics more = {.tx_packets = 1, .tx_bytes = 100};
	struct sim_frames *frames = &sim->frames;

	if (!link || !link->link.up || frame->length > sizeof(frames->last)) {
		frames->refused++;
		return false;
	}
	link->frames++;
	frames->sent++;
	memcpy(frames->last, frame->bytes, frame->length);
	frames->last_length = frame->length;
	if (link->session_id)
		(void)sim_count(&sim->kernel, link->tunnel_id, link->session_id, &more);
	return true;
}

int sim_send_frames(struct kernel *kernel, const struct kernel_frame *frames, size_t count)
{
	struct sim *sim = sim_of(kernel);
	int sent = 0;

	if (sim->frameless)
		return -EPERM;
	sim_catch_up(sim);
	for (size_t i = 0; i < count; i++)
		sent += send_frame(sim, &frames[i]);
	return sent;
}

/*
 * Controls.
 */

const struct sim_frames *sim_frames(const struct kernel *kernel)
{
	return &sim_of(kernel)->frames;
}

int sim_frames_on(const struct kernel *kernel, const char *name)
{
	const struct sim_link *link = sim_link_by_name(sim_of(kernel), name);

	return link ? (int)link->frames : -ENODEV;
}

void sim_permit_frames(struct kernel *kernel, bool permitted)
{
	sim_of(kernel)->frameless = !permitted;
}
