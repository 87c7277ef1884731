/* SPDX-License-Identifier: GPL-2.0-only */
#include "tools/standin/books.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/utf8.h"

enum { BOOKS_TIMES_EVERY = 50 };

static const char *const verdict_names[VERDICTS] = {
	"success",    "validation",	 "system",
	"decompress", "duplicate_batch", "empty_batch"};

const char *books_verdict(enum verdict verdict)
{
	return verdict_names[verdict];
}

enum verdict books_verdict_of(const char *name)
{
	enum verdict v = 0;

	while (v < VERDICTS && strcmp(name, verdict_names[v]) != 0)
		v++;
	return v;
}

static int books_file(const char *name, int *fd_out)
{
	*fd_out = -1;
	if (!name)
		return 0;
	*fd_out = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (*fd_out < 0)
		perror(name);
	return *fd_out < 0 ? -1 : 0;
}

int books_open(struct books *books, const char *log, const char *accepted,
	       const char *times)
{
	*books =
		(struct books){.log_fd = -1, .accepted_fd = -1, .times_fd = -1};
	if (books_file(log, &books->log_fd) < 0 ||
	    books_file(times, &books->times_fd) < 0)
		return -1;
	return books_file(accepted, &books->accepted_fd);
}

static void books_write(int fd, struct slice bytes)
{
	if (fs_write_all(fd, bytes.p, bytes.len) == 0)
		return;
	perror("standin: cannot write");
	_exit(EXIT_FAILURE);
}

void books_accept(struct books *books, struct slice lines)
{
	if (books->accepted_fd >= 0 && lines.len)
		books_write(books->accepted_fd, lines);
}

static struct slice books_recipient(struct slice line)
{
	static const char key[] = "\"rcpt_to\":\"";
	const char *at = memmem(line.p, line.len, key, sizeof(key) - 1);
	struct slice rest;

	if (!at)
		return slice_of(NULL, 0);
	rest = slice_skip(line, (size_t)(at - line.p) + sizeof(key) - 1);
	return slice_cut(rest, '"', &rest);
}

void books_times(struct books *books, int64_t time_us, struct slice lines)
{
	struct buf text;

	if (books->times_fd < 0)
		return;
	buf_init(&text, 1 << 24);
	for (unsigned int i = 0; lines.len; i++) {
		struct slice line = slice_cut(lines, '\n', &lines);
		struct slice to;

		if (i % BOOKS_TIMES_EVERY)
			continue;
		to = books_recipient(line);
		if (to.len)
			buf_addf(&text, "%lld %.*s\n", (long long)time_us,
				 SLICE_ARGS(to));
	}
	books_write(books->times_fd, buf_slice(&text));
	buf_release(&text);
}

/* Paths and errors may hold what a client sent. */
static void books_text(struct json *j, const char *key, const char *text)
{
	struct buf clean;

	if (!text)
		return;
	buf_init(&clean, 16384);
	utf8_repair(slice_str(text), &clean);
	json_str(j, key, buf_slice(&clean));
	buf_release(&clean);
}

void books_log(struct books *books, const struct books_line *line)
{
	struct timespec now;
	struct json *j;
	struct buf text;

	books->requests++;
	if (line->status < 600)
		books->statuses[line->status]++;
	if (books->log_fd < 0)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	buf_init(&text, 1 << 16);
	j = json_new(&text);
	json_begin(j);
	json_int(j, "time_ms",
		 (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000);
	json_uint(j, "status", line->status);
	books_text(j, "method", line->method);
	books_text(j, "path", line->path);
	books_text(j, "batch_id", line->batch_id);
	json_uint(j, "bytes", line->bytes);
	json_uint(j, "events", line->events);
	json_uint(j, "accepted", line->accepted);
	books_text(j, "error", line->error);
	json_end(j);
	json_line(j);
	json_free(&j);
	books_write(books->log_fd, buf_slice(&text));
	buf_release(&text);
}

static uint64_t books_sum(const uint64_t counts[SCHEMA_TYPES + 1])
{
	uint64_t sum = 0;

	for (int i = 0; i <= SCHEMA_TYPES; i++)
		sum += counts[i];
	return sum;
}

static void books_types(struct json *j, const char *key,
			const uint64_t counts[SCHEMA_TYPES + 1])
{
	json_begin_in(j, key);
	for (int i = 0; i <= SCHEMA_TYPES; i++)
		if (counts[i])
			json_uint(j, schema_name(i), counts[i]);
	json_end(j);
}

static int64_t books_cpu_ms(void)
{
	struct rusage use;

	getrusage(RUSAGE_SELF, &use);
	return ((int64_t)use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000 +
	       (use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1000;
}

void books_summary(const struct books *books, struct buf *out)
{
	struct json *j = json_new(out);
	char status[8];

	json_begin(j);
	json_uint(j, "requests", books->requests);
	json_begin_in(j, "statuses");
	for (unsigned int i = 0; i < 600; i++) {
		snprintf(status, sizeof(status), "%u", i);
		if (books->statuses[i])
			json_uint(j, status, books->statuses[i]);
	}
	json_end(j);
	json_uint(j, "posts", books->posts);
	json_uint(j, "bytes", books->bytes);
	json_uint(j, "faults", books->faults);
	json_uint(j, "batches", books->batches);
	json_uint(j, "unread", books->unread);
	json_begin_in(j, "verdicts");
	for (enum verdict v = 0; v < VERDICTS; v++)
		if (books->verdicts[v])
			json_uint(j, verdict_names[v], books->verdicts[v]);
	json_end(j);
	json_begin_in(j, "events");
	json_uint(j, "received", books->received);
	json_uint(j, "accepted", books_sum(books->accepted));
	json_uint(j, "duplicate", books_sum(books->duplicate));
	json_uint(j, "rejected", books_sum(books->rejected));
	json_uint(j, "changed", books->changed);
	json_end(j);
	books_types(j, "accepted", books->accepted);
	books_types(j, "duplicate", books->duplicate);
	books_types(j, "rejected", books->rejected);
	json_int(j, "cpu_ms", books_cpu_ms());
	json_end(j);
	json_line(j);
	json_free(&j);
}
