/* A configuration file as what stands inside <config> of an edit-config. */
#ifndef CLIENT_CONFIG_TEXT_H
#define CLIENT_CONFIG_TEXT_H

#include <stddef.h>

#include "model/error.h"

/*
 * @file is read as the daemon reads its own (unwrap.h): what is around the
 * container goes, comments and instructions too, and what is no XML, or is not
 * in UTF-8, is refused with its line. *ret, which the caller frees, has every
 * namespace that it needs.
 */
int config_text_make(const char *file, size_t length, char **ret, size_t *ret_length,
		     struct error *err);

#endif
