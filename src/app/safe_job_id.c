/* SPDX-License-Identifier: GPL-2.0-only */
#include "app/safe_job_id.h"

#include "base/utf8.h"

static bool safe_job_id_stays(char c)
{
	return c > ' ' && c < 0x7f && c != '"' && c != '`';
}

/* One character; how many bytes it has. */
static size_t safe_job_id_char(struct slice text, struct buf *out)
{
	size_t n = utf8_char(text);

	buf_add_char(out, safe_job_id_stays(text.p[0]) ? text.p[0] : '_');
	return n ? n : 1;
}

void safe_job_id_add(struct slice text, struct buf *out)
{
	while (text.len)
		text = slice_skip(text, safe_job_id_char(text, out));
}

/* Could more bytes make these another character than they are alone? */
static bool safe_job_id_partial(struct slice text)
{
	unsigned char first = (unsigned char)text.p[0];
	size_t need = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

	if (first == '\r')
		return text.len == 1;
	if (first < 0xc2 || first > 0xf4 || text.len >= need)
		return false;
	for (size_t i = 1; i < text.len; i++) {
		if (((unsigned char)text.p[i] & 0xc0) != 0x80)
			return false;
	}
	return true;
}

size_t safe_job_id_lines(struct slice text, bool final, struct buf *out)
{
	size_t all = text.len;

	while (text.len && (final || !safe_job_id_partial(text))) {
		if (text.p[0] == '\n') {
			buf_add_char(out, '\n');
			text = slice_skip(text, 1);
		} else if (slice_starts(text, SLICE("\r\n"))) {
			buf_add_str(out, "\r\n");
			text = slice_skip(text, 2);
		} else {
			text = slice_skip(text, safe_job_id_char(text, out));
		}
	}
	return all - text.len;
}
