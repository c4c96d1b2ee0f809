#include "netconf/capabilities.h"

#include <stdio.h>
#include <string.h>

#include "model/names.h"
#include "netconf/framing.h"

#define CAPABILITY "urn:ietf:params:netconf:capability:"

const char *const netconf_capabilities[] = {
	CAPABILITY_1_0,
	CAPABILITY_1_1,
	"urn:ietf:params:netconf:capability:writable-running:1.0",
	"urn:ietf:params:netconf:capability:candidate:1.0",
	"urn:ietf:params:netconf:capability:confirmed-commit:1.1",
	"urn:ietf:params:netconf:capability:rollback-on-error:1.0",
	"urn:ietf:params:netconf:capability:validate:1.1",
	"urn:ietf:params:netconf:capability:xpath:1.0",
	"urn:ietf:params:netconf:capability:partial-lock:1.0",
	"urn:ietf:params:netconf:capability:notification:1.0",
	"urn:ietf:params:netconf:capability:interleave:1.0",
	"urn:ietf:params:netconf:capability:with-defaults:1.0"
	"?basic-mode=explicit&also-supported=report-all,report-all-tagged,trim",
	"urn:ietf:params:netconf:capability:with-operational-defaults:1.0",
	NULL,
};

bool capability_has(const char *name)
{
	const size_t prefix = sizeof(CAPABILITY) - 1, length = strlen(name);
	const char *const *at = netconf_capabilities;

	while (*at && (strncmp(*at, CAPABILITY, prefix) != 0 ||
		       strncmp(*at + prefix, name, length) != 0 || (*at)[prefix + length] != ':'))
		at++;
	return *at;
}

/* FNV-1a, 64 bits, with the NUL, so that "ab", "c" differs from "a", "bc". */
static uint64_t hash(uint64_t sum, const char *text)
{
	do
		sum = (sum ^ (unsigned char)*text) * 0x100000001b3;
	while (*text++);
	return sum;
}

void capability_content_id(char ret[CONTENT_ID_SIZE])
{
	uint64_t sum = 0xcbf29ce484222325;

	for (unsigned int i = 0; netconf_capabilities[i]; i++)
		sum = hash(sum, netconf_capabilities[i]);
	for (const struct module *at = netconf_modules; at->name; at++) {
		sum = hash(sum, at->name);
		sum = hash(sum, at->revision);
		sum = hash(sum, at->imported ? "imported" : "");
	}
	snprintf(ret, CONTENT_ID_SIZE, "%016llx", (unsigned long long)sum);
}

/*
 * For clients of RFC 8525 and RFC 7895. Announced even if the module's text is not found: a server
 * must announce one of them (RFC 7950 section 5.6.4), and it holds without the text.
 */
static void say_library(bool old, char ret[CAPABILITY_SIZE])
{
	char id[CONTENT_ID_SIZE];

	capability_content_id(id);
	snprintf(ret, CAPABILITY_SIZE,
		 CAPABILITY "yang-library:%s?revision=" YANG_LIBRARY_REVISION "&%s=%s",
		 old ? "1.0" : "1.1", old ? "module-set-id" : "content-id", id);
}

bool capability_at(const struct modules *modules, unsigned int number, char ret[CAPABILITY_SIZE])
{
	for (unsigned int i = 0; netconf_capabilities[i]; i++) {
		if (number--)
			continue;
		snprintf(ret, CAPABILITY_SIZE, "%s", netconf_capabilities[i]);
		return true;
	}
	if (number < 2) {
		say_library(number == 1, ret);
		return true;
	}
	number -= 2;
	for (unsigned int i = 0; netconf_modules[i].name; i++) {
		const struct module *module = &netconf_modules[i];

		if (module->imported || !modules->found[i] || number--)
			continue;
		snprintf(ret, CAPABILITY_SIZE, "%s?module=%s&revision=%s", module->uri,
			 module->name, module->revision);
		return true;
	}
	return false;
}
