/*
 * import: what another program's configuration says, as requests. Each line that is not taken is
 * said on stderr, with its file, its number and the reason.
 */
#ifndef CLI_IMPORT_H
#define CLI_IMPORT_H

#include "cli/requests.h"

struct import {
	const struct cli_options *options;
	const char *path;    /* of the file that is read, for messages */
	unsigned int number; /* of its line */
	struct requests requests;
	size_t lines, refused; /* taken, not taken */
};

/* A line was not taken, for this reason. */
void import_refuse(struct import *import, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The same, of a value that its leaf does not accept. */
void import_refuse_value(struct import *import, const char *what, const struct error *err);
/* Set a leaf of a request, unless to its default; if the value is refused, say so. */
void import_leaf(struct import *import, struct request *request, enum object object,
		 unsigned int row, const char *what, const char *value);
/* May no entry do without it? */
bool import_needs(enum object object, unsigned int row);
/* One more request, empty, of that object; NULL, with what went wrong said. */
struct request *import_request(struct import *import, bool tunnel, bool session);

/*
 * Files of systemd-networkd, one or several in a row: its .netdev files (networks false), then, of
 * the interfaces that these have named, its .network files. @text is changed.
 */
void import_networkd(struct import *import, char *text, bool networks);

/* Commands of VyOS: set interfaces l2tpv3 ... @text is changed. */
void import_vyos(struct import *import, char *text);

#endif
