#include "cli/request.h"

#include <inttypes.h>
#include <string.h>

void *request_leaves(struct request *request, enum object object)
{
	return object == OBJECT_TUNNEL ? (void *)&request->tunnel : (void *)&request->session;
}

const void *request_config(const struct request *request, enum object object)
{
	return object == OBJECT_TUNNEL ? (const void *)&request->tunnel
				       : (const void *)&request->session;
}

bool request_lacks_tunnel(const struct request *request)
{
	return (request->verb == VERB_SET || request->verb == VERB_DELETE) &&
	       request->wants[OBJECT_SESSION] && !request->wants[OBJECT_TUNNEL] &&
	       request->session.session_id && !request->tunnel.tunnel_id;
}

const char *request_term(const struct request *request, const struct row *row)
{
	for (unsigned int i = 0; i < request->term_count; i++) {
		if (request->terms[i].row == row)
			return request->terms[i].text;
	}
	return NULL;
}

void request_note(char notes[NOTES_MAX], const char *keyword)
{
	size_t used = strlen(notes);

	snprintf(notes + used, NOTES_MAX - used, "%s%s", used ? ", " : "", keyword);
}

void request_print_notes(FILE *file, const struct request *request)
{
	const char *misplaced = request->misplaced;

	if (request->ignored[0])
		fprintf(file, "l2tpv3ctl: note: ignored, as ip l2tp does: %s\n", request->ignored);
	if (!misplaced[0])
		return;
	fprintf(file,
		"l2tpv3ctl: note: a tunnel has no %s in the kernel, a session has: ", misplaced);
	fprintf(file, "l2tpv3ctl set session tunnel_id %" PRIu32 " session_id ID %.*s VALUE\n",
		request->tunnel.tunnel_id, (int)strcspn(misplaced, ","), misplaced);
}
