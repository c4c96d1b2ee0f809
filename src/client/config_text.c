#include "client/config_text.h"

#include <errno.h>

#include "base/wipe.h"
#include "base/wiped_stream.h"
#include "netconf/unwrap.h"
#include "netconf/writer.h"
#include "netconf/blank.h"

struct config_text {
	struct writer writer;
	FILE *file;
	unsigned int depth;
	const char *names[READER_DEPTH_MAX], *uris[READER_DEPTH_MAX]; /* of the open elements */
	bool begun;       /* no tag since the last start tag */
	const char *text; /* not yet written, for blanks between elements are dropped */
	size_t length;
};

static void put_text(struct config_text *config, bool whole)
{
	if (whole || !blank_is(config->text, config->length))
		write_escaped(&config->writer, config->text, config->length);
	config->length = 0;
}

static void put_attribute(struct writer *writer, const char *prefix, const char *name,
			  const char *value, size_t length)
{
	write_text(writer, " ");
	write_text(writer, prefix);
	write_text(writer, *prefix && *name ? ":" : "");
	write_text(writer, name);
	write_text(writer, "=\"");
	write_escaped(writer, value, length);
	write_text(writer, "\"");
}

/* Invent prefixes, except "xml", which need not be declared. */
static void put_attributes(struct writer *writer, const struct reader_element *element)
{
	for (unsigned int i = 0; i < element->attribute_count; i++) {
		const struct reader_attribute *at = &element->attributes[i];
		char prefix[16] = "";

		if (!strcmp(at->prefix, "xml")) {
			snprintf(prefix, sizeof(prefix), "xml");
		} else if (*at->uri) {
			snprintf(prefix, sizeof(prefix), "a%u", i);
			put_attribute(writer, "xmlns", prefix, at->uri, strlen(at->uri));
		}
		put_attribute(writer, prefix, at->name, at->value, at->length);
	}
}

static int start(const struct reader_element *element, void *arg, struct error *err)
{
	struct config_text *config = arg;
	struct writer *writer = &config->writer;
	const char *around = config->depth ? config->uris[config->depth - 1] : NULL;

	(void)err;
	put_text(config, false);
	write_text(writer, "<");
	write_text(writer, element->name);
	if (!around || strcmp(around, element->uri) != 0)
		put_attribute(writer, "xmlns", "", element->uri, strlen(element->uri));
	put_attributes(writer, element);
	write_text(writer, ">");
	config->names[config->depth] = element->name;
	config->uris[config->depth++] = element->uri;
	config->begun = true;
	return 0;
}

static int text(const char *bytes, size_t length, void *arg, struct error *err)
{
	struct config_text *config = arg;

	(void)err;
	config->text = bytes;
	config->length = length;
	return 0;
}

static int end(void *arg, struct error *err)
{
	struct config_text *config = arg;

	(void)err;
	put_text(config, config->begun);
	write_tag(&config->writer, "</", config->names[--config->depth]);
	config->begun = false;
	return 0;
}

static int to_file(const char *bytes, size_t length, void *arg)
{
	return fwrite(bytes, 1, length, arg) == length ? 0 : -ENOMEM;
}

static int read_into(struct config_text *config, const char *file, size_t length, struct error *err)
{
	static const struct reader_handler handler = {start, text, end};
	struct unwrap unwrap = {.inner = &handler, .arg = config};
	struct reader *reader = reader_open(&unwrap_handler, &unwrap);
	int rc;

	if (!reader)
		return error_set(err, ERROR_RESOURCE, "out of memory");
	rc = reader_feed(reader, file, length, err);
	rc = rc ? rc : reader_finish(reader, err);
	put_text(config, false);
	reader_close(reader);
	return rc;
}

int config_text_make(const char *file, size_t length, char **ret, size_t *ret_length,
		     struct error *err)
{
	struct config_text config = {.text = ""};
	char *made = NULL;
	int rc, written;

	config.file = wiped_stream(&made, ret_length);
	if (!config.file)
		return error_set(err, ERROR_RESOURCE, "out of memory");
	writer_init(&config.writer, to_file, config.file);
	rc = read_into(&config, file, length, err);
	written = writer_flush(&config.writer);
	if (fclose(config.file) != 0 || written)
		rc = rc ? rc : error_set(err, ERROR_RESOURCE, "out of memory");
	if (rc)
		wipe_free(made, *ret_length);
	else
		*ret = made;
	return rc;
}
