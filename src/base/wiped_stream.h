/*
 * A stream into memory, like open_memstream()'s, for text with secrets: it leaves nothing of the
 * text behind, neither where the text was before it had to be moved nor in the stream's own buffer.
 */
#ifndef BASE_WIPED_STREAM_H
#define BASE_WIPED_STREAM_H

#include <stdio.h>

/*
 * At any time *ret has what was flushed, with a NUL behind it that *ret_size does not count: for
 * wipe_free() after fclose(), whatever that returns. NULL: no memory.
 */
FILE *wiped_stream(char **ret, size_t *ret_size);

#endif
