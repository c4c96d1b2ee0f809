/*
 * Secrets kept off the command line, where ps would show them: "@FILE" names the file that holds
 * one, "-" means the next line of standard input.
 */
#ifndef CLI_SECRET_H
#define CLI_SECRET_H

#include <stdbool.h>

#include "model/error.h"

#define SECRET_MAX 64 /* characters, NUL included; longer than any secret */

bool secret_is_elsewhere(const char *word);

/*
 * Read the one line that @word refers to, and trim blanks. 0, or a negative errno with @err filled.
 * The caller wipes @ret.
 */
int secret_read(const char *word, char ret[SECRET_MAX], struct error *err);

#endif
