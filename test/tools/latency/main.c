/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * latency STAMPS TIMES
 *
 * STAMPS is the generator's (--stamps): a line "rows time_us" for each write.
 * TIMES is the stand-in's (--times): a line "time_us recipient" for each event
 * that was looked at.  Both clocks are the system's monotonic one.  Prints
 * "samples p50_ms p99_ms max_ms": from the write of a row to its arrival.
 *
 * The rows are one file's, of type d alone: then the n-th row is the n-th
 * message, whose number is in the recipient's name.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct stamp {
	uint64_t rows;
	int64_t time_us;
};

struct stamps {
	struct stamp *stamp;
	size_t count;
};

struct samples {
	int64_t *us;
	size_t count;
};

static void die(const char *what, const char *name)
{
	fprintf(stderr, "latency: %s: %s\n", what, name);
	exit(EXIT_FAILURE);
}

static FILE *open_list(const char *name)
{
	FILE *f = fopen(name, "re");

	if (!f)
		die("cannot open", name);
	return f;
}

/* Is there to be more room, now that there are "count"? */
static bool is_full(size_t count)
{
	return (count & (count - 1)) == 0;
}

static void read_stamps(const char *name, struct stamps *stamps)
{
	FILE *f = open_list(name);
	struct stamp s;

	while (fscanf(f, "%" SCNu64 " %" SCNd64, &s.rows, &s.time_us) == 2) {
		if (is_full(stamps->count))
			stamps->stamp = mem_resize_array(
				stamps->stamp,
				stamps->count ? stamps->count * 2 : 1,
				sizeof(s));
		stamps->stamp[stamps->count++] = s;
	}
	fclose(f);
}

/* gen_fill() puts the number below 10^8, in base 36: "u<number>.name@...". */
static uint64_t row_of(const char *recipient)
{
	return strtoull(recipient + 1, NULL, 36) % 100000000;
}

/* The write that the row was in: the first after which it is there. */
static const struct stamp *stamp_of(const struct stamps *stamps, uint64_t row)
{
	size_t low = 0, high = stamps->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (stamps->stamp[middle].rows < row)
			low = middle + 1;
		else
			high = middle;
	}
	return low < stamps->count ? &stamps->stamp[low] : NULL;
}

static void read_times(const char *name, const struct stamps *stamps,
		       struct samples *samples)
{
	FILE *f = open_list(name);
	char recipient[256];
	int64_t time_us;

	while (fscanf(f, "%" SCNd64 " %255s", &time_us, recipient) == 2) {
		const struct stamp *s = stamp_of(stamps, row_of(recipient));

		if (!s)
			die("nobody wrote to", recipient);
		if (is_full(samples->count))
			samples->us = mem_resize_array(
				samples->us,
				samples->count ? samples->count * 2 : 1,
				sizeof(time_us));
		samples->us[samples->count++] = time_us - s->time_us;
	}
	fclose(f);
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static double share_ms(const struct samples *samples, size_t percent)
{
	size_t i = (samples->count - 1) * percent / 100;

	return (double)samples->us[i] / 1000;
}

int main(int argc, char **argv)
{
	struct stamps stamps = {0};
	struct samples samples = {0};

	if (argc != 3) {
		fputs("usage: latency STAMPS TIMES\n", stderr);
		return 64;
	}
	read_stamps(argv[1], &stamps);
	read_times(argv[2], &stamps, &samples);
	if (!samples.count)
		die("no times", argv[2]);
	qsort(samples.us, samples.count, sizeof(samples.us[0]), compare);
	printf("%zu %.1f %.1f %.1f\n", samples.count, share_ms(&samples, 50),
	       share_ms(&samples, 99), share_ms(&samples, 100));
	mem_free(samples.us);
	mem_free(stamps.stamp);
	return EXIT_SUCCESS;
}
