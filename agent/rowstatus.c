#include "rowstatus.h"

#define ACTIONS 7

struct verdict {
	enum error_snmp error; /* 0: allowed */
	enum row_step step;
	const char *why;
};

#define REFUSE(error, why)                                                                         \
	{                                                                                          \
		error, STEP_NOTHING, why                                                           \
	}
#define DO(step)                                                                                   \
	{                                                                                          \
		0, step, NULL                                                                      \
	}

#define EXISTS     REFUSE(SNMP_INCONSISTENT_VALUE, "the row exists already")
#define MISSING    REFUSE(SNMP_INCONSISTENT_VALUE, "there is no such row; createAndGo(4) makes one")
#define FOREIGN    REFUSE(SNMP_NOT_WRITABLE, "the row is foreign: others made it, so it is read-only")
#define NO_INPUT   REFUSE(SNMP_WRONG_VALUE, "notReady(3) is a state and cannot be set")
#define INCOMPLETE REFUSE(SNMP_INCONSISTENT_VALUE, NULL) /* @missing */

/* clang-format off */
static const struct verdict verdicts[ACTIONS][ROW_STATES] = {
	[ROWSTATUS_NONE] = {
		[ROW_MISSING]   = REFUSE(SNMP_INCONSISTENT_NAME,
					 "there is no such row; set its RowStatus too to make it"),
		[ROW_NOT_READY] = DO(STEP_WAIT),
		[ROW_READY]     = DO(STEP_WAIT),
		[ROW_DISABLED]  = DO(STEP_CHANGE),
		[ROW_ACTIVE]    = DO(STEP_CHANGE),
		[ROW_FOREIGN]   = FOREIGN,
	},
	[SNMP_ROW_ACTIVE] = {
		[ROW_MISSING]   = MISSING,
		[ROW_NOT_READY] = INCOMPLETE,
		[ROW_READY]     = DO(STEP_ENTER),
		[ROW_DISABLED]  = DO(STEP_ENABLE),
		[ROW_ACTIVE]    = DO(STEP_CHANGE),
		[ROW_FOREIGN]   = FOREIGN,
	},
	[SNMP_ROW_NOTINSERVICE] = {
		[ROW_MISSING]   = MISSING,
		[ROW_NOT_READY] = INCOMPLETE,
		[ROW_READY]     = DO(STEP_WAIT),
		[ROW_DISABLED]  = DO(STEP_CHANGE),
		[ROW_ACTIVE]    = DO(STEP_DISABLE),
		[ROW_FOREIGN]   = FOREIGN,
	},
	[SNMP_ROW_NOTREADY] = {
		[ROW_MISSING]   = NO_INPUT,
		[ROW_NOT_READY] = NO_INPUT,
		[ROW_READY]     = NO_INPUT,
		[ROW_DISABLED]  = NO_INPUT,
		[ROW_ACTIVE]    = NO_INPUT,
		[ROW_FOREIGN]   = NO_INPUT,
	},
	[SNMP_ROW_CREATEANDGO] = {
		[ROW_MISSING]   = DO(STEP_CREATE),
		[ROW_NOT_READY] = EXISTS,
		[ROW_READY]     = EXISTS,
		[ROW_DISABLED]  = EXISTS,
		[ROW_ACTIVE]    = EXISTS,
		[ROW_FOREIGN]   = FOREIGN,
	},
	[SNMP_ROW_CREATEANDWAIT] = {
		[ROW_MISSING]   = DO(STEP_WAIT),
		[ROW_NOT_READY] = EXISTS,
		[ROW_READY]     = EXISTS,
		[ROW_DISABLED]  = EXISTS,
		[ROW_ACTIVE]    = EXISTS,
		[ROW_FOREIGN]   = FOREIGN,
	},
	[SNMP_ROW_DESTROY] = {
		[ROW_MISSING]   = DO(STEP_NOTHING),
		[ROW_NOT_READY] = DO(STEP_FORGET),
		[ROW_READY]     = DO(STEP_FORGET),
		[ROW_DISABLED]  = DO(STEP_DELETE),
		[ROW_ACTIVE]    = DO(STEP_DELETE),
		[ROW_FOREIGN]   = FOREIGN,
	},
};
/* clang-format on */

int rowstatus_step(enum row_state state, int action, enum row_step *ret,
		   const struct error *missing, struct error *err)
{
	const struct verdict *verdict = &verdicts[action][state];

	if (!verdict->error) {
		*ret = verdict->step;
		return 0;
	}
	if (verdict->why)
		error_set(err, state == ROW_FOREIGN ? ERROR_FOREIGN : ERROR_MUST, "%s",
			  verdict->why);
	else
		*err = *missing;
	return (int)verdict->error;
}
