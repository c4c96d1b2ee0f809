/* What others changed: told of, and repaired unless it is to be left so. Called by the turn. */
#ifndef ENGINE_REPORT_H
#define ENGINE_REPORT_H

#include "engine/context.h"

void report_changed(struct engine *engine);

#endif
