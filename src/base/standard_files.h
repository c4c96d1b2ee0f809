/* Guards against being started with standard input, output or error closed. */
#ifndef BASE_STANDARD_FILES_H
#define BASE_STANDARD_FILES_H

#include <fcntl.h>
#include <unistd.h>

/*
 * Call it before anything is opened: a socket that became file 1 would be written to as standard
 * output. The closed ones become files on which reading and writing fail.
 */
static inline void standard_files_occupy(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0) /* closed, and thus the number that open() takes */
			open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
	}
}

#endif
