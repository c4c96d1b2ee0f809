/* Cookies are secrets: memory that held some is wiped before it is freed, and never dumped. */
#ifndef BASE_WIPE_H
#define BASE_WIPE_H

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/* free() for memory that may hold secrets. Accepts NULL. */
static inline void wipe_free(void *memory, size_t size)
{
	if (memory)
		explicit_bzero(memory, size);
	free(memory);
}

/* The same without the size, for libraries that let us supply free(). Accepts NULL. */
static inline void wipe_any(void *memory)
{
	wipe_free(memory, malloc_usable_size(memory));
}

/*
 * realloc() of memory that may hold secrets, to more: what it was before is wiped. NULL: no memory,
 * and it is as it was.
 */
static inline void *wipe_grow(void *memory, size_t old_size, size_t new_size)
{
	void *grown = malloc(new_size);

	if (!grown)
		return NULL;
	if (memory)
		memcpy(grown, memory, old_size);
	wipe_free(memory, old_size);
	return grown;
}

/*
 * Call it at the start of a program that will hold secrets: it prevents core dumps, and keeps other
 * processes of the user from reading its memory.
 */
static inline void wipe_forbid_dumps(void)
{
	const struct rlimit none = {0};

	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

#endif
