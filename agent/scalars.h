/* The scalars of the MIB, which have no rows in the mapping table. */
#ifndef AGENT_SCALARS_H
#define AGENT_SCALARS_H

#include "mib.h"

/* @number of enum scalar. */
void scalar_value(struct mib *mib, unsigned int number, struct value *ret);

#endif
