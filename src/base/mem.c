/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/mem.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

__attribute__((noreturn)) static void mem_none(size_t size)
{
	fprintf(stderr,
		"sparktail: out of memory: %zu bytes were asked for; nothing "
		"sealed is lost, start again when there is memory\n",
		size);
	_Exit(EX_OSERR);
}

void *mem_alloc(size_t size)
{
	void *p = malloc(size ? size : 1);

	if (!p)
		mem_none(size);
	return p;
}

void *mem_zero(size_t count, size_t size)
{
	void *p = calloc(count ? count : 1, size ? size : 1);

	if (!p)
		mem_none(size);
	return p;
}

void *mem_resize(void *p, size_t size)
{
	void *q = realloc(p, size ? size : 1);

	if (!q)
		mem_none(size);
	return q;
}

void *mem_resize_array(void *p, size_t count, size_t size)
{
	if (size && count > SIZE_MAX / size)
		mem_none(SIZE_MAX);
	return mem_resize(p, count * size);
}

char *mem_str_of(struct slice s)
{
	char *copy = mem_alloc(s.len + 1);

	if (s.len)
		memcpy(copy, s.p, s.len);
	copy[s.len] = '\0';
	return copy;
}

char *mem_str(const char *string)
{
	return mem_str_of(slice_str(string));
}

void mem_free(void *p)
{
	free(p);
}
