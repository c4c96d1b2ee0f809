/* Reads what the user has written. */
#ifndef CLI_FILE_H
#define CLI_FILE_H

#include <stddef.h>

#include "cli/cli.h"

/* All of a file, or with "-" of standard input, and a NUL; the caller frees *ret. */
enum cli_status file_read(const char *path, char **ret, size_t *ret_length, struct error *err);

#endif
