/*
 * A secret that is not on the command line, where ps shows it: "@FILE" names
 * the file that holds it, "-" is the next line of standard input.
 */
#ifndef CLI_SECRET_H
#define CLI_SECRET_H

#include <stdbool.h>

#include "model/error.h"

#define SECRET_MAX 64 /* characters, NUL included: more than any secret has */

bool secret_is_elsewhere(const char *word);

/*
 * Read the one line that @word points to, without blanks at its ends. Errors:
 * -EINVAL or a negative errno, with the text. The caller wipes @ret.
 */
int secret_read(const char *word, char ret[SECRET_MAX], struct error *err);

#endif
