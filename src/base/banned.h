/* Calls that have no place here fail the build. Included before everything by the Makefile. */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#pragma GCC poison strcpy strcat sprintf vsprintf gets atoi atol atoll
#pragma GCC poison system popen strtok tmpnam mktemp

#endif
