/* The configuration as a script of `ip l2tp` and `ip link`, for a machine without l2tpv3d. */
#ifndef CLI_SCRIPT_H
#define CLI_SCRIPT_H

#include "cli/record.h"

/*
 * The lines of a tunnel or session, with the defaults that `ip l2tp` wants to be told; and a
 * comment for each leaf that it has no words for. @record: complete.
 */
void script_entry(FILE *file, const struct record *record);

#endif
