/* Time in the simulated kernel, and delayed work. */
#include <sys/timerfd.h>

#include "kernel/sim/simulated.h"
#include "base/clock.h"

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_US INT64_C(1000)

static int compare_work(const struct sim_work *a, const struct sim_work *b)
{
	if (a->due != b->due)
		return a->due < b->due ? -1 : 1;
	return a->serial < b->serial ? -1 : a->serial > b->serial;
}

SIM_TREE(sim_work_tree, sim_work, entry, compare_work)

int sim_time_open(struct sim *sim)
{
	RB_INIT(&sim->work);
	sim->delay = 10 * NS_PER_MS;
	sim->delay_each = 100 * NS_PER_US;
	sim->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	return sim->timer_fd < 0 ? -1 : 0;
}

int64_t sim_now(const struct sim *sim)
{
	if (sim->time_held)
		return sim->held_time;
	return clock_read(CLOCK_MONOTONIC);
}

static void arm_timer(struct sim *sim)
{
	const struct sim_work *next = RB_MIN(sim_work_tree, &sim->work);
	struct itimerspec when = {0};

	if (next && !sim->time_held)
		when.it_value = (struct timespec){.tv_sec = next->due / NS_PER_S,
						  .tv_nsec = next->due % NS_PER_S};
	timerfd_settime(sim->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static void insert(struct sim *sim, struct sim_work *work, int64_t due, sim_work_fn *run)
{
	work->due = due;
	work->run = run;
	work->serial = ++sim->serial;
	RB_INSERT(sim_work_tree, &sim->work, work);
	if (RB_MIN(sim_work_tree, &sim->work) == work)
		arm_timer(sim);
}

void sim_later(struct sim *sim, struct sim_work *work, sim_work_fn *run)
{
	insert(sim, work, sim_now(sim) + sim->delay, run);
}

void sim_enqueue(struct sim *sim, struct sim_work *work, int64_t delay, sim_work_fn *run)
{
	int64_t due = sim_now(sim) + delay;

	if (due < sim->last_due)
		due = sim->last_due;
	due += sim->delay_each;
	sim->last_due = due;
	insert(sim, work, due, run);
}

void sim_cancel(struct sim *sim, struct sim_work *work)
{
	if (work->run)
		RB_REMOVE(sim_work_tree, &sim->work, work);
	work->run = NULL;
}

static void run_until(struct sim *sim, int64_t until)
{
	struct sim_work *work;

	while ((work = RB_MIN(sim_work_tree, &sim->work)) && work->due <= until) {
		sim_work_fn *run = work->run;

		if (sim->time_held && sim->held_time < work->due)
			sim->held_time = work->due;
		sim_cancel(sim, work);
		run(sim, work);
	}
}

void sim_catch_up(struct sim *sim)
{
	if (RB_EMPTY(&sim->work))
		return;
	run_until(sim, sim_now(sim));
	arm_timer(sim);
}

void sim_hold_time(struct kernel *kernel)
{
	struct sim *sim = sim_of(kernel);

	sim->held_time = sim_now(sim);
	sim->time_held = true;
	arm_timer(sim);
}

void sim_advance(struct kernel *kernel, unsigned int milliseconds)
{
	struct sim *sim = sim_of(kernel);
	int64_t until = sim->held_time + milliseconds * NS_PER_MS;

	run_until(sim, until);
	sim->held_time = until;
}

void sim_reap(struct kernel *kernel)
{
	struct sim *sim = sim_of(kernel);

	run_until(sim, INT64_MAX);
	sim->last_due = 0;
	arm_timer(sim);
}

void sim_set_delays(struct kernel *kernel, unsigned int milliseconds,
		    unsigned int microseconds_each)
{
	struct sim *sim = sim_of(kernel);

	sim->delay = milliseconds * NS_PER_MS;
	sim->delay_each = microseconds_each * NS_PER_US;
}
