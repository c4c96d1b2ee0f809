/* Turns a configuration file into the content of <config> in an edit-config. */
#ifndef CLIENT_CONFIG_TEXT_H
#define CLIENT_CONFIG_TEXT_H

#include <stddef.h>

#include "model/error.h"

/*
 * Reads @file as the daemon reads its own (unwrap.h): drops what is around the container, comments
 * and instructions; refuses what is not XML, or not UTF-8, with its line. *ret, which the caller
 * frees, declares every namespace that it uses.
 */
int config_text_make(const char *file, size_t length, char **ret, size_t *ret_length,
		     struct error *err);

#endif
