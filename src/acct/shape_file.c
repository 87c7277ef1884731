/* SPDX-License-Identifier: GPL-2.0-only */
#include "acct/shape.h"

void shape_file_init(struct shape_file *file)
{
	*file = (struct shape_file){.header_offset = -1};
	buf_init(&file->header, SHAPE_HEADER_MAX);
}

void shape_file_release(struct shape_file *file)
{
	buf_release(&file->header);
	shape_file_init(file);
}

void shape_file_copy(struct shape_file *to, const struct shape_file *from)
{
	struct buf header = to->header;

	buf_reset(&header);
	buf_add_slice(&header, buf_slice(&from->header));
	*to = *from;
	to->header = header;
}

bool shape_file_same(const struct shape_file *a, const struct shape_file *b)
{
	return a->header_offset == b->header_offset &&
	       a->skipping == b->skipping &&
	       slice_eq(buf_slice(&a->header), buf_slice(&b->header));
}

void shape_file_columns(struct shape_file *file, const char *columns)
{
	struct slice rest, text = slice_trim(slice_str(columns));
	struct slice first = slice_trim(slice_cut(text, ',', &rest));

	buf_reset(&file->header);
	file->header_offset = -1;
	if (!text.len)
		return;
	if (slice_eq_nocase(first, SLICE("type")))
		text = rest;
	buf_add_str(&file->header, "type,");
	buf_add_slice(&file->header, text);
	if (file->header.overflow)
		buf_reset(&file->header);
}
