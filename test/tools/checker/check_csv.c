/* SPDX-License-Identifier: GPL-2.0-only */
#include "tools/checker/check.h"

enum { CSV_ROW_MAX = 1 << 20 };

void check_csv_init(struct check_csv *csv)
{
	*csv = (struct check_csv){.count = 0};
	buf_init(&csv->text, CSV_ROW_MAX * 2);
}

void check_csv_release(struct check_csv *csv)
{
	buf_release(&csv->text);
}

static bool ends_field(struct slice s, size_t at)
{
	return at == s.len || s.p[at] == ',' || s.p[at] == '\n' ||
	       (s.p[at] == '\r' && (at + 1 == s.len || s.p[at + 1] == '\n'));
}

/* The field at the front; how many bytes it takes, or SIZE_MAX: broken. */
static size_t quoted(struct check_csv *csv, struct slice s, struct slice *out)
{
	size_t start = csv->text.len, at = 1;

	while (at < s.len && at < CSV_ROW_MAX) {
		if (s.p[at] != '"') {
			buf_add_char(&csv->text, s.p[at++]);
		} else if (at + 1 < s.len && s.p[at + 1] == '"') {
			buf_add_char(&csv->text, '"');
			at += 2;
		} else if (ends_field(s, at + 1)) {
			*out = slice_of(csv->text.p + start,
					csv->text.len - start);
			return at + 1;
		} else {
			break;
		}
	}
	return SIZE_MAX;
}

/* Likewise; a quote has no place in it. */
static size_t plain(struct slice s, struct slice *out)
{
	size_t at = 0;

	while (!ends_field(s, at))
		if (s.p[at++] == '"')
			return SIZE_MAX;
	*out = slice_of(s.p, at);
	return at;
}

bool check_csv_next(struct check_csv *csv, struct slice *rest)
{
	struct slice s = *rest;
	size_t at = 0;

	buf_reset(&csv->text);
	/* Fields point into "text", which must not move while it grows. */
	buf_reserve(&csv->text, CSV_ROW_MAX * 2);
	csv->count = 0;
	csv->broken = false;
	if (!s.len)
		return false;
	for (;;) {
		struct slice left = slice_skip(s, at), field;
		size_t n = left.len && left.p[0] == '"'
				   ? quoted(csv, left, &field)
				   : plain(left, &field);

		if (n == SIZE_MAX) {
			/* A lost quote costs its line, not what follows. */
			csv->broken = true;
			csv->row = slice_of(s.p, slice_find(s, '\n'));
			break;
		}
		if (csv->count < CSV_FIELDS)
			csv->field[csv->count++] = field;
		at += n;
		if (at == s.len || s.p[at] != ',') {
			csv->row = slice_of(s.p, at);
			break;
		}
		at++;
	}
	s = slice_skip(s, csv->row.len);
	if (slice_starts(s, SLICE("\r\n")))
		s = slice_skip(s, 1);
	*rest = slice_skip(s, 1);
	return true;
}
