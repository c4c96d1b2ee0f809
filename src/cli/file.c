#include "cli/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/wipe.h"

/* All of @file; the caller frees *ret. */
static int read_all(FILE *file, char **ret, size_t *ret_length)
{
	size_t length = 0, size = 0;
	char *text = NULL;

	do {
		if (length + 1 >= size) {
			size_t room = size ? 2 * size : 1 << 16;
			char *grown = wipe_grow(text, size, room);

			if (!grown) {
				wipe_free(text, size);
				return -ENOMEM;
			}
			text = grown;
			size = room;
		}
		length += fread(text + length, 1, size - length - 1, file);
	} while (!feof(file) && !ferror(file));
	text[length] = '\0';
	*ret = text;
	*ret_length = length;
	return ferror(file) ? -errno : 0;
}

enum cli_status file_read(const char *path, char **ret, size_t *ret_length, struct error *err)
{
	bool standard = !strcmp(path, "-");
	FILE *file = standard ? stdin : fopen(path, "re");
	int rc;

	if (!file)
		return cli_refused(
			error_set_errno(err, ERROR_STORAGE, errno, "cannot read %s", path));
	rc = read_all(file, ret, ret_length);
	if (!standard)
		fclose(file);
	if (rc)
		error_set_errno(err, ERROR_STORAGE, -rc, "cannot read %s", path);
	return cli_refused(rc);
}
