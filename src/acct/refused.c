/* SPDX-License-Identifier: GPL-2.0-only */
#include "acct/refused.h"

#include "base/utf8.h"

/* Masking and repairing make at most three bytes, or a "...", of one. */
enum { REFUSED_WORK = 8 * REFUSED_TEXT };

void refused_init(struct refused *refused)
{
	buf_init(&refused->text, REFUSED_WORK);
	buf_init(&refused->spare, REFUSED_WORK);
	buf_init(&refused->spare2, REFUSED_WORK);
}

void refused_release(struct refused *refused)
{
	buf_release(&refused->text);
	buf_release(&refused->spare);
	buf_release(&refused->spare2);
}

/* Into "spare": what of the row may be seen. */
static void refused_hide(struct refused *refused, const struct mask *recipient,
			 struct slice text)
{
	struct mask mask;

	buf_reset(&refused->text);
	mask_row(text, &refused->spare, &refused->text);
	buf_reset(&refused->spare);
	if (!recipient) {
		buf_add_slice(&refused->spare, buf_slice(&refused->text));
		return;
	}
	mask = *recipient;
	mask.spare = &refused->spare2;
	mask_reply(&mask, buf_slice(&refused->text), &refused->spare);
}

static void refused_quote(struct slice text, struct buf *lines)
{
	buf_add_char(lines, '"');
	for (;;) {
		size_t quote = slice_find(text, '"');

		buf_add(lines, text.p, quote);
		if (quote == text.len)
			break;
		buf_add_str(lines, "\"\"");
		text = slice_skip(text, quote + 1);
	}
	buf_add_str(lines, "\"\n");
}

int refused_add(struct refused *refused, const struct refused_row *row,
		struct buf *lines)
{
	size_t start = lines->len;
	struct slice text = row->text;

	/* Spare the work for a line that cannot fit. */
	if (lines->max - start <
	    (text.len < REFUSED_TEXT ? text.len : REFUSED_TEXT))
		return -1;
	if (text.len > REFUSED_TEXT)
		text.len = REFUSED_TEXT;
	if (row->hide) {
		refused_hide(refused, row->mask, text);
		text = buf_slice(&refused->spare);
	}
	buf_reset(&refused->text);
	utf8_repair(text, &refused->text);
	buf_addf(lines, "%lld,%s,", (long long)row->offset, row->reason);
	refused_quote(buf_slice(&refused->text), lines);
	if (!lines->overflow)
		return 0;
	buf_truncate(lines, start);
	return -1;
}
