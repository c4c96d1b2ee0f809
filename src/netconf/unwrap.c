#include "netconf/unwrap.h"

static bool wraps(const struct unwrap *unwrap, const struct reader_element *element)
{
	static const char *const names[] = {"config", "data", "rpc-reply"};

	if (unwrap->depth || unwrap->wrappers > 1 || !strcmp(element->uri, NAMESPACE_MODULE))
		return false;
	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(names[i], element->name))
			return true;
	return false;
}

static int start(const struct reader_element *element, void *arg, struct error *err)
{
	struct unwrap *unwrap = arg;

	if (wraps(unwrap, element)) {
		unwrap->wrappers++;
		return 0;
	}
	unwrap->depth++;
	return unwrap->inner->start(element, unwrap->arg, err);
}

static int text(const char *bytes, size_t length, void *arg, struct error *err)
{
	struct unwrap *unwrap = arg;

	return unwrap->inner->text(bytes, length, unwrap->arg, err);
}

static int end(void *arg, struct error *err)
{
	struct unwrap *unwrap = arg;

	if (!unwrap->depth) {
		unwrap->wrappers--;
		return 0;
	}
	unwrap->depth--;
	return unwrap->inner->end(unwrap->arg, err);
}

const struct reader_handler unwrap_handler = {start, text, end};
