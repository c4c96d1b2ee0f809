/*
 * Events of the simulated kernel: a queue, bounded like a socket's; an eventfd, readable while the
 * queue is not empty; and the timer.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "kernel/sim/simulated.h"

int sim_events_open(struct sim *sim)
{
	TAILQ_INIT(&sim->events);
	TAILQ_INIT(&sim->spare);
	sim->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return sim->event_fd < 0 ? -1 : 0;
}

static void wake(struct sim *sim)
{
	const uint64_t one = 1;

	if (write(sim->event_fd, &one, sizeof(one)) < 0)
		return; /* it is full, and thus readable already */
}

static void drain(int fd)
{
	uint64_t count;

	if (read(fd, &count, sizeof(count)) < 0)
		return; /* it is empty */
}

static struct sim_event *new_event(struct sim *sim)
{
	struct sim_event *entry = TAILQ_FIRST(&sim->spare);

	if (sim->event_count == SIM_EVENTS_MAX)
		return NULL;
	if (entry)
		TAILQ_REMOVE(&sim->spare, entry, entry);
	return entry ? entry : malloc(sizeof(*entry));
}

static void add_event(struct sim *sim, const struct kernel_event *event)
{
	struct sim_event *entry = new_event(sim);

	if (entry) {
		entry->event = *event;
		if (event->link.alternatives) { /* the link may go before the event is read */
			memcpy(entry->alternatives, event->link.alternatives,
			       sizeof(entry->alternatives));
			entry->event.link.alternatives = entry->alternatives;
		}
		if (event->link.alias) {
			snprintf(entry->alias, sizeof(entry->alias), "%s", event->link.alias);
			entry->event.link.alias = entry->alias;
		}
		TAILQ_INSERT_TAIL(&sim->events, entry, entry);
		sim->event_count++;
	} else {
		sim->events_lost = true;
	}
	if (sim->event_count <= 1)
		wake(sim);
}

static struct sim_event *take_event(struct sim *sim)
{
	struct sim_event *entry = TAILQ_FIRST(&sim->events);

	if (entry) {
		TAILQ_REMOVE(&sim->events, entry, entry);
		sim->event_count--;
	}
	return entry;
}

static void drop_events(struct sim *sim)
{
	struct sim_event *entry;

	while ((entry = take_event(sim)))
		TAILQ_INSERT_HEAD(&sim->spare, entry, entry);
}

void sim_forget_events(struct sim *sim)
{
	drop_events(sim);
	drain(sim->event_fd);
}

void sim_events_close(struct sim *sim)
{
	struct sim_event *entry;

	drop_events(sim);
	while ((entry = TAILQ_FIRST(&sim->spare))) {
		TAILQ_REMOVE(&sim->spare, entry, entry);
		free(entry);
	}
	close(sim->event_fd);
}

void sim_tell(struct sim *sim, enum kernel_event_type type, uint32_t tunnel_id, uint32_t session_id)
{
	const struct kernel_event event = {
		.type = type, .tunnel_id = tunnel_id, .session_id = session_id};

	add_event(sim, &event);
}

void sim_tell_link(struct sim *sim, enum kernel_event_type type, const struct sim_link *link)
{
	const struct kernel_event event = {.type = type, .link = sim_link_seen(link)};

	add_event(sim, &event);
}

void sim_noise(struct kernel *kernel, uint32_t tunnel_id, uint32_t session_id)
{
	sim_tell(sim_of(kernel), session_id ? KERNEL_EVENT_SESSION : KERNEL_EVENT_TUNNEL, tunnel_id,
		 session_id);
}

void sim_lose_events(struct kernel *kernel)
{
	struct sim *sim = sim_of(kernel);

	drop_events(sim);
	sim->events_lost = true;
	wake(sim);
}

/* Its interfaces have no addresses, so there are no events to stop. */
void sim_hush(struct kernel *kernel, bool hush)
{
	(void)kernel, (void)hush;
}

unsigned int sim_event_fds(struct kernel *kernel, int ret_fds[2])
{
	ret_fds[0] = sim_of(kernel)->event_fd;
	ret_fds[1] = sim_of(kernel)->timer_fd;
	return 2;
}

void sim_read_events(struct kernel *kernel, kernel_event_cb *cb, void *arg)
{
	struct sim *sim = sim_of(kernel);
	struct sim_event *entry;
	bool lost;

	drain(sim->timer_fd);
	sim_catch_up(sim);
	drain(sim->event_fd);
	/* @cb may change things and thus add events: pass on only those queued now. */
	for (unsigned int left = sim->event_count; left && (entry = take_event(sim)); left--) {
		cb(&entry->event, arg);
		TAILQ_INSERT_HEAD(&sim->spare, entry, entry);
	}
	lost = sim->events_lost;
	sim->events_lost = false;
	if (lost)
		cb(&(const struct kernel_event){.type = KERNEL_EVENT_LOST}, arg);
	if (sim->event_count)
		wake(sim);
}
