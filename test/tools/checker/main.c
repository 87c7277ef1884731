/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/gzip.h"
#include "base/json_read.h"
#include "base/mem.h"
#include "tools/checker/check.h"

enum { FILES = 4096, UNPACKED_MAX = 1 << 30 };

static const char usage[] =
	"usage: checker (--rows FILE ... | --manifest FILE --dir DIR)\n"
	"  --accepted FILE ... [--injection auto|records|synthesize|off]\n"
	"  [--no-delay] [--sha1] [--optional-before SECONDS] [--table]\n"
	"  [--in-order | --requests LOG]\n"
	"  [FILE ...]  (more files of rows)\n"
	"--emit instead of --accepted prints the events that are expected\n";

struct options {
	const char *rows[FILES], *accepted[FILES];
	size_t rows_count, accepted_count;
	const char *manifest, *dir, *requests;
	bool table;
};

static void die(const char *what, const char *name)
{
	fprintf(stderr, "checker: %s: %s\n", what, name);
	exit(EXIT_FAILURE);
}

static void add(const char **list, size_t *count, const char *name)
{
	if (*count == FILES)
		die("too many files", name);
	list[(*count)++] = name;
}

/* Unpacked files are kept to the end: fields point into them. */
static struct buf unpacked[FILES];
static size_t unpacked_count;

static struct slice unpack(int fd, const char *name)
{
	struct gzip_reader *reader = gzip_reader_new(fd);
	struct buf out;
	ptrdiff_t n;

	if (unpacked_count == FILES)
		die("too many files", name);
	buf_init(&out, UNPACKED_MAX);
	do {
		if (buf_reserve(&out, 1 << 16) < 0)
			die("too large", name);
		n = gzip_read(reader, out.p + out.len, 1 << 16);
		if (n < 0)
			die(strerror(errno), name);
		out.len += (size_t)n;
	} while (n);
	gzip_reader_free(&reader);
	unpacked[unpacked_count++] = out;
	return buf_slice(&out);
}

static struct slice load(const char *name)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	size_t len = strlen(name);
	struct slice all = {0};
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		die(strerror(errno), name);
	if (len > 3 && strcmp(name + len - 3, ".gz") == 0) {
		all = unpack(fd, name);
	} else if (st.st_size) {
		all.len = (size_t)st.st_size;
		all.p = mmap(NULL, all.len, PROT_READ, MAP_PRIVATE, fd, 0);
		if (all.p == MAP_FAILED)
			die(strerror(errno), name);
	}
	close(fd);
	return all;
}

static uint64_t number(struct slice text)
{
	unsigned long long n = 0;

	slice_number(text, INT64_MAX, &n);
	return n;
}

static void expect_line(struct check *check, struct slice file,
			struct slice line)
{
	uint64_t offset = number(slice_cut(line, '\t', &line));
	uint64_t len = number(slice_cut(line, '\t', &line));
	struct slice type = slice_cut(line, '\t', &line), list, rcpt;
	int64_t time_s;

	for (size_t i = 0; i < CHECK_ROWS - 1; i++)
		if (i == CHECK_OTHER ||
		    slice_eq(type, slice_str(check_row_name(i)))) {
			check->rows[i]++;
			break;
		}
	slice_cut(line, '\t', &line); /* the number of events */
	list = slice_cut(line, '\t', &line);
	rcpt = slice_cut(line, '\t', &line);
	time_s = (int64_t)number(line);
	if (offset + len > file.len)
		die("row beyond the end of a file", "manifest");
	while (list.len) {
		enum check_event e =
			check_event_of(slice_cut(list, ',', &list));
		uint64_t id = check_injection_id(check, rcpt, time_s);
		bool is_new = true;

		if (e == CHECK_RECEPTION)
			idmap_put(&check->messages, id, &is_new);
		else if (e < CHECK_EVENTS)
			id = check_row_id(slice_of(file.p + offset, len),
					  offset, e);
		if (e < CHECK_EVENTS && is_new)
			check_expect(check,
				     &(struct check_wanted){e, id, time_s,
							    offset, rcpt});
	}
}

static void expect_manifest(struct check *check, const struct options *o)
{
	struct slice rest = load(o->manifest), name = {0}, file = {0};
	char path[4096];

	while (rest.len) {
		struct slice line = slice_cut(rest, '\n', &rest);
		struct slice in = slice_cut(line, '\t', &line);

		if (!slice_eq(in, name)) {
			name = in;
			snprintf(path, sizeof(path), "%s/%.*s", o->dir,
				 SLICE_ARGS(in));
			file = load(path);
		}
		expect_line(check, file, line);
	}
}

static enum check_injection injection(const char *name)
{
	static const char *const names[] = {"auto", "records", "synthesize",
					    "off"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return (enum check_injection)i;
	die("no such injection", name);
	return INJECT_AUTO;
}

static const struct option names[] = {
	{"rows", 1, NULL, 'r'},	     {"accepted", 1, NULL, 'a'},
	{"manifest", 1, NULL, 'm'},  {"dir", 1, NULL, 'd'},
	{"injection", 1, NULL, 'i'}, {"no-delay", 0, NULL, 'n'},
	{"sha1", 0, NULL, 's'},	     {"optional-before", 1, NULL, 'o'},
	{"table", 0, NULL, 't'},     {"emit", 0, NULL, 'e'},
	{"in-order", 0, NULL, 'O'},  {"requests", 1, NULL, 'R'},
	{NULL, 0, NULL, 0}};

static void take_option(struct options *o, struct check *check, int c)
{
	switch (c) {
	case 'r':
		add(o->rows, &o->rows_count, optarg);
		break;
	case 'a':
		add(o->accepted, &o->accepted_count, optarg);
		break;
	case 'm':
		o->manifest = optarg;
		break;
	case 'd':
		o->dir = optarg;
		break;
	case 'i':
		check->injection = injection(optarg);
		break;
	case 'n':
		check->no_delay = true;
		break;
	case 's':
		check->sha1 = true;
		break;
	case 'o':
		check->optional_before_s = (int64_t)number(slice_str(optarg));
		break;
	case 't':
		o->table = true;
		break;
	case 'e':
		check->emit = true;
		break;
	case 'O':
		check->in_order = true;
		break;
	case 'R':
		o->requests = optarg;
		break;
	default:
		fputs(usage, stderr);
		exit(64);
	}
}

static int visit_request(void *ctx, struct slice path, enum json_event kind,
			 struct slice text)
{
	if (kind == JSON_NUMBER && slice_eq(path, SLICE("accepted")))
		*(uint32_t *)ctx = (uint32_t)number(text);
	return 0;
}

/* How many events each request brought, from the stand-in's log. */
static void read_requests(struct check *check, struct slice log)
{
	uint32_t *requests = NULL;
	size_t room = 0, n = 0;

	while (log.len) {
		struct slice line = slice_cut(log, '\n', &log);
		uint32_t events = 0;

		if (json_read(line, visit_request, &events) < 0 || !events)
			continue;
		if (n == room) {
			room = room ? room * 2 : 1024;
			requests = mem_resize_array(requests, room,
						    sizeof(*requests));
		}
		requests[n++] = events;
	}
	if (!n)
		die("no request brought anything", "the log");
	check->requests = requests;
	check->requests_count = n;
}

static uint64_t sum(const uint64_t *counts, size_t n)
{
	uint64_t total = 0;

	while (n)
		total += counts[--n];
	return total;
}

static void print_table(const struct check *check)
{
	printf("%-10s %9s\n", "rows", "read");
	for (size_t i = 0; i < CHECK_ROWS; i++)
		if (check->rows[i])
			printf("%-10s %9llu\n", check_row_name(i),
			       (unsigned long long)check->rows[i]);
	printf("\n%-10s %9s %9s %9s %9s\n", "events", "expected", "arrived",
	       "lost", "twice");
	for (enum check_event e = 0; e < CHECK_EVENTS; e++)
		printf("%-10s %9llu %9llu %9llu %9llu\n", check_event_name(e),
		       (unsigned long long)check->wanted[e],
		       (unsigned long long)check->arrived[e],
		       (unsigned long long)check->lost[e],
		       (unsigned long long)check->twice[e]);
	printf("\n");
}

static int verdict(struct check *check, bool table)
{
	uint64_t lost, twice;

	check_finish(check);
	if (table)
		print_table(check);
	lost = sum(check->lost, CHECK_EVENTS);
	twice = sum(check->twice, CHECK_EVENTS);
	printf("%llu rows, %llu events expected, %llu arrived: "
	       "%llu lost, %llu twice, %llu unexplained\n",
	       (unsigned long long)sum(check->rows, CHECK_ROWS),
	       (unsigned long long)sum(check->wanted, CHECK_EVENTS),
	       (unsigned long long)sum(check->arrived, CHECK_EVENTS),
	       (unsigned long long)lost, (unsigned long long)twice,
	       (unsigned long long)check->unexplained);
	if (check->disorder)
		printf("%llu out of order\n",
		       (unsigned long long)check->disorder);
	return lost || twice || check->unexplained || check->disorder
		       ? EXIT_FAILURE
		       : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static struct options o;
	static struct check check = {.injection = INJECT_AUTO};
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1)
		take_option(&o, &check, c);
	while (optind < argc)
		add(o.rows, &o.rows_count, argv[optind++]);
	if ((!o.rows_count && !(o.manifest && o.dir)) ||
	    !o.accepted_count == !check.emit)
		take_option(&o, &check, '?');
	if (o.manifest)
		expect_manifest(&check, &o);
	for (size_t i = 0; i < o.rows_count; i++) {
		check_rows(&check, load(o.rows[i]));
		check.file++;
	}
	if (check.emit)
		return EXIT_SUCCESS;
	if (o.requests)
		read_requests(&check, load(o.requests));
	for (size_t i = 0; i < o.accepted_count; i++)
		check_arrivals(&check, load(o.accepted[i]));
	c = verdict(&check, o.table);
	while (unpacked_count)
		buf_release(&unpacked[--unpacked_count]);
	return c;
}
