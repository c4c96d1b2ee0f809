/* The scalars of the MIB, which no row of the mapping table stands for. */
#ifndef AGENT_SCALARS_H
#define AGENT_SCALARS_H

#include "view.h"

/* @number of enum scalar. */
void scalar_value(struct view *view, unsigned int number, struct value *ret);

#endif
