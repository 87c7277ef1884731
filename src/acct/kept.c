/* SPDX-License-Identifier: GPL-2.0-only */
#include "acct/kept.h"

void kept_init(struct kept kept[KEPT], size_t text_max)
{
	for (int i = 0; i < KEPT; i++) {
		buf_init(&kept[i].from, KEPT_MAX);
		buf_init(&kept[i].text, text_max);
		kept[i].at = kept[i].len = 0;
	}
}

void kept_release(struct kept kept[KEPT])
{
	for (int i = 0; i < KEPT; i++) {
		buf_release(&kept[i].from);
		buf_release(&kept[i].text);
	}
}

struct kept *kept_place(struct kept kept[KEPT], struct slice text)
{
	const unsigned char *p = (const unsigned char *)text.p;
	size_t hash = text.len;

	if (text.len)
		hash += p[0] + 3u * p[text.len / 2] + 5u * p[text.len / 3] +
			7u * p[text.len - 1 - text.len / 8];
	return &kept[hash % KEPT];
}
