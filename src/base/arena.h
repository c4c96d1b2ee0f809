/*
 * An arena: memory taken in small pieces and freed all at once, in few calls however many pieces
 * there were. Zero it before use; arena_free() zeroes it again.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena {
	struct arena_block *blocks;
	size_t size; /* bytes handed out, for the caller's limit */
};

/* Zeroed and aligned for numbers and pointers; NULL: no memory. */
void *arena_alloc(struct arena *arena, size_t size);
void arena_free(struct arena *arena);
/* Free one of its blocks, so that a large arena can be freed in slices; false: there was none. */
bool arena_free_block(struct arena *arena);

/*
 * malloc() of a block that will be written soon: a large one gets all its pages at once, for each
 * fault costs more than clearing a page.
 */
void *arena_block_new(size_t size);

/*
 * Make freed arenas return all but their first blocks to the system, instead of leaving holes in
 * the heap. Call it once, at the start of a long-lived program.
 */
void arena_return_to_system(void);

#endif
