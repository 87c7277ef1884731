/* SPDX-License-Identifier: GPL-2.0-only */
#include "app/units.h"

#include <inttypes.h>
#include <stdio.h>

static const struct {
	const char *name;
	unsigned int shift;
} sizes[] = {{"", 0},	  {"b", 0},  {"k", 10},	  {"kib", 10}, {"m", 20},
	     {"mib", 20}, {"g", 30}, {"gib", 30}, {"t", 40},   {"tib", 40}};

/* Largest first. */
static const struct {
	const char *name;
	int64_t ms;
} times[] = {{"d", INT64_C(86400000)},
	     {"h", 3600000},
	     {"m", 60000},
	     {"s", 1000},
	     {"ms", 1}};

#define UNITS_NROF(array) (sizeof(array) / sizeof((array)[0]))

/* Cut the digits from the front.  How many, whatever their value. */
static size_t units_digits(struct slice *text, uint64_t max,
			   enum units_status *status_out, uint64_t *value_out)
{
	unsigned long long value = 0;
	size_t n = 0;

	while (n < text->len && text->p[n] >= '0' && text->p[n] <= '9')
		n++;
	*status_out = UNITS_OK;
	if (n == 0)
		*status_out = UNITS_BAD;
	else if (slice_number(slice_of(text->p, n), max, &value) < 0)
		*status_out = UNITS_LARGE;
	*value_out = value;
	*text = slice_skip(*text, n);
	return n;
}

enum units_status units_size(struct slice text, uint64_t *bytes_out)
{
	enum units_status status;
	uint64_t value;

	text = slice_trim(text);
	if (units_digits(&text, UINT64_MAX, &status, &value) == 0)
		return UNITS_BAD;
	text = slice_trim(text);
	for (size_t i = 0; i < UNITS_NROF(sizes); i++) {
		if (!slice_eq_nocase(text, slice_str(sizes[i].name)))
			continue;
		if (status != UNITS_OK || value > UINT64_MAX >> sizes[i].shift)
			return UNITS_LARGE;
		*bytes_out = value << sizes[i].shift;
		return UNITS_OK;
	}
	return UNITS_BAD;
}

/* Letters up to the next digit or blank. */
static struct slice units_word(struct slice *text)
{
	struct slice word = *text;
	size_t n = 0;

	while (n < text->len && (slice_lower(text->p[n]) >= 'a' &&
				 slice_lower(text->p[n]) <= 'z'))
		n++;
	word.len = n;
	*text = slice_skip(*text, n);
	return word;
}

/* Find "word" among the units from *next_io on, and move that behind it. */
static int64_t units_factor(struct slice word, size_t *next_io)
{
	for (size_t i = *next_io; i < UNITS_NROF(times); i++) {
		if (slice_eq_nocase(word, slice_str(times[i].name))) {
			*next_io = i + 1;
			return times[i].ms;
		}
	}
	return 0;
}

enum units_status units_time(struct slice text, int64_t *ms_out)
{
	enum units_status result = UNITS_OK;
	uint64_t total = 0;
	size_t next = 0;

	text = slice_trim(text);
	do {
		enum units_status status;
		uint64_t value, factor;
		struct slice word;

		if (units_digits(&text, INT64_MAX, &status, &value) == 0)
			return UNITS_BAD;
		text = slice_trim(text);
		word = units_word(&text);
		text = slice_trim(text);
		if (!word.len && !text.len && next == 0) {
			*ms_out = 0;
			return status == UNITS_OK && value == 0 ? UNITS_OK
								: UNITS_BARE;
		}
		factor = (uint64_t)units_factor(word, &next);
		if (!factor)
			return UNITS_BAD;
		if (status == UNITS_LARGE ||
		    value > (INT64_MAX - total) / factor)
			result = UNITS_LARGE;
		else
			total += value * factor;
	} while (text.len);
	*ms_out = (int64_t)total;
	return result;
}

void units_show_count(uint64_t count, char out[UNITS_TEXT])
{
	char digits[UNITS_TEXT];
	int n = snprintf(digits, sizeof(digits), "%" PRIu64, count);
	size_t at = 0;

	for (int i = 0; i < n; i++) {
		if (i && (n - i) % 3 == 0)
			out[at++] = ',';
		out[at++] = digits[i];
	}
	out[at] = '\0';
}

void units_show_size(uint64_t bytes, char out[UNITS_TEXT])
{
	unsigned int shift = 40;
	size_t letter = 0;

	while (shift && (bytes == 0 || bytes & ((UINT64_C(1) << shift) - 1))) {
		shift -= 10;
		letter++;
	}
	if (!shift) {
		units_show_count(bytes, out);
		return;
	}
	snprintf(out, UNITS_TEXT, "%" PRIu64 "%c", bytes >> shift,
		 "TGMK"[letter]);
}

void units_show_time(int64_t ms, char out[UNITS_TEXT])
{
	size_t i = 0;

	while (i < UNITS_NROF(times) - 1 && (ms == 0 || ms % times[i].ms))
		i++;
	snprintf(out, UNITS_TEXT, "%" PRId64 "%s",
		 ms == 0 ? 0 : ms / times[i].ms, ms == 0 ? "" : times[i].name);
}
