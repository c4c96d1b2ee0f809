/*
 * An arena: memory that is taken in small pieces and given back all at once, in
 * a few calls however many the pieces were. Zero it before use; arena_free()
 * leaves it zero again.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena {
	struct arena_block *blocks;
	size_t size; /* bytes handed out, for the caller's limit */
};

/* Zeroed and aligned for anything; NULL: no memory. */
void *arena_alloc(struct arena *arena, size_t size);
void arena_free(struct arena *arena);
/* Free one of its blocks, so that a large one goes in slices; false: there was none. */
bool arena_free_block(struct arena *arena);

/*
 * What an arena takes beyond its first blocks is given back to the system when
 * it is freed, and does not stay in the heap between what others keep. To be
 * called once, at the start of a program that lives long.
 */
void arena_return_to_system(void);

#endif
