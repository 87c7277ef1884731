/* SPDX-License-Identifier: GPL-2.0-only */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "acct/csv.h"

/*
 * The first byte says how small max_row is, the second how the bytes are cut.
 * Whatever comes, each step moves on, rows lie inside of what was given, and
 * the cut makes no difference.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct step {
	enum csv_status status;
	size_t consumed, lead, len, count;
};

static void check_row(const struct csv *csv, const struct csv_row *row,
		      struct slice bytes, enum csv_status status)
{
	size_t total = 0;

	assert(row->consumed > 0 && row->consumed <= bytes.len);
	assert(row->lead + row->bytes.len <= row->consumed);
	assert(status == CSV_EMPTY || !row->bytes.len ||
	       row->bytes.p == bytes.p + row->lead);
	assert(csv->count <= CSV_FIELDS_MAX + 1);
	for (size_t i = 0; i < csv->count; i++)
		total += csv->fields[i].len;
	assert(total <= bytes.len);
	if (status == CSV_ROW)
		assert(total <= row->bytes.len);
}

static size_t run(struct slice text, size_t max_row, size_t cut,
		  struct step *steps)
{
	struct csv csv;
	struct csv_row row;
	size_t at = 0, end = cut ? 0 : text.len, n = 0;

	csv_init(&csv, max_row);
	for (;;) {
		struct slice given = slice_of(text.p + at, end - at);
		enum csv_status status =
			csv_next(&csv, given, end == text.len, &row);

		if (status == CSV_MORE && end == text.len)
			break;
		if (status == CSV_MORE) {
			assert(given.len < max_row);
			end = text.len - end > cut ? end + cut : text.len;
			continue;
		}
		check_row(&csv, &row, given, status);
		steps[n++] = (struct step){status, row.consumed, row.lead,
					   row.bytes.len,
					   status == CSV_ROW ? csv.count : 0};
		at += row.consumed;
	}
	assert(at == text.len);
	csv_release(&csv);
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct step *whole, *parts;
	struct slice text;
	size_t n, m, max_row, cut;

	if (size < 2 || size > 1 << 16)
		return 0;
	max_row = 1 + data[0] % 128 * 4;
	cut = 1 + data[1] % 32;
	text = slice_of((const char *)data + 2, size - 2);
	whole = malloc((size + 1) * sizeof(*whole));
	parts = malloc((size + 1) * sizeof(*parts));
	n = run(text, max_row, 0, whole);
	m = run(text, max_row, cut, parts);
	assert(n == m);
	for (size_t i = 0; i < n; i++) {
		assert(whole[i].status == parts[i].status);
		assert(whole[i].consumed == parts[i].consumed);
		assert(whole[i].lead == parts[i].lead);
		assert(whole[i].len == parts[i].len);
		assert(whole[i].count == parts[i].count);
	}
	free(whole);
	free(parts);
	return 0;
}
