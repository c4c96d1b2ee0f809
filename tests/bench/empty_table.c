/*
 * empty_table SOCKET ROWS COLUMNS: what a subagent is that somebody writes with libnetsnmpagent and
 * its table helper, empty-handed: the rows are in a container, and every value is the row's number.
 * The first half of the columns are Counter64, the others Integer32.
 */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/agent/net-snmp-agent-includes.h>

struct row {
	netsnmp_index index;
	oid ids[2];
};

static unsigned int columns;

static int handle(netsnmp_mib_handler *handler, netsnmp_handler_registration *registration,
		  netsnmp_agent_request_info *info, netsnmp_request_info *requests)
{
	(void)handler, (void)registration, (void)info;
	for (; requests; requests = requests->next) {
		const struct row *row = netsnmp_container_table_extract_context(requests);
		struct counter64 counter = {.low = row ? row->ids[1] : 0};

		if (!row)
			netsnmp_set_request_error(info, requests, SNMP_NOSUCHINSTANCE);
		else if (netsnmp_extract_table_info(requests)->colnum <= columns / 2)
			snmp_set_var_typed_value(requests->requestvb, ASN_COUNTER64, &counter,
						 sizeof(counter));
		else
			snmp_set_var_typed_integer(requests->requestvb, ASN_INTEGER,
						   (long)row->ids[1]);
	}
	return SNMP_ERR_NOERROR;
}

static void fill(netsnmp_container *container, oid count)
{
	for (oid i = 1; i <= count; i++) {
		struct row *row = calloc(1, sizeof(*row));

		if (!row)
			exit(1);
		row->ids[0] = 1;
		row->ids[1] = i;
		row->index = (netsnmp_index){.len = 2, .oids = row->ids};
		CONTAINER_INSERT(container, row);
	}
}

int main(int argc, char **argv)
{
	static const oid root[] = {1, 3, 6, 1, 4, 1, 8072, 9999, 9999, 4000, 1, 1};
	netsnmp_table_registration_info *table;
	netsnmp_container *container;
	char address[200];

	if (argc != 4)
		return 2;
	snprintf(address, sizeof(address), "unix:%s", argv[1]);
	netsnmp_enable_subagent();
	netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_READ_CONFIGS, 1);
	netsnmp_ds_set_string(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_X_SOCKET, address);
	init_agent("empty_table");
	table = SNMP_MALLOC_TYPEDEF(netsnmp_table_registration_info);
	container = netsnmp_container_find("table_container");
	netsnmp_table_helper_add_indexes(table, ASN_UNSIGNED, ASN_UNSIGNED, 0);
	table->min_column = 1;
	columns = (unsigned int)strtoul(argv[3], NULL, 10);
	table->max_column = columns;
	fill(container, strtoul(argv[2], NULL, 10));
	if (netsnmp_container_table_register(
		    netsnmp_create_handler_registration("table", handle, root, OID_LENGTH(root),
							HANDLER_CAN_RONLY),
		    table, container, TABLE_CONTAINER_KEY_NETSNMP_INDEX))
		return 1;
	init_snmp("empty_table");
	puts("ready");
	fflush(stdout);
	while (1)
		agent_check_and_process(1);
}
