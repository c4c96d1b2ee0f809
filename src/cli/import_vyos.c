/*
 * VyOS: "set interfaces l2tpv3 l2tpeth0 KEY 'VALUE'". An interface there is a tunnel with one
 * session. Older versions say local-ip and remote-ip.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/batch.h"
#include "cli/import.h"
#include "cli/spelling.h"

static const struct key {
	const char *name;
	enum object object;
	unsigned int row;
	const char *fallback; /* where it is not set; NULL: none */
} keys[] = {
	{"tunnel-id", OBJECT_TUNNEL, TUNNEL_ID, NULL},
	{"peer-tunnel-id", OBJECT_TUNNEL, TUNNEL_PEER_TUNNEL_ID, NULL},
	{"session-id", OBJECT_SESSION, SESSION_ID, NULL},
	{"peer-session-id", OBJECT_SESSION, SESSION_PEER_SESSION_ID, NULL},
	{"remote", OBJECT_TUNNEL, TUNNEL_REMOTE_ADDRESS, NULL},
	{"remote-ip", OBJECT_TUNNEL, TUNNEL_REMOTE_ADDRESS, NULL},
	{"source-address", OBJECT_TUNNEL, TUNNEL_LOCAL_ADDRESS, NULL},
	{"local-ip", OBJECT_TUNNEL, TUNNEL_LOCAL_ADDRESS, NULL},
	{"encapsulation", OBJECT_TUNNEL, TUNNEL_ENCAPSULATION, NULL},
	{"source-port", OBJECT_TUNNEL, TUNNEL_LOCAL_PORT, "5000"},
	{"destination-port", OBJECT_TUNNEL, TUNNEL_REMOTE_PORT, "5000"},
	{"mtu", OBJECT_SESSION, SESSION_MTU, "1488"},
	{"description", OBJECT_SESSION, SESSION_DESCRIPTION, NULL},
};

#define KEYS (sizeof(keys) / sizeof(keys[0]))

static struct request *of_interface(struct import *import, const char *name)
{
	struct request *request = requests_by_name(&import->requests, name);
	struct error err = ERROR_INIT;

	if (request)
		return request;
	request = import_request(import, true, true);
	if (request && spelling_parse(&row_sets[OBJECT_SESSION].rows[SESSION_INTERFACE_NAME],
				      &request->session, name, &err)) {
		import->requests.count--;
		import_refuse_value(import, name, &err);
		return NULL;
	}
	return request;
}

/* "set interfaces l2tpv3 NAME KEY [VALUE]" */
static void take_setting(struct import *import, const struct batch_line *line)
{
	struct request *request = of_interface(import, line->argv[3]);
	const char *name = line->argc > 4 ? line->argv[4] : "";

	if (!request || line->argc == 4)
		return;
	if (line->argc == 5 && !strcmp(name, "disable")) {
		import_leaf(import, request, OBJECT_SESSION, SESSION_LINK_ENABLED, name, "off");
		return;
	}
	for (size_t i = 0; i < KEYS && line->argc == 6; i++)
		if (!strcmp(keys[i].name, name)) {
			import_leaf(import, request, keys[i].object, keys[i].row, name,
				    line->argv[5]);
			return;
		}
	import_refuse(import, "%s of %s is left to others: there is no leaf for it", name,
		      line->argv[3]);
}

static bool says(const struct batch_line *line, int at, const char *word)
{
	return line->argc > at && !strcmp(line->argv[at], word);
}

/* A line about something else, which is told only if it names an interface of ours. */
static void take_other(struct import *import, const struct batch_line *line)
{
	struct request *request;

	for (int i = 1; i < line->argc; i++) {
		request = requests_by_name(&import->requests, line->argv[i]);
		if (!request)
			continue;
		if (says(line, 2, "bridge") && says(line, 4, "member") &&
		    says(line, 5, "interface") && line->argc == 7)
			import_leaf(import, request, OBJECT_SESSION, SESSION_BRIDGE, "bridge",
				    line->argv[3]);
		else
			import_refuse(import, "%s %s about %s is left to others", line->argv[1],
				      line->argc > 2 ? line->argv[2] : "", line->argv[i]);
		return;
	}
}

/* Without what is needed it is dropped; what VyOS would fill in is filled in. */
static bool complete(struct import *import, struct request *request)
{
	for (size_t i = 0; i < KEYS; i++) {
		const struct row *row = &row_sets[keys[i].object].rows[keys[i].row];
		void *leaves = request_leaves(request, keys[i].object);
		bool port = keys[i].object == OBJECT_TUNNEL && keys[i].fallback;

		if (codec_present(row, leaves) ||
		    (port && request->tunnel.encapsulation == ENCAPSULATION_IP &&
		     codec_present(&row_sets[OBJECT_TUNNEL].rows[TUNNEL_ENCAPSULATION],
				   &request->tunnel)))
			continue;
		if (import_needs(keys[i].object, keys[i].row) ||
		    !strcmp(keys[i].name, "source-address")) {
			import_refuse(import, "%s has no %s", request->session.interface_name,
				      keys[i].name);
			return false;
		}
		if (keys[i].fallback)
			codec_parse(row, leaves, keys[i].fallback, strlen(keys[i].fallback), NULL);
	}
	return true;
}

void import_vyos(struct import *import, char *text)
{
	struct requests *requests = &import->requests;
	size_t kept = 0;

	/* twice, for a bridge may name its members first */
	for (int pass = 0; pass < 2; pass++) {
		unsigned int number = 0;
		struct batch_line line;
		char *copy = strdup(text), *at = copy;

		if (!copy) {
			import_refuse(import, "out of memory");
			return;
		}
		while (batch_next(&at, &number, &line)) {
			bool ours = line.argc > 3 && says(&line, 0, "set") &&
				    says(&line, 1, "interfaces") && says(&line, 2, "l2tpv3");

			import->number = number;
			if (line.argc < 0 || !says(&line, 0, "set")) {
				if (pass == 0)
					import_refuse(import, "only set commands are read: print "
							      "them with \"show configuration "
							      "commands\"");
			} else if (ours && pass == 0) {
				take_setting(import, &line);
			} else if (!ours && pass == 1) {
				take_other(import, &line);
			}
		}
		free(copy);
	}
	for (size_t i = 0; i < requests->count; i++)
		if (complete(import, &requests->items[i]))
			requests->items[kept++] = requests->items[i];
	requests->count = kept;
}
