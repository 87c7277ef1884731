/* SPDX-License-Identifier: GPL-2.0-only */
#include "spool/checkpoint_put.h"

static const char hex[] = "0123456789abcdef";

void checkpoint_put_uint(struct buf *out, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	buf_add_slice(out, slice_of(digits + at, sizeof(digits) - at));
}

void checkpoint_put_quoted(struct buf *out, struct slice key, uint64_t value)
{
	buf_add_slice(out, key);
	buf_add_slice(out, SLICE("\""));
	checkpoint_put_uint(out, value);
	buf_add_slice(out, SLICE("\""));
}

/* Beyond what JSON readers hold in a signed number: as a string. */
void checkpoint_put_count(struct buf *out, struct slice key, uint64_t value)
{
	if (value > INT64_MAX) {
		checkpoint_put_quoted(out, key, value);
		return;
	}
	buf_add_slice(out, key);
	checkpoint_put_uint(out, value);
}

void checkpoint_put_signed(struct buf *out, struct slice key, int64_t value)
{
	buf_add_slice(out, key);
	if (value < 0)
		buf_add_slice(out, SLICE("-"));
	checkpoint_put_uint(out,
			    value < 0 ? -(uint64_t)value : (uint64_t)value);
}

void checkpoint_put_hex(struct buf *out, struct slice key, uint64_t value)
{
	char text[18] = {[0] = '"', [17] = '"'};

	for (int i = 16; i > 0; i--, value >>= 4)
		text[i] = hex[value & 15];
	buf_add_slice(out, key);
	buf_add_slice(out, slice_of(text, sizeof(text)));
}

/* The text must be UTF-8. */
void checkpoint_put_string(struct buf *out, struct slice text)
{
	size_t from = 0;

	buf_add_slice(out, SLICE("\""));
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		buf_add(out, text.p + from, i - from);
		if (c < 0x20)
			buf_addf(out, "\\u%04x", c);
		else
			buf_addf(out, "\\%c", c);
		from = i + 1;
	}
	if (text.len > from)
		buf_add(out, text.p + from, text.len - from);
	buf_add_slice(out, SLICE("\""));
}

void checkpoint_put_hex_string(struct buf *out, struct slice text)
{

	buf_add_slice(out, SLICE("\""));
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.p[i];

		buf_add_char(out, hex[c >> 4]);
		buf_add_char(out, hex[c & 15]);
	}
	buf_add_slice(out, SLICE("\""));
}
