/* SPDX-License-Identifier: GPL-2.0-only */
#include "app/suggest.h"

static size_t suggest_min(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * Optimal string alignment: Levenshtein, and a swap of two neighbours is one
 * edit.  Three rows of the table are enough.
 */
size_t suggest_distance(struct slice a, struct slice b)
{
	unsigned char rows[3][SUGGEST_LEN + 1];

	if (a.len > SUGGEST_LEN || b.len > SUGGEST_LEN)
		return SUGGEST_LEN;
	for (size_t j = 0; j <= b.len; j++)
		rows[0][j] = (unsigned char)j;
	for (size_t i = 1; i <= a.len; i++) {
		unsigned char *row = rows[i % 3], *above = rows[(i - 1) % 3];
		const unsigned char *second = rows[(i + 1) % 3];
		char ca = slice_lower(a.p[i - 1]);

		row[0] = (unsigned char)i;
		for (size_t j = 1; j <= b.len; j++) {
			char cb = slice_lower(b.p[j - 1]);
			size_t d = above[j - 1] + (size_t)(ca != cb);

			d = suggest_min(d, above[j] + 1u);
			d = suggest_min(d, row[j - 1] + 1u);
			if (i > 1 && j > 1 && ca != cb &&
			    ca == slice_lower(b.p[j - 2]) &&
			    cb == slice_lower(a.p[i - 2]))
				d = suggest_min(d, second[j - 2] + 1u);
			row[j] = (unsigned char)d;
		}
	}
	return rows[a.len % 3][b.len];
}

struct suggest suggest_for(struct slice word)
{
	return (struct suggest){.word = word};
}

void suggest_try(struct suggest *suggest, const char *name)
{
	struct slice s = slice_str(name);
	size_t longer = suggest->word.len > s.len ? suggest->word.len : s.len;
	size_t close = suggest_min(longer < 6 ? 1 : longer / 3, 3);
	size_t distance = suggest_distance(suggest->word, s);

	if (distance > close || distance >= s.len)
		return;
	if (suggest->best && distance >= suggest->distance)
		return;
	suggest->best = name;
	suggest->distance = distance;
}
