#include "netconf/modules.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/names.h"

#define TEXT_MAX (1U << 20) /* bytes; the longest of the IETF's has a tenth of that */

/* Puts the module's file between two symbols. The Makefile knows that this file needs them. */
#define BUILD_IN(symbol, file)                                                                     \
	__asm__(".pushsection .rodata\n" #symbol ":\n.incbin \"" file "\"\n" #symbol               \
		"_end:\n.popsection\n");                                                           \
	extern const char symbol[], symbol##_end[]

BUILD_IN(l2tpv3d_module, "yang/" MODULE_NAME "@" MODULE_REVISION ".yang");
BUILD_IN(l2tpv3d_clients, "yang/" CLIENTS_NAME "@" CLIENTS_REVISION ".yang");

static const char *const nmda_features[] = {"origin", "with-defaults", NULL};
static const char *const base_features[] = {
	"writable-running",
	"candidate",
	"confirmed-commit",
	"rollback-on-error",
	"validate",
	"startup",
	"url",
	"xpath",
	NULL,
};

/* clang-format off */
const struct module netconf_modules[] = {
	{ MODULE_NAME, MODULE_REVISION, NAMESPACE_MODULE,
	  .text = l2tpv3d_module, .end = l2tpv3d_module_end },
	{ CLIENTS_NAME, CLIENTS_REVISION, NAMESPACE_CLIENTS,
	  .text = l2tpv3d_clients, .end = l2tpv3d_clients_end },
	{ "ietf-netconf", "2011-06-01", NAMESPACE_BASE, .features = base_features },
	{ "ietf-netconf-monitoring", "2010-10-04", NAMESPACE_MONITORING, .imported = false },
	{ "ietf-netconf-partial-lock", "2009-10-19", NAMESPACE_PARTIAL_LOCK, .imported = false },
	{ "ietf-netconf-with-defaults", "2011-06-01", NAMESPACE_WITH_DEFAULTS, .imported = false },
	{ "ietf-yang-library", YANG_LIBRARY_REVISION, NAMESPACE_YANG_LIBRARY, .imported = false },
	{ "ietf-datastores", "2018-02-14", NAMESPACE_DATASTORES, .imported = false },
	{ "ietf-origin", "2018-02-14", NAMESPACE_ORIGIN, .imported = false },
	{ "ietf-netconf-nmda", "2019-01-07", NAMESPACE_NMDA, .features = nmda_features },
	{ "ietf-yang-metadata", "2016-08-05", "urn:ietf:params:xml:ns:yang:ietf-yang-metadata",
	  .imported = true },
	{ "ietf-netconf-notifications", "2012-02-06", NAMESPACE_NETCONF_EVENTS, .imported = false },
	{ "notifications", "2008-07-14", NAMESPACE_NOTIFICATION, .plain_file = true },
	{ "nc-notifications", "2008-07-14", NAMESPACE_STREAMS, .plain_file = true },
	{ "yuma-ncx", "2012-01-13", "http://netconfcentral.org/ns/yuma-ncx",
	  .imported = true, .plain_file = true },
	{ "ietf-inet-types", "2013-07-15", "urn:ietf:params:xml:ns:yang:ietf-inet-types",
	  .imported = true },
	{ "ietf-netconf-acm", "2018-02-14", NAMESPACE_ACM, .imported = false },
	{ "ietf-yang-types", "2013-07-15", "urn:ietf:params:xml:ns:yang:ietf-yang-types",
	  .imported = true },
	{ .name = NULL },
};
/* clang-format on */

static_assert(sizeof(netconf_modules) / sizeof(netconf_modules[0]) <= MODULES_MAX + 1,
	      "MODULES_MAX is too small");

/* A descriptor, or -1. */
static int open_text(const char *name, struct stat *ret)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd >= 0 && (fstat(fd, ret) || !S_ISREG(ret->st_mode) || !ret->st_size ||
			ret->st_size > TEXT_MAX)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* Packages of old modules leave the revision out of the file's name. */
static int open_file(const char *path, const struct module *module, struct stat *ret)
{
	char name[PATH_MAX];
	int fd = -1;

	for (size_t length; *path && fd < 0; path += length + (path[length] == ':')) {
		length = strcspn(path, ":");
		if (snprintf(name, sizeof(name), "%.*s/%s@%s.yang", (int)length, path, module->name,
			     module->revision) < PATH_MAX)
			fd = open_text(name, ret);
		if (fd < 0 && module->plain_file &&
		    snprintf(name, sizeof(name), "%.*s/%s.yang", (int)length, path, module->name) <
			    PATH_MAX)
			fd = open_text(name, ret);
	}
	return fd;
}

void modules_open(struct modules *modules, const char *path, char *missing, size_t size)
{
	size_t used = 0;

	*modules = (struct modules){.path = path};
	*missing = '\0';
	for (size_t i = 0; netconf_modules[i].name; i++) {
		const struct module *module = &netconf_modules[i];
		struct stat status;
		int fd = module->text ? -1 : open_file(path, module, &status);

		modules->found[i] = module->text || fd >= 0;
		if (fd >= 0)
			close(fd);
		if (!modules->found[i] && used < size)
			used += (size_t)snprintf(missing + used, size - used, "%s%s@%s.yang",
						 used ? ", " : "", module->name, module->revision);
	}
}

const struct module *module_find(const struct module *table, const char *name, const char *revision,
				 struct error *err)
{
	const struct module *found = NULL;

	for (; table->name; table++) {
		if (strcmp(table->name, name) != 0 ||
		    (revision && strcmp(table->revision, revision) != 0))
			continue;
		if (found) {
			error_set(err, ERROR_NOT_UNIQUE,
				  "there is more than one revision of %s; name one", name);
			return NULL;
		}
		found = table;
	}
	if (!found)
		error_set(err, ERROR_INVALID_VALUE,
			  "there is no module %.80s%s%.20s; /netconf-state/schemas lists those "
			  "that can be had",
			  name, revision ? " with revision " : "",
			  revision && !*revision ? "\"\""
			  : revision             ? revision
						 : "");
	return found;
}

static int read_all(int fd, char *bytes, size_t length)
{
	while (length) {
		ssize_t count = read(fd, bytes, length);

		if (count <= 0)
			return count ? -errno : -EIO; /* it has become shorter */
		bytes += count;
		length -= (size_t)count;
	}
	return 0;
}

int module_read(const struct modules *modules, const struct module *module, struct module_text *ret,
		struct error *err)
{
	struct stat status;
	int fd, rc;

	*ret = (struct module_text){.bytes = module->text};
	if (module->text) {
		ret->length = (size_t)(module->end - module->text);
		return 0;
	}
	fd = open_file(modules->path, module, &status);
	if (fd < 0)
		return error_set(err, ERROR_INVALID_VALUE,
				 "%s@%s.yang is not in %s; see the option --yang-path of l2tpv3d",
				 module->name, module->revision, modules->path);
	ret->length = (size_t)status.st_size;
	ret->memory = malloc(ret->length);
	ret->bytes = ret->memory;
	rc = ret->memory ? read_all(fd, ret->memory, ret->length) : -ENOMEM;
	close(fd);
	if (!rc)
		return 0;
	module_text_free(ret);
	return error_set_errno(err, ERROR_RESOURCE, -rc, "cannot read %s@%s.yang", module->name,
			       module->revision);
}

void module_text_free(struct module_text *text)
{
	free(text->memory);
	*text = (struct module_text){0};
}
