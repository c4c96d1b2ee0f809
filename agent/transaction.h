/*
 * A transaction: one set request, over all tables, as SNMP gives it. Variable
 * bindings are added one by one (RESERVE1), looked at together (RESERVE2) and
 * become one edit for the engine (ACTION). What concerns no configuration,
 * pending rows and scalars, is done here, beside it.
 */
#ifndef AGENT_TRANSACTION_H
#define AGENT_TRANSACTION_H

#include "view.h"

struct transaction;

struct transaction *transaction_new(struct view *view); /* NULL: no memory */
void transaction_free(struct transaction *transaction); /* accepts NULL */

/*
 * The next variable binding by itself: name, type, length, value. Returns 0 or
 * an SNMP error-status, with @err filled (path and text).
 */
int transaction_add(struct transaction *transaction, const struct varbind *varbind,
		    struct error *err);

/*
 * All of them together, RowStatus and the rules of the model included. Returns
 * 0 or an SNMP error-status, with @err filled and in *ret_varbind the number of
 * the one to blame, from 0 in the order they were added.
 */
int transaction_check(struct transaction *transaction, size_t *ret_varbind, struct error *err);

/* The edit, after transaction_check(), which the caller then owns; NULL: nothing to configure. */
struct edit *transaction_edit(struct transaction *transaction);
/* What the check of the edit came to, which stays the transaction's. */
struct engine_checked *transaction_checked(struct transaction *transaction);

/* What the engine says as an SNMP error-status, and which variable binding is to blame. */
int transaction_refuse(const struct transaction *transaction, const struct error *err,
		       size_t *ret_varbind);

/* The engine has done its part: pending rows come and go ... */
void transaction_apply(struct transaction *transaction);
/* ... or come back, when the request is undone ... */
void transaction_revert(struct transaction *transaction);
/* ... or it is done for good: scalars too. Cannot fail. */
void transaction_finish(struct transaction *transaction);

#endif
