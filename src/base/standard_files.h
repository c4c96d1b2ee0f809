/* Standard input, output and error, when whoever started the program closed them. */
#ifndef BASE_STANDARD_FILES_H
#define BASE_STANDARD_FILES_H

#include <fcntl.h>
#include <unistd.h>

/*
 * To be called before anything is opened: the socket that became file 1 would
 * be written to as standard output. What is closed stays of no use, so that
 * reading it and writing to it are errors.
 */
static inline void standard_files_occupy(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0) /* then it is the number that open() takes */
			open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
	}
}

#endif
