/*
 * walk PORT REPETITIONS OID...: a manager that walks these columns side by side to their ends, by
 * GETNEXT (REPETITIONS 0) or GETBULK, with SNMPv2c. Prints how many variables it got, and seconds.
 */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

#define COLUMNS_MAX 64

struct column {
	oid root[MAX_OID_LEN], at[MAX_OID_LEN];
	size_t root_length, length;
	int ended;
};

static struct column columns[COLUMNS_MAX];
static int count;

/* Take what comes for a column; how many of it counts. */
static unsigned long take(struct column *column, const netsnmp_variable_list *variable)
{
	if (column->ended)
		return 0;
	column->ended = variable->type == SNMP_ENDOFMIBVIEW ||
			netsnmp_oid_is_subtree(column->root, column->root_length, variable->name,
					       variable->name_length) != 0;
	if (column->ended)
		return 0;
	if (snmp_oid_compare(variable->name, variable->name_length, column->at, column->length) <=
	    0) {
		fprintf(stderr, "not increasing\n");
		exit(1);
	}
	memcpy(column->at, variable->name, variable->name_length * sizeof(oid));
	column->length = variable->name_length;
	return 1;
}

static unsigned long ask(netsnmp_session *session, long repetitions)
{
	netsnmp_pdu *request = snmp_pdu_create(repetitions ? SNMP_MSG_GETBULK : SNMP_MSG_GETNEXT);
	netsnmp_pdu *response = NULL;
	unsigned long got = 0;
	int asked[COLUMNS_MAX], width = 0, place = 0;

	if (repetitions) {
		request->non_repeaters = 0;
		request->max_repetitions = repetitions;
	}
	for (int i = 0; i < count; i++) {
		if (columns[i].ended)
			continue;
		snmp_add_null_var(request, columns[i].at, columns[i].length);
		asked[width++] = i;
	}
	if (snmp_synch_response(session, request, &response) != STAT_SUCCESS ||
	    response->errstat != SNMP_ERR_NOERROR) {
		fprintf(stderr, "no answer\n");
		exit(1);
	}
	for (netsnmp_variable_list *variable = response->variables; variable;
	     variable = variable->next_variable)
		got += take(&columns[asked[place++ % width]], variable);
	snmp_free_pdu(response);
	return got;
}

static int is_over(void)
{
	for (int i = 0; i < count; i++)
		if (!columns[i].ended)
			return 0;
	return 1;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	netsnmp_session settings, *session;
	unsigned long got = 0;
	char peer[64];
	double begun;

	if (argc < 4 || argc - 3 > COLUMNS_MAX)
		return 2;
	netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_READ_CONFIGS, 1);
	init_snmp("walk");
	snmp_sess_init(&settings);
	snprintf(peer, sizeof(peer), "udp:127.0.0.1:%s", argv[1]);
	settings.peername = peer;
	settings.version = SNMP_VERSION_2c;
	settings.community = (u_char *)"public";
	settings.community_len = 6;
	settings.timeout = 60000000;
	session = snmp_open(&settings);
	if (!session)
		return 1;
	for (count = 0; count < argc - 3; count++) {
		struct column *column = &columns[count];

		column->root_length = column->length = MAX_OID_LEN;
		if (!read_objid(argv[3 + count], column->root, &column->root_length))
			return 2;
		memcpy(column->at, column->root, sizeof(column->root));
		column->length = column->root_length;
	}
	begun = seconds();
	while (!is_over())
		got += ask(session, strtol(argv[2], NULL, 10));
	printf("%lu %.6f\n", got, seconds() - begun);
	return 0;
}
