/* VyOS: an interface there is a tunnel with one session, and is called l2tpeth<number>. */
#include <string.h>

#include "cli/script.h"

#define WHO    "VyOS"
#define PREFIX "l2tpeth"

static const struct {
	enum object object;
	unsigned int row;
	const char *name;
} settings[] = {
	{OBJECT_TUNNEL, TUNNEL_ENCAPSULATION, "encapsulation"},
	{OBJECT_TUNNEL, TUNNEL_LOCAL_ADDRESS, "source-address"},
	{OBJECT_TUNNEL, TUNNEL_REMOTE_ADDRESS, "remote"},
	{OBJECT_TUNNEL, TUNNEL_LOCAL_PORT, "source-port"},
	{OBJECT_TUNNEL, TUNNEL_REMOTE_PORT, "destination-port"},
	{OBJECT_TUNNEL, TUNNEL_ID, "tunnel-id"},
	{OBJECT_TUNNEL, TUNNEL_PEER_TUNNEL_ID, "peer-tunnel-id"},
	{OBJECT_SESSION, SESSION_ID, "session-id"},
	{OBJECT_SESSION, SESSION_PEER_SESSION_ID, "peer-session-id"},
	{OBJECT_SESSION, SESSION_MTU, "mtu"},
	{OBJECT_SESSION, SESSION_DESCRIPTION, "description"},
};

#define SETTINGS (sizeof(settings) / sizeof(settings[0]))

static uint64_t known(enum object object)
{
	uint64_t rows = object == OBJECT_SESSION
				? BIT(SESSION_INTERFACE_NAME) | BIT(SESSION_BRIDGE) |
					  BIT(SESSION_LINK_ENABLED)
				: 0;

	for (size_t i = 0; i < SETTINGS; i++)
		if (settings[i].object == object)
			rows |= BIT(settings[i].row);
	return rows;
}

/* Why VyOS cannot have it; NULL: it can. */
static const char *objection(const struct script *script, const struct session *session)
{
	const char *name = session->interface_name;

	if (script->left_out)
		return "lacks its tunnel";
	if (!session->enabled)
		return "has nothing that is disabled";
	if (session->pseudowire_type != PSEUDOWIRE_ETHERNET)
		return "makes Ethernet pseudowires only";
	if (script->sessions)
		return "has one session in a tunnel";
	if (strncmp(name, PREFIX, strlen(PREFIX)) != 0 || !name[strlen(PREFIX)] ||
	    name[strlen(PREFIX) + strspn(name + strlen(PREFIX), "0123456789")])
		return "wants an interface-name of the form l2tpeth<number>: set it first";
	return strchr(session->description, '\'')
		       ? "takes no apostrophe in a description: change it first"
		       : NULL;
}

static void put_session(struct script *script, const struct record *record)
{
	const struct session *session = &record->config.session;
	char text[VALUE_TEXT_MAX];

	script_unknown(WHO, record, known(OBJECT_SESSION));
	for (size_t i = 0; i < SETTINGS; i++) {
		const struct row *row = &row_sets[settings[i].object].rows[settings[i].row];
		const void *config = settings[i].object == OBJECT_TUNNEL
					     ? (const void *)&script->tunnel
					     : (const void *)session;

		if (codec_present(row, config) && codec_print(row, config, text))
			fprintf(script->file, "set interfaces l2tpv3 %s %s '%s'\n",
				session->interface_name, settings[i].name, text);
	}
	if (!session->link_enabled)
		fprintf(script->file, "set interfaces l2tpv3 %s disable\n",
			session->interface_name);
	if (session->bridge[0])
		fprintf(script->file, "set interfaces bridge %s member interface %s\n",
			session->bridge, session->interface_name);
	script->sessions++;
}

void vyos_entry(struct script *script, const struct record *record)
{
	const char *why;

	if (record->entry->object == OBJECT_TUNNEL) {
		script->tunnel = record->config.tunnel;
		script->sessions = 0;
		script->left_out = !script->tunnel.enabled ||
				   !(script->tunnel.present & BIT(TUNNEL_LOCAL_ADDRESS));
		if (script->left_out)
			script_leave_out(WHO, record,
					 script->tunnel.enabled
						 ? "wants a local-address, not an interface"
						 : "has nothing that is disabled");
		else
			script_unknown(WHO, record, known(OBJECT_TUNNEL));
		return;
	}
	why = objection(script, &record->config.session);
	if (why)
		script_leave_out(WHO, record, why);
	else
		put_session(script, record);
}
