/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BASE_MEM_H
#define BASE_MEM_H

/*
 * mem - memory that is there, or the program ends
 *
 * All sizes asked for are capped before they get here, so a lack of memory is
 * a machine in trouble, not an input.  The one answer is a line on standard
 * error and exit status 71 (EX_OSERR): what matters is on disk, and the
 * supervisor starts us again.  No function returns NULL, but for mem_free().
 */

#include <stddef.h>

#include "base/slice.h"

void *mem_alloc(size_t size)
	__attribute__((malloc, returns_nonnull, warn_unused_result));

/* "count" things of "size" bytes, all zero.  Overflow is out of memory. */
void *mem_zero(size_t count, size_t size)
	__attribute__((malloc, returns_nonnull, warn_unused_result));

/* Resize; the old pointer is no longer good.  "p" may be NULL. */
void *mem_resize(void *p, size_t size)
	__attribute__((returns_nonnull, warn_unused_result));

/* Resize to "count" things of "size" bytes. */
void *mem_resize_array(void *p, size_t count, size_t size)
	__attribute__((returns_nonnull, warn_unused_result));

/* A terminated copy, to be freed with mem_free(). */
char *mem_str(const char *string)
	__attribute__((malloc, returns_nonnull, warn_unused_result));
char *mem_str_of(struct slice s)
	__attribute__((malloc, returns_nonnull, warn_unused_result));

/* Give back; NULL is fine. */
void mem_free(void *p);

#endif /* BASE_MEM_H */
