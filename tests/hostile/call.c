/* call NAME ARGUMENT... [+ NAME ARGUMENT...]...
 *
 * Makes system calls by name, or `int80 NUMBER` those of i386, or `x32 NUMBER`, and prints what each returned. An
 * argument is a number, @N (what step N returned), `buffer` (zeros), `iovec` (one of 8 bytes), `handle` (of inode 2, a
 * file system's root), `unix:NAME` (an abstract address) or a text. All memory is below 4 GiB.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static const struct { const char *name; long number; } calls[] = {
#include "calls.h"
};

static char *memory;

static long value_of(const char *word, const long *results)
{
	if (word[0] == '@')
		return results[atoi(word + 1)];
	if ((word[0] >= '0' && word[0] <= '9') || (word[0] == '-' && word[1]))
		return strtol(word, NULL, 0);
	char *place = memory;
	memory += 4096;
	if (strncmp(word, "unix:", 5) == 0) {
		*(sa_family_t *)place = AF_UNIX;
		strcpy(place + sizeof(sa_family_t) + 1, word + 5);
	} else if (strcmp(word, "iovec") == 0) {
		*(struct iovec *)place = (struct iovec){place + 64, 8};
	} else if (strcmp(word, "handle") == 0) {
		memcpy(place, (int[]){8, 1, 2, 0}, 16);
	} else if (strcmp(word, "buffer") != 0) {
		strcpy(place, word);
	}
	return (long)place;
}

static long int80(long number, const long *a)
{
	long result;
	__asm__ volatile("int $0x80" : "=a"(result)
			 : "a"(number), "b"(a[0]), "c"(a[1]), "d"(a[2]), "S"(a[3]), "D"(a[4]) : "memory", "r8", "r9", "r10", "r11");
	if ((int)result < 0 && (int)result > -4096) {
		errno = -(int)result;
		return -1;
	}
	return result;
}

int main(int count, char **words)
{
	long results[64] = {0};
	int step = 0;
	setvbuf(stdout, NULL, _IONBF, 0);
	memory = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	for (int at = 1; at < count; at++, step++) {
		const char *name = words[at];
		long a[8] = {0}, result = -1;
		int given = 0;
		while (++at < count && strcmp(words[at], "+") != 0)
			a[given++] = value_of(words[at], results);
		errno = 0;
		if (strcmp(name, "int80") == 0) {
			result = int80(a[0], a + 1);
		} else if (strcmp(name, "x32") == 0) {
			result = syscall(a[0] | 0x40000000, a[1], a[2], a[3]);
		} else {
			unsigned i = 0;
			while (i < sizeof calls / sizeof *calls && strcmp(calls[i].name, name) != 0)
				i++;
			if (i == sizeof calls / sizeof *calls) {
				printf("%s: no such call here\n", name);
				return 1;
			}
			result = syscall(calls[i].number, a[0], a[1], a[2], a[3], a[4], a[5]);
		}
		results[step] = result;
		if (result == -1)
			printf("%s: %s\n", name, strerrorname_np(errno));
		else
			printf("%s = %ld\n", name, result);
	}
	return 0;
}
