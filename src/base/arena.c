#include "base/arena.h"

#include "base/wipe.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Each block is twice the size of the last: an arena has few blocks, and wastes at most half. */
#define BLOCK_FIRST 4096U
#define BLOCK_LAST  (1U << 20)
#define BLOCK_OWN   (128U << 10) /* a block of this size has pages of its own */

struct arena_block {
	struct arena_block *next;
	size_t used, size; /* including this header */
	_Alignas(max_align_t) char bytes[];
};

bool arena_free_block(struct arena *arena)
{
	struct arena_block *block = arena->blocks;

	if (!block)
		return false;
	arena->blocks = block->next;
	wipe_free(block, block->used); /* requests hold cookies */
	return true;
}

void arena_free(struct arena *arena)
{
	while (arena_free_block(arena))
		;
	*arena = (struct arena){0};
}

void *arena_block_new(size_t size)
{
	void *block = malloc(size);
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), from = (uintptr_t)block & -page;

	if (block && size >= BLOCK_OWN)
		(void)madvise((void *)from, (uintptr_t)block + size - from, MADV_POPULATE_WRITE);
	return block;
}

static bool add_block(struct arena *arena, size_t need)
{
	size_t size = arena->blocks ? 2 * arena->blocks->size : BLOCK_FIRST;
	struct arena_block *block;

	if (size > BLOCK_LAST)
		size = BLOCK_LAST;
	if (size < sizeof(*block) + need)
		size = sizeof(*block) + need;
	block = arena_block_new(size);
	if (!block)
		return false;
	*block = (struct arena_block){.next = arena->blocks, .used = sizeof(*block), .size = size};
	arena->blocks = block;
	return true;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	const size_t align = _Alignof(int64_t);
	struct arena_block *block = arena->blocks;
	void *ret;

	if (size > SIZE_MAX / 2)
		return NULL;
	size = (size + align - 1) / align * align;
	if (!block || block->size - block->used < size) {
		if (!add_block(arena, size))
			return NULL;
		block = arena->blocks;
	}
	ret = (char *)block + block->used;
	block->used += size;
	arena->size += size;
	/* not by calloc() of the block: fresh pages that are read before written cost two faults */
	return memset(ret, 0, size);
}

/* Setting the threshold also stops glibc from raising it to the size of the last block freed. */
void arena_return_to_system(void)
{
	mallopt(M_MMAP_THRESHOLD, BLOCK_OWN);
}
