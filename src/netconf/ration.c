#include "netconf/ration.h"

static struct ration_user *find(struct ration *ration, uid_t uid)
{
	struct ration_user *fullest = ration->users;

	for (unsigned int i = 0; i < RATION_USERS; i++) {
		struct ration_user *user = &ration->users[i];

		if (user->uid == uid && user->full_at)
			return user;
		if (user->full_at < fullest->full_at)
			fullest = user;
	}
	*fullest = (struct ration_user){.uid = uid};
	return fullest;
}

bool ration_take(struct ration *ration, uid_t uid, int64_t now)
{
	struct ration_user *user = find(ration, uid);
	int64_t from = user->full_at > now ? user->full_at : now;

	if (from - now > (RATION_FULL - 1) * RATION_INTERVAL)
		return false;
	user->full_at = from + RATION_INTERVAL;
	return true;
}
