#include "cli/requests.h"

#include <stdlib.h>
#include <string.h>

#include "base/wipe.h"
#include "base/wiped_stream.h"
#include "cli/confirm.h"
#include "cli/difference.h"
#include "cli/message.h"
#include "cli/talk.h"

struct request *requests_add(struct requests *requests)
{
	if (requests->count == requests->room) {
		size_t room = requests->room ? 2 * requests->room : 64;
		struct request *grown = wipe_grow(requests->items, requests->room * sizeof(*grown),
						  room * sizeof(*grown));

		if (!grown)
			return NULL;
		requests->items = grown;
		requests->room = room;
	}
	return &requests->items[requests->count];
}

void requests_free(struct requests *requests)
{
	wipe_free(requests->items, requests->room * sizeof(*requests->items));
	*requests = (struct requests){.count = 0};
}

struct request *requests_by_name(const struct requests *requests, const char *name)
{
	for (size_t i = requests->count; i-- > 0;)
		if (!strcmp(requests->items[i].session.interface_name, name))
			return &requests->items[i];
	return NULL;
}

/* By tunnel, and else as they came. */
static int compare(const void *a, const void *b)
{
	const struct request *left = *(const struct request *const *)a;
	const struct request *right = *(const struct request *const *)b;

	if (left->tunnel.tunnel_id != right->tunnel.tunnel_id)
		return left->tunnel.tunnel_id < right->tunnel.tunnel_id ? -1 : 1;
	return left < right ? -1 : left > right;
}

static bool write_requests(FILE *file, const struct requests *requests,
			   const struct cli_options *options, bool staged)
{
	const struct request how = {.staged = staged, .check = options->check && !staged};
	const struct request **order = calloc(requests->count, sizeof(*order));
	size_t end;

	if (!order)
		return false;
	for (size_t i = 0; i < requests->count; i++)
		order[i] = &requests->items[i];
	qsort(order, requests->count, sizeof(*order), compare);
	message_edit_begin(file, &how);
	for (size_t i = 0; i < requests->count; i = end) {
		uint32_t id = order[i]->tunnel.tunnel_id;

		for (end = i; end < requests->count && order[end]->tunnel.tunnel_id == id; end++)
			;
		message_edit_tunnel(file, &order[i], end - i);
	}
	message_edit_end(file, staged ? NULL : options->comment);
	free(order);
	return true;
}

static int send_all(struct client *client, const struct requests *requests,
		    const struct cli_options *options, bool staged, struct error *err)
{
	char *operation = NULL;
	size_t length;
	FILE *file = wiped_stream(&operation, &length);
	bool written = file && write_requests(file, requests, options, staged);
	int rc;

	if (file)
		fclose(file);
	rc = written ? client_rpc(client, operation, NULL, err)
		     : error_set(err, ERROR_RESOURCE, "out of memory");
	wipe_free(operation, length);
	return rc;
}

enum cli_status requests_commit(const struct requests *requests, const struct cli_options *options,
				struct error *err)
{
	struct difference difference = {.staged = false};
	struct client *client;
	enum cli_status status = talk_connect(options, &client, err);
	int rc;

	if (status)
		return status;
	rc = options->check ? difference_begin(&difference, client, 0, err)
			    : confirm_begin(options, client, err);
	rc = rc ? rc
		: send_all(client, requests, options, difference.staged || options->confirm, err);
	rc = rc ? rc : confirm_commit(options, client, err);
	rc = rc ? rc : difference_end(&difference, client, stdout, err);
	difference_free(&difference);
	return talk_end(options, client, rc, err);
}
