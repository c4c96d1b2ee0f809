/* top: who sends and receives most, again and again. */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/show.h"

#define INTERVAL_MIN 1 /* seconds: the daemon keeps counters as long */
#define HEAD_LINES   3 /* above the rows, and the cursor's below */

static const char *const usual[OBJECTS] = {
	[OBJECT_TUNNEL] = "tunnel-id,remote-address,oper-status,rx-rate,tx-rate,rx-pps,tx-pps,"
			  "description",
	[OBJECT_SESSION] = "tunnel-id,session-id,interface-name,oper-status,rx-rate,tx-rate,"
			   "rx-pps,tx-pps,description",
};

struct top {
	struct show show;
	struct table tables[OBJECTS];
	enum object object;
	bool screen; /* draw over what was drawn, and no more than it holds */
};

static void draw(struct top *top)
{
	struct table *table = &top->tables[top->object];
	unsigned int lines = top->screen ? grid_terminal_lines(STDOUT_FILENO) : 0;
	char now[32];
	struct tm tm;
	time_t seconds = time(NULL);

	gmtime_r(&seconds, &tm);
	strftime(now, sizeof(now), "%Y-%m-%dT%H:%M:%SZ", &tm);
	if (top->screen)
		fputs("\033[H\033[J", stdout);
	printf("%s  %zu %s%s\n", now, table->grid.rows, row_sets[top->object].name,
	       table->grid.rows == 1 ? "" : "s");
	grid_sort(&table->grid);
	table_print(table, stdout, lines > HEAD_LINES ? lines - HEAD_LINES : SIZE_MAX);
	if (!top->screen)
		putchar('\n');
	fflush(stdout);
}

/* @count 0: without end. */
static enum cli_status go_on(struct top *top, unsigned long interval, unsigned long count,
			     struct error *err)
{
	const struct timespec pause = {.tv_sec = (time_t)interval, .tv_nsec = 50000000};
	enum cli_status status = CLI_OK;

	top->show.sampling = true;
	for (unsigned long drawn = 0; !status; top->show.sampling = false) {
		table_read_again(&top->tables[top->object]);
		status = show_read(&top->show, false, err);
		if (!status && !top->show.sampling) {
			draw(top);
			drawn++;
		}
		if (ferror(stdout) || (count && drawn == count))
			break;
		nanosleep(&pause, NULL);
	}
	return status;
}

static enum cli_status take_number(const char *name, const char *text, unsigned long least,
				   unsigned long *ret, struct error *err)
{
	char *end;

	if (!text)
		return CLI_OK;
	*ret = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || *ret < least || *ret > UINT32_MAX)
		return cli_usage_error(err, "%s takes a number from %lu on, not \"%.32s\"", name,
				       least, text);
	return CLI_OK;
}

enum cli_status top_run(const struct command *command, const struct cli_options *options, int argc,
			char *argv[], struct error *err)
{
	const char *terminal = getenv("TERM");
	struct cli_options own = *options;
	struct top top = {.object = OBJECT_SESSION};
	unsigned long interval = 2, count = 0;
	struct request request;
	enum cli_status status = take_number("-i", options->interval, INTERVAL_MIN, &interval, err);

	status = status ? status : take_number("-n", options->count, 1, &count, err);
	status = status ? status : grammar_parse(command->verb, argc, argv, &request, err);
	if (status)
		return status;
	request.verb = VERB_SHOW;
	if (request.wants[OBJECT_TUNNEL] && !request.wants[OBJECT_SESSION])
		top.object = OBJECT_TUNNEL;
	request.wants[top.object] = true;
	if (!own.columns)
		own.columns = usual[top.object];
	top.screen = !options->batch_mode && isatty(STDOUT_FILENO) && terminal &&
		     strcmp(terminal, "dumb") != 0;
	show_begin(&top.show, &request, &own, stdout);
	top.show.tables = top.tables;
	status = table_begin(&top.tables[top.object], top.object, &own, err);
	if (!status && !top.tables[top.object].rates)
		status =
			cli_usage_error(err, "top sorts by a rate: name a column with one, such as "
					     "rx-rate");
	status = status ? status : go_on(&top, interval, count, err);
	table_free(&top.tables[top.object]);
	return status;
}
