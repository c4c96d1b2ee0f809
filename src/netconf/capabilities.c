/*
 * The hello says these and netconf-state repeats them. A test compares the revision with the
 * module's.
 */
#include "model/names.h"
#include "netconf/capabilities.h"
#include "netconf/framing.h"

const char *const netconf_capabilities[] = {
	CAPABILITY_1_0,
	CAPABILITY_1_1,
	"urn:ietf:params:netconf:capability:writable-running:1.0",
	"urn:ietf:params:netconf:capability:candidate:1.0",
	"urn:ietf:params:netconf:capability:confirmed-commit:1.1",
	"urn:ietf:params:netconf:capability:rollback-on-error:1.0",
	"urn:ietf:params:netconf:capability:validate:1.1",
	NAMESPACE_MODULE "?module=" MODULE_NAME "&revision=2026-11-22",
	NULL,
};
