/*
 * How many sessions of each user are told of: RATION_FULL at once, then one each RATION_INTERVAL.
 * So a user who connects in a loop does not push what others did out of the event log, where two
 * notifications about each session would be.
 */
#ifndef NETCONF_RATION_H
#define NETCONF_RATION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/clock.h"

#define RATION_FULL     600
#define RATION_INTERVAL (10 * NS_PER_S) /* as a manager that connects for each poll */
#define RATION_USERS    32 /* remembered; a newcomer takes the place of who is nearest to full */

/* All zero: everyone's is full. */
struct ration {
	struct ration_user {
		uid_t uid;
		int64_t full_at; /* clock_now() */
	} users[RATION_USERS];
};

/* Take one of @uid's. False: none is left. */
bool ration_take(struct ration *ration, uid_t uid, int64_t now);

#endif
