/* Banned calls fail the build. The Makefile includes this file before all others. */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#pragma GCC poison strcpy strcat sprintf vsprintf gets atoi atol atoll
#pragma GCC poison system popen strtok tmpnam mktemp

#endif
