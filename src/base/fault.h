/*
 * Fault points: a test can make the daemon die at its n-th fsync, rename, write or netlink call.
 * Set L2TPV3D_DIE_AT=n (any kind) or L2TPV3D_DIE_AT=kind:n. Unset, it costs one comparison.
 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

/* Call it just before an operation of @kind: "fsync", "rename", "write", "netlink", "fork". */
void fault_point(const char *kind);

#endif
