#include "store/config.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/wipe.h"

struct shared {
	unsigned int owners;
	union config config;
};

union config *config_blank(void)
{
	struct shared *new = calloc(1, sizeof(*new));

	if (!new)
		return NULL;
	new->owners = 1;
	return &new->config;
}

static struct shared *shared_of(const union config *config)
{
	return (struct shared *)((uintptr_t)config - offsetof(struct shared, config));
}

const union config *config_new(uint32_t tunnel_id, uint32_t session_id, const void *from)
{
	struct shared *new = malloc(sizeof(*new));

	if (!new)
		return NULL;
	new->owners = 1;
	if (session_id == 0) {
		new->config.tunnel = *(const struct tunnel *)from;
		new->config.tunnel.tunnel_id = tunnel_id;
		new->config.present |= BIT(TUNNEL_ID);
	} else {
		new->config.session = *(const struct session *)from;
		new->config.session.session_id = session_id;
		new->config.present |= BIT(SESSION_ID);
	}
	return &new->config;
}

const union config *config_share(const union config *config)
{
	if (config)
		shared_of(config)->owners++;
	return config;
}

void config_drop(const union config *config)
{
	if (config && --shared_of(config)->owners == 0)
		wipe_free(shared_of(config), sizeof(struct shared));
}
