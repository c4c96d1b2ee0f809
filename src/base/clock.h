/* Time in nanoseconds. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS_PER_S INT64_C(1000000000)

static inline int64_t clock_read(clockid_t clock)
{
	struct timespec now = {0};

	clock_gettime(clock, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* CLOCK_BOOTTIME, which counts while the machine sleeps and is never set: for all but dates. */
static inline int64_t clock_now(void)
{
	return clock_read(CLOCK_BOOTTIME);
}

/*
 * A point in time that managers are told. The wall clock is read once, when it is
 * there: what is past does not move when that clock is set.
 */
struct moment {
	int64_t at;   /* CLOCK_BOOTTIME; 0: never. First, for rows of a time are read as numbers */
	int64_t wall; /* CLOCK_REALTIME then */
};

static inline struct moment clock_moment(void)
{
	return (struct moment){clock_now(), clock_read(CLOCK_REALTIME)};
}

#endif
