/* Numbers for people. */
#ifndef BASE_COUNT_TEXT_H
#define BASE_COUNT_TEXT_H

#include <stdint.h>

#define COUNT_TEXT 28

/* "65,000"; returns @ret. */
const char *count_text(uint64_t count, char ret[COUNT_TEXT]);

#endif
