/* SPDX-License-Identifier: GPL-2.0-only */
#include "spool/batch.h"

#include <stdio.h>
#include <string.h>

/*
 * A file name may have 255 bytes.  The longest batch has 16 for its number, 61
 * for its source, 26 for the range, 29 for the headers, 49 for the counts, 21
 * and 12 for the times, 10 for its size, 21 for the departure and 10 for the
 * suffix, so 255: what no batch can have is cut to the limits in batch.h.
 *
 * Reading is strict: only what batch_name() would write is a batch, so that no
 * stranger's file is ever taken for one, and two names never mean the same.
 */

static uint64_t batch_min(uint64_t value, uint64_t max)
{
	return value < max ? value : max;
}

static int64_t batch_time(int64_t seconds)
{
	if (seconds > BATCH_TIME_MAX)
		return BATCH_TIME_MAX;
	return seconds < -BATCH_TIME_MAX ? -BATCH_TIME_MAX : seconds;
}

/* --- Writing --- */

struct batch_out {
	char *p;
	size_t len;
};

static void batch_put(struct batch_out *out, const char *mark,
		      unsigned long long value)
{
	int n = snprintf(out->p + out->len, BATCH_NAME - out->len, "%s%llx",
			 mark, value);

	out->len += (size_t)n;
}

static void batch_put_text(struct batch_out *out, const char *text)
{
	size_t n = strlen(text);

	memcpy(out->p + out->len, text, n + 1);
	out->len += n;
}

static void batch_put_time(struct batch_out *out, const char *mark,
			   int64_t seconds)
{
	seconds = batch_time(seconds);
	batch_put_text(out, mark);
	batch_put(out, seconds < 0 ? "-" : "",
		  (unsigned long long)(seconds < 0 ? -seconds : seconds));
}

static void batch_put_edge(struct batch_out *out, const char *mark,
			   const struct batch_edge *edge)
{
	batch_put_text(out, mark);
	if (edge->header_offset < 0)
		batch_put_text(out, "-");
	else
		batch_put(out, "",
			  batch_min((uint64_t)edge->header_offset,
				    BATCH_OFFSET_MAX));
	if (edge->skipping)
		batch_put_text(out, "x");
}

static void batch_put_counts(struct batch_out *out,
			     const uint32_t events[EVENT_TYPES])
{
	for (int i = 0; i < EVENT_TYPES; i++) {
		int n = snprintf(
			out->p + out->len, BATCH_NAME - out->len, "%s%u",
			i ? "." : "_e",
			(unsigned int)batch_min(events[i], BATCH_COUNT_MAX));

		out->len += (size_t)n;
	}
}

static void batch_put_departure(struct batch_out *out,
				const struct batch *batch)
{
	static const char *const letters[] = {[BATCH_SENT] = "s",
					      [BATCH_REFUSED] = "r",
					      [BATCH_EVICTED] = "v",
					      [BATCH_EXPIRED] = "x"};

	batch_put(out, "_d", batch_min(batch->departed, BATCH_DEPARTED_MAX));
	batch_put(out, letters[batch->departure],
		  batch_min(batch->refused, BATCH_COUNT_MAX));
}

static void batch_put_source(struct batch_out *out, const struct batch *batch)
{
	const struct position_id *source = &batch->source;

	batch_put(out, "_", batch_min(source->dev, BATCH_DEV_MAX));
	batch_put(out, ".", source->ino);
	batch_put(out, ".", batch_min(source->head_len, POSITION_HEAD));
	batch_put(out, ".", source->head);
	batch_put(out, ".", batch_min(batch->number, BATCH_NUMBER_MAX));
	batch_put(out, "_", batch_min((uint64_t)batch->from, BATCH_OFFSET_MAX));
	batch_put(out, "-", batch_min((uint64_t)batch->to, BATCH_OFFSET_MAX));
	batch_put_edge(out, "_h", &batch->before);
	batch_put_edge(out, ".", &batch->after);
}

static int64_t batch_span(const struct batch *batch)
{
	int64_t span =
		batch_time(batch->newest_s) - batch_time(batch->oldest_s);

	if (span < 0)
		return 0;
	return span > BATCH_SPAN_MAX ? BATCH_SPAN_MAX : span;
}

void batch_name(const struct batch *batch, char out[BATCH_NAME])
{
	struct batch_out o = {.p = out};

	o.len = (size_t)snprintf(out, BATCH_NAME, "%016llx",
				 (unsigned long long)batch->seq);
	batch_put_source(&o, batch);
	batch_put_counts(&o, batch->events);
	batch_put_time(&o, "_t", batch->oldest_s);
	batch_put(&o, ".", (unsigned long long)batch_span(batch));
	batch_put_time(&o, "_s", batch->sealed_s);
	batch_put(&o, "_b", batch_min(batch->bytes, BATCH_BYTES_MAX));
	if (batch->departure != BATCH_READY)
		batch_put_departure(&o, batch);
	batch_put_text(&o, BATCH_SUFFIX);
}

/* --- Reading --- */

struct batch_in {
	struct slice rest;
	bool bad; /* a fault was seen; nothing more is taken */
};

static bool batch_take(struct batch_in *in, struct slice mark)
{
	if (in->bad || !slice_starts(in->rest, mark))
		return false;
	in->rest = slice_skip(in->rest, mark.len);
	return true;
}

static void batch_need(struct batch_in *in, struct slice mark)
{
	if (!batch_take(in, mark))
		in->bad = true;
}

static int batch_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Digits of "base", without leading zeros unless "width" says how many. */
static uint64_t batch_digits(struct batch_in *in, unsigned int base,
			     size_t width, uint64_t max)
{
	uint64_t value = 0;
	size_t n = 0;

	while (n < in->rest.len && n < (width ? width : 16)) {
		int digit = batch_digit(in->rest.p[n]);

		if (digit < 0 || (unsigned int)digit >= base)
			break;
		value = value * base + (unsigned int)digit;
		n++;
	}
	if (!n || (width ? n != width : n > 1 && in->rest.p[0] == '0') ||
	    value > max)
		in->bad = true;
	if (in->bad)
		return 0;
	in->rest = slice_skip(in->rest, n);
	return value;
}

static uint64_t batch_hex(struct batch_in *in, struct slice mark, uint64_t max)
{
	batch_need(in, mark);
	return batch_digits(in, 16, 0, max);
}

static int64_t batch_seconds(struct batch_in *in, struct slice mark)
{
	bool negative;
	int64_t value;

	batch_need(in, mark);
	negative = batch_take(in, SLICE("-"));
	value = (int64_t)batch_digits(in, 16, 0, BATCH_TIME_MAX);
	if (negative && !value)
		in->bad = true;
	return negative ? -value : value;
}

static void batch_source(struct batch_in *in, struct batch *b)
{
	struct position_id *source = &b->source;

	source->dev = batch_hex(in, SLICE("_"), BATCH_DEV_MAX);
	source->ino = batch_hex(in, SLICE("."), UINT64_MAX);
	source->head_len =
		(uint32_t)batch_hex(in, SLICE("."), (uint64_t)POSITION_HEAD);
	source->head = batch_hex(in, SLICE("."), UINT64_MAX);
	b->number = batch_hex(in, SLICE("."), BATCH_NUMBER_MAX);
}

static void batch_edge(struct batch_in *in, struct slice mark,
		       struct batch_edge *edge)
{
	batch_need(in, mark);
	edge->header_offset = -1;
	if (!batch_take(in, SLICE("-")))
		edge->header_offset =
			(int64_t)batch_digits(in, 16, 0, BATCH_OFFSET_MAX);
	edge->skipping = batch_take(in, SLICE("x"));
}

static void batch_range(struct batch_in *in, struct batch *b)
{
	b->from = (int64_t)batch_hex(in, SLICE("_"), BATCH_OFFSET_MAX);
	b->to = (int64_t)batch_hex(in, SLICE("-"), BATCH_OFFSET_MAX);
	if (b->to < b->from)
		in->bad = true;
	batch_edge(in, SLICE("_h"), &b->before);
	batch_edge(in, SLICE("."), &b->after);
}

static void batch_departure(struct batch_in *in, struct batch *b)
{
	if (!batch_take(in, SLICE("_d")))
		return;
	b->departed = batch_digits(in, 16, 0, BATCH_DEPARTED_MAX);
	if (batch_take(in, SLICE("s")))
		b->departure = BATCH_SENT;
	else if (batch_take(in, SLICE("r")))
		b->departure = BATCH_REFUSED;
	else if (batch_take(in, SLICE("v")))
		b->departure = BATCH_EVICTED;
	else if (batch_take(in, SLICE("x")))
		b->departure = BATCH_EXPIRED;
	b->refused = (uint32_t)batch_digits(in, 16, 0, BATCH_COUNT_MAX);
	if (!b->departed || b->departure == BATCH_READY ||
	    b->refused > batch_events(b))
		in->bad = true;
}

int batch_parse(struct slice name, struct batch *batch_out)
{
	struct batch_in in = {.rest = name};
	struct batch b = {0};

	b.seq = batch_digits(&in, 16, 16, UINT64_MAX);
	batch_source(&in, &b);
	batch_range(&in, &b);
	for (int i = 0; i < EVENT_TYPES; i++) {
		batch_need(&in, i ? SLICE(".") : SLICE("_e"));
		b.events[i] =
			(uint32_t)batch_digits(&in, 10, 0, BATCH_COUNT_MAX);
	}
	b.oldest_s = batch_seconds(&in, SLICE("_t"));
	b.newest_s = b.oldest_s +
		     (int64_t)batch_hex(&in, SLICE("."), BATCH_SPAN_MAX);
	b.sealed_s = batch_seconds(&in, SLICE("_s"));
	b.bytes = batch_hex(&in, SLICE("_b"), BATCH_BYTES_MAX);
	batch_departure(&in, &b);
	batch_need(&in, SLICE(BATCH_SUFFIX));
	if (in.bad || in.rest.len || !b.seq)
		return -1;
	*batch_out = b;
	return 0;
}

uint64_t batch_events(const struct batch *batch)
{
	uint64_t sum = 0;

	for (int i = 0; i < EVENT_TYPES; i++)
		sum += batch->events[i];
	return sum;
}
