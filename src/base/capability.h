/* Capabilities of the process (capabilities(7)). */
#ifndef BASE_CAPABILITY_H
#define BASE_CAPABILITY_H

/*
 * Give up CAP_@capability for good, also for programs that this process executes. Call it before
 * threads begin: capabilities are each thread's own. 0, even if the process did not have it, or a
 * negative errno.
 */
int capability_drop(int capability);

#endif
