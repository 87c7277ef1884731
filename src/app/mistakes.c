/* SPDX-License-Identifier: GPL-2.0-only */
#include "app/mistakes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/utf8.h"

/* Keys and values of the file stand in the text, whole or cut: none may forge
 * a line or play with a terminal. */
static void mistakes_clean(char *text)
{
	struct slice rest = slice_str(text);

	while (rest.len) {
		char *p = text + (rest.p - text);
		unsigned char c = (unsigned char)*p;
		size_t n = utf8_char(rest);

		if (n < 2 && (!n || c < 0x20 || c == 0x7f))
			*p = '?';
		/* U+0080 to U+009F */
		if (n == 2 && c == 0xc2 && (unsigned char)p[1] < 0xa0)
			p[0] = p[1] = '?';
		rest = slice_skip(rest, n ? n : 1);
	}
}

void mistakes_add(struct mistakes *mistakes, unsigned int line,
		  unsigned int column, const char *format, ...)
{
	char text[MISTAKES_TEXT] = "";
	va_list args;

	if (mistakes->count == MISTAKES_MAX) {
		mistakes->left_out++;
		return;
	}
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	mistakes_clean(text);
	if (mistakes->count == mistakes->cap) {
		mistakes->cap = mistakes->cap ? mistakes->cap * 2 : 16;
		mistakes->list = mem_resize_array(mistakes->list, mistakes->cap,
						  sizeof(*mistakes->list));
	}
	mistakes->list[mistakes->count] =
		(struct mistake){line, column, mistakes->count, mem_str(text)};
	mistakes->count++;
}

static int mistakes_compare(const void *left, const void *right)
{
	const struct mistake *a = left, *b = right;

	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	if (a->column != b->column)
		return a->column < b->column ? -1 : 1;
	return a->number < b->number ? -1 : 1;
}

void mistakes_write(struct mistakes *mistakes, const char *file,
		    struct buf *out)
{
	if (mistakes->count)
		qsort(mistakes->list, mistakes->count, sizeof(*mistakes->list),
		      mistakes_compare);
	for (size_t i = 0; i < mistakes->count; i++) {
		const struct mistake *m = &mistakes->list[i];

		buf_addf(out, "%s:%u:%u: %s\n", file, m->line, m->column,
			 m->text);
	}
	if (mistakes->left_out)
		buf_addf(out, "%s: and %zu more\n", file, mistakes->left_out);
}

void mistakes_release(struct mistakes *mistakes)
{
	for (size_t i = 0; i < mistakes->count; i++)
		mem_free(mistakes->list[i].text);
	mem_free(mistakes->list);
	*mistakes = (struct mistakes){0};
}
