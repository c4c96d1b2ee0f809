#include "engine/context.h"

#include <errno.h>
#include <event2/event.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>

#define MANY_ENTRIES 4096 /* a megabyte or so */

#define POLLED_NS (2 * NS_PER_S) /* for this long after a poll slices are half as long */

void engine_log(struct engine *engine, int priority, const char *format, ...)
{
	char text[512];
	va_list ap;

	if (!engine->o.log)
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	engine->o.log(priority, text, engine->o.arg);
}

void engine_tell(struct engine *engine, const struct engine_event *event)
{
	for (size_t i = 0; i < engine->watcher_count; i++)
		engine->watchers[i].cb(event, engine->watchers[i].arg);
}

void engine_schedule_in(struct engine *engine, int64_t ns)
{
	struct timeval tv = {.tv_sec = ns / NS_PER_S, .tv_usec = (ns % NS_PER_S + 999) / 1000};

	if (!engine->closing)
		evtimer_add(engine->turn, &tv);
}

void engine_schedule(struct engine *engine)
{
	engine_schedule_in(engine, 0);
}

int64_t engine_share(const struct engine *engine, int64_t usual)
{
	bool polled = engine->polled_at && clock_now() - engine->polled_at < POLLED_NS;

	return polled ? usual / 2 : usual;
}

void engine_begin_slice(struct engine *engine)
{
	engine->slice_ends = clock_now() + engine_share(engine, SLICE_NS);
	engine->slice_units = 0;
}

bool engine_may_go_on(struct engine *engine)
{
	engine->slice_units++;
	if (engine->o.slice_units)
		return engine->slice_units < engine->o.slice_units;
	return clock_now() < engine->slice_ends;
}

/* The module was unloaded: the family is gone, or will have another number. */
static bool family_gone(const struct kernel_request *requests, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (requests[i].verb <= KERNEL_SESSION_GET && requests[i].result == -ENOENT)
			return true;
	return false;
}

void engine_give_back(size_t entries)
{
	if (entries >= MANY_ENTRIES)
		malloc_trim(0);
}

int engine_submit(struct engine *engine, struct kernel_request *requests, size_t count)
{
	int rc = engine->k->submit(engine->o.kernel, requests, count);

	if (engine->connected && family_gone(requests, count)) {
		engine->connected = false;
		engine->disconnected = true;
		agenda_read_all(&engine->agenda, 0);
	}
	return rc;
}

bool engine_connect(struct engine *engine, struct error *err)
{
	int rc;

	if (engine->connected)
		return true;
	rc = engine->k->connect(engine->o.kernel, err);
	engine->connected = rc == 0;
	if (engine->connected && engine->disconnected) {
		engine->disconnected = false;
		agenda_read_all(&engine->agenda, 0);
	}
	if (err)
		err->os_errno = -rc;
	return engine->connected;
}
