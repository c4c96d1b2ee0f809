#include "base/capability.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int capability_drop(int capability)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
	struct __user_cap_data_struct *set = &sets[CAP_TO_INDEX(capability)];

	if (syscall(SYS_capget, &header, sets) < 0)
		return -errno;
	set->effective &= ~CAP_TO_MASK(capability);
	set->permitted &= ~CAP_TO_MASK(capability);
	set->inheritable &= ~CAP_TO_MASK(capability);
	/* root may, and must, for what it executes; for others the permitted set is all there is */
	(void)prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
	return syscall(SYS_capset, &header, sets) < 0 ? -errno : 0;
}
