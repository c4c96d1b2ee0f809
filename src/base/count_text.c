#include "base/count_text.h"

#include <inttypes.h>
#include <stdio.h>

const char *count_text(uint64_t count, char ret[COUNT_TEXT])
{
	char digits[COUNT_TEXT];
	int length = snprintf(digits, sizeof(digits), "%" PRIu64, count);
	size_t used = 0;

	for (int i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			ret[used++] = ',';
		ret[used++] = digits[i];
	}
	ret[used] = '\0';
	return ret;
}
