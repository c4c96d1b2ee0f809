/*
 * Replies as documents, entry by entry: XML of the YANG module, or the same in JSON (RFC 7951;
 * libyang's yanglint accepts both); and plain JSON lists of tunnels or of sessions for `show -j`.
 */
#ifndef CLI_DOCUMENT_H
#define CLI_DOCUMENT_H

#include "cli/json.h"
#include "client/client.h"

enum document_form {
	DOCUMENT_XML,  /* <l2tpv3>, tunnels with their sessions inside */
	DOCUMENT_JSON, /* the same */
	DOCUMENT_LIST  /* JSON: [{tunnel}, ...] or [{tunnel-id, session}, ...] */
};

struct document {
	enum document_form form;
	struct json json;
	FILE *file;
	bool begun, tunnel_open, session_seen;
};

/* Writes nothing before the first entry or the end, because an error may come instead. */
void document_begin(struct document *document, enum document_form form, FILE *file, bool pretty);
void document_entry(struct document *document, const struct client_entry *entry);
void document_end(struct document *document);

#endif
