/*
 * The YANG modules that the server implements, or whose definitions these use, and their texts.
 * Ours are built in. Those of the IETF are read from the folders of a search path, where
 * packages put them: no copy is kept here.
 */
#ifndef NETCONF_MODULES_H
#define NETCONF_MODULES_H

#include "model/error.h"

/* Where Debian's libyang2 and libyuma-base put them. */
#define MODULES_PATH                                                                               \
	"/usr/share/yang/modules/libyang:/usr/share/yuma/modules/ietf:"                            \
	"/usr/share/yuma/modules/ietf-derived:/usr/share/yuma/modules/netconfcentral"

#define MODULES_MAX 32

struct module {
	const char *name, *revision, *uri;
	bool imported;   /* others use its definitions, and no data of it is here */
	bool plain_file; /* NAME.yang will do: there is no NAME@REVISION.yang */
	/* Those supported, of the base's if there is a capability; ends with NULL; NULL: none. */
	const char *const *features;
	const char *text, *end; /* built in; NULL: to be found in the search path */
};

extern const struct module netconf_modules[]; /* ends with a NULL name */

/* What the search path had when the server started: what it tells of that stays the same. */
struct modules {
	const char *path; /* folders, ':' between them */
	bool found[MODULES_MAX];
};

/* Look for all of them; those that are missing are named in @missing, "" if none. */
void modules_open(struct modules *modules, const char *path, char *missing, size_t size);

/*
 * The only one of @table by that name, of any revision if @revision is NULL. NULL, with @err:
 * there is none, or more than one (RFC 6022 section 3.1).
 */
const struct module *module_find(const struct module *table, const char *name, const char *revision,
				 struct error *err);

struct module_text {
	const char *bytes;
	size_t length;
	char *memory; /* to be freed with module_text_free(), or NULL */
};

/* A negative errno, with @err, if it cannot be had. */
int module_read(const struct modules *modules, const struct module *module, struct module_text *ret,
		struct error *err);
void module_text_free(struct module_text *text);

#endif
