/* Ports of the simulated kernel's bridges; as in net/bridge they begin with the defaults. */
#include "kernel/sim/simulated.h"

#define DEFAULT_VLAN 1
#define DEFAULT_COST 100

void sim_begin_port(struct sim_link *link)
{
	link->settings[SIM_PORT_PVID] = DEFAULT_VLAN;
	link->settings[SIM_PORT_ISOLATED] = 0;
	link->settings[SIM_PORT_COST] = DEFAULT_COST;
}

void sim_watch_port(struct sim_link *link)
{
	if (link->link.up && link->link.master && link->settings[SIM_PORT_PVID] == DEFAULT_VLAN)
		link->carried_default = true;
}
