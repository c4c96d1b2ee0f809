/*
 * What others set on links of the simulated kernel, as in net/bridge: a port that joins a bridge
 * gets the defaults, and is in the bridge's default VLAN.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/sim/simulated.h"

#define PORT_SETTINGS (SIM_PORT_COST + 1)

struct kernel_kept {
	unsigned int master;
	uint32_t settings[SIM_SETTINGS];
	char alternatives[ALTERNATIVES_BYTES];
};

int sim_keep(struct kernel *kernel, unsigned int index, struct kernel_kept **ret)
{
	struct sim *sim = sim_of(kernel);
	const struct sim_link *link;
	struct kernel_kept *kept;

	*ret = NULL;
	sim_catch_up(sim);
	link = sim_link_by_index(sim, index);
	if (!link)
		return -ENODEV;
	kept = calloc(1, sizeof(*kept));
	if (!kept)
		return -ENOMEM;
	kept->master = link->link.master;
	memcpy(kept->settings, link->settings, sizeof(kept->settings));
	memcpy(kept->alternatives, link->alternatives, sizeof(kept->alternatives));
	*ret = kept;
	return 0;
}

/* As netlink's: does not write what is already so. */
static void put(struct sim *sim, struct sim_link *link, const struct kernel_kept *kept, bool port)
{
	uint32_t settings[SIM_SETTINGS];
	bool names = !link->alternatives[0] && kept->alternatives[0];

	memcpy(settings, link->settings, sizeof(settings));
	if (port)
		memcpy(settings, kept->settings, PORT_SETTINGS * sizeof(*settings));
	settings[SIM_LINK_GROUP] = kept->settings[SIM_LINK_GROUP];
	if (!names && memcmp(settings, link->settings, sizeof(settings)) == 0)
		return;
	sim->writes++;
	memcpy(link->settings, settings, sizeof(settings));
	if (names)
		memcpy(link->alternatives, kept->alternatives, sizeof(link->alternatives));
	sim_tell_link(sim, KERNEL_EVENT_LINK, link);
}

int sim_put_back(struct kernel *kernel, unsigned int index, const struct kernel_kept *kept,
		 char ret_lost[KERNEL_LOST_MAX])
{
	struct sim *sim = sim_of(kernel);
	struct sim_link *link;
	bool port;

	ret_lost[0] = '\0';
	sim_catch_up(sim);
	link = sim_link_by_index(sim, index);
	if (!link)
		return -ENODEV;
	port = kept->master && link->link.master == kept->master;
	if (port && sim->put_back.n) {
		sim->put_back.n--;
		snprintf(ret_lost, KERNEL_LOST_MAX, "isolated");
		return sim->put_back.error;
	}
	put(sim, link, kept, port);
	if (kept->settings[SIM_LINK_QUEUES])
		snprintf(ret_lost, KERNEL_LOST_MAX, "queueing disciplines with their filters (tc)");
	return 0;
}

/*
 * Controls.
 */

void sim_fail_put_back(struct kernel *kernel, unsigned int n, int error)
{
	sim_of(kernel)->put_back.n = n;
	sim_of(kernel)->put_back.error = error;
}

int sim_set(struct kernel *kernel, const char *name, enum sim_setting setting, uint32_t value)
{
	struct sim_link *link = sim_link_by_name(sim_of(kernel), name);

	if (!link)
		return -ENODEV;
	link->settings[setting] = value;
	return 0;
}

int64_t sim_get(const struct kernel *kernel, const char *name, enum sim_setting setting)
{
	const struct sim_link *link = sim_link_by_name(sim_of(kernel), name);

	return link ? (int64_t)link->settings[setting] : -ENODEV;
}

bool sim_carried_default(const struct kernel *kernel, const char *name)
{
	const struct sim_link *link = sim_link_by_name(sim_of(kernel), name);

	return link && link->carried_default;
}
