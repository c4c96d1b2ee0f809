/*
 * RowStatus: what a manager may ask of a row in each state, and what to do then (RFC 2579 section
 * 2, the table of "STATE" by "ACTION"). createAndWait is supported; its rows are pending until
 * they are made active.
 */
#ifndef AGENT_ROWSTATUS_H
#define AGENT_ROWSTATUS_H

#include "subject.h"

#define ROWSTATUS_NONE 0 /* the request does not set RowStatus of this row */

enum row_step {
	STEP_NOTHING,
	STEP_CHANGE,  /* columns of a configured row */
	STEP_ENABLE,  /* ... and make it active */
	STEP_DISABLE, /* ... or notInService */
	STEP_CREATE,  /* a configured row from the columns given */
	STEP_WAIT,    /* make a pending row of them, or change one */
	STEP_ENTER,   /* a pending row becomes configured */
	STEP_DELETE,  /* a configured row */
	STEP_FORGET   /* a pending row */
};

/*
 * @state is as it would be with the columns of the request set. @action is a
 * RowStatus value 1 to 6, or ROWSTATUS_NONE; @missing says why a row is notReady
 * (pending.h). Returns 0, or an SNMP error-status with @err filled.
 */
int rowstatus_step(enum row_state state, int action, enum row_step *ret,
		   const struct error *missing, struct error *err);

#endif
