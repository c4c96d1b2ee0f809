/* Reports what others changed, and repairs it unless told not to. Called by the turn. */
#ifndef ENGINE_REPORT_H
#define ENGINE_REPORT_H

#include "engine/context.h"

void report_changed(struct engine *engine);

#endif
