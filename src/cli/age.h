/* Times as a person reads them. */
#ifndef CLI_AGE_H
#define CLI_AGE_H

#include <stdbool.h>
#include <stdint.h>

#define AGE_MAX 64

/* "3 d 4 h", "12 min", "5 s": the two largest units. */
void age_of_seconds(int64_t seconds, char ret[AGE_MAX]);
/* How long ago @text is, a yang:date-and-time in UTC; false: it is none. */
bool age_since(const char *text, char ret[AGE_MAX]);

#endif
