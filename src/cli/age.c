#include "cli/age.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

void age_of_seconds(int64_t seconds, char ret[AGE_MAX])
{
	static const struct {
		const char *name;
		int64_t seconds, next;
	} units[] = {{"d", 86400, 3600}, {"h", 3600, 60}, {"min", 60, 0}, {"s", 1, 0}};
	static const char *const smaller[] = {"h", "min"};
	unsigned int at = 0;
	int64_t rest;

	while (at < 3 && seconds < units[at].seconds)
		at++;
	rest = units[at].next ? seconds % units[at].seconds / units[at].next : 0;
	if (rest)
		snprintf(ret, AGE_MAX, "%" PRId64 " %s %" PRId64 " %s", seconds / units[at].seconds,
			 units[at].name, rest, smaller[at]);
	else
		snprintf(ret, AGE_MAX, "%" PRId64 " %s", seconds / units[at].seconds,
			 units[at].name);
}

bool age_since(const char *text, char ret[AGE_MAX])
{
	struct tm tm = {0};
	int64_t age;

	if (!strptime(text, "%Y-%m-%dT%H:%M:%S", &tm))
		return false;
	age = (int64_t)time(NULL) - (int64_t)timegm(&tm);
	age_of_seconds(age > 0 ? age : 0, ret);
	return true;
}
