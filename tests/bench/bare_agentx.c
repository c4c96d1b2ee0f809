/*
 * bare_agentx SOCKET ROWS COLUMNS: the least that an AgentX subagent can be (RFC 2741), to compare
 * with. It serves one table with an index of two numbers from an array: no datastore, no checks, no
 * event loop; poll, recv and send for each request. It ends when the master does. The first half of
 * the columns are Counter64, the others Integer32; names are as long as those of LINUX-L2TPV3-MIB.
 */
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define HEADER 20
#define ENTRY  13 /* sub-identifiers of the table's entry; column and index follow */
#define PREFIX 5  /* 1.3.6.1.4 is one octet */

enum { OPEN = 1, REGISTER = 3, GET = 5, RESPONSE = 18 };
enum { INTEGER = 2, COUNTER64 = 70, NO_SUCH_INSTANCE = 129, END_OF_MIB_VIEW = 130 };

static const uint32_t entry[ENTRY] = {1, 3, 6, 1, 4, 1, 8072, 9999, 9999, 4000, 1, 1, 1};
static uint32_t rows, columns, *values;

struct name {
	uint32_t ids[128];
	size_t length;
};

static uint8_t out[65536], *at;

static void put(uint32_t number)
{
	memcpy(at, &number, 4);
	at += 4;
}

static uint32_t take(const uint8_t **from)
{
	uint32_t number;

	memcpy(&number, *from, 4);
	*from += 4;
	return number;
}

static void put_oid(const struct name *name)
{
	put((uint32_t)(name->length - PREFIX) | name->ids[PREFIX - 1] << 8);
	for (size_t i = PREFIX; i < name->length; i++)
		put(name->ids[i]);
}

static struct name take_oid(const uint8_t **from)
{
	uint32_t head = take(from), count = head & 0xff, prefix = head >> 8 & 0xff;
	struct name name = {.ids = {1, 3, 6, 1, prefix}, .length = prefix ? PREFIX : 0};

	while (count-- > 0)
		name.ids[name.length++] = take(from);
	return name;
}

static void begin(uint8_t type, const uint8_t *request)
{
	at = out;
	put(1 | (uint32_t)type << 8);
	if (request)
		memcpy(at, request + 4, 12); /* session, transaction, packet */
	else
		memset(at, 0, 12);
	at += 16;
}

static void end(int fd)
{
	uint32_t length = (uint32_t)(at - out - HEADER);

	memcpy(out + 16, &length, 4);
	if (send(fd, out, (size_t)(at - out), MSG_NOSIGNAL) < 0)
		exit(0);
}

/* What follows the name, which becomes it; false: nothing. */
static int next(struct name *name)
{
	uint32_t column = name->length > ENTRY ? name->ids[ENTRY] : 1;
	uint32_t row = name->length > ENTRY + 2 ? name->ids[ENTRY + 2] + 1 : 1;

	if (row > rows) {
		row = 1;
		column++;
	}
	memcpy(name->ids, entry, sizeof(entry));
	name->ids[ENTRY] = column;
	name->ids[ENTRY + 1] = 1;
	name->ids[ENTRY + 2] = row;
	name->length = ENTRY + 3;
	return column <= columns;
}

static uint32_t type_of(uint32_t column)
{
	return column <= columns / 2 ? COUNTER64 : INTEGER;
}

static void put_value(uint32_t column, uint32_t row)
{
	put(values[row - 1]);
	if (type_of(column) == COUNTER64)
		put(0); /* the high half: octets are in the host's order, the low one first */
}

static void answer(int fd, const uint8_t *request, size_t length)
{
	const uint8_t *from = request + HEADER;
	int is_get = request[1] == GET, found;

	begin(RESPONSE, request);
	put(0);
	put(0);
	while (from < request + length) {
		struct name start = take_oid(&from), name = start;

		take_oid(&from);
		found = is_get ? name.length == ENTRY + 3 : next(&name);
		put(found ? type_of(name.ids[ENTRY]) : is_get ? NO_SUCH_INSTANCE : END_OF_MIB_VIEW);
		put_oid(found ? &name : &start);
		if (found)
			put_value(name.ids[ENTRY], name.ids[ENTRY + 2]);
	}
	end(fd);
}

static size_t hear(int fd, uint8_t *bytes, size_t room)
{
	struct pollfd readable = {.fd = fd, .events = POLLIN};
	ssize_t length;

	poll(&readable, 1, -1);
	length = recv(fd, bytes, room, MSG_DONTWAIT);
	if (length <= 0)
		exit(0);
	return (size_t)length;
}

static void open_session(int fd)
{
	static uint8_t bytes[65536];
	struct name root = {.length = ENTRY - 2}; /* the parent of the table */

	begin(OPEN, NULL);
	put(10); /* the timeout */
	put(0);  /* no identifier, no description */
	put(0);
	end(fd);
	hear(fd, bytes, sizeof(bytes));
	begin(REGISTER, bytes);
	put(10 | 127 << 8);
	memcpy(root.ids, entry, sizeof(entry));
	put_oid(&root);
	end(fd);
	hear(fd, bytes, sizeof(bytes));
}

int main(int argc, char **argv)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	static uint8_t bytes[65536];

	if (argc != 4)
		return 2;
	rows = (uint32_t)strtoul(argv[2], NULL, 10);
	columns = (uint32_t)strtoul(argv[3], NULL, 10);
	values = calloc(rows, sizeof(*values));
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", argv[1]);
	if (!values || connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return 1;
	open_session(fd);
	puts("ready");
	fflush(stdout);
	while (1) {
		size_t length = hear(fd, bytes, sizeof(bytes));

		answer(fd, bytes, length); /* snmpd asks one thing at a time */
	}
}
