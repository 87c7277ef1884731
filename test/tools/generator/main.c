/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tools/generator/gen.h"

enum { RECENT = 256, TICK_MS = 10 };

static const char *const type_names[GEN_TYPES] = {
	[GEN_D] = "d",	 [GEN_B] = "b", [GEN_T] = "t",	 [GEN_R] = "r",
	[GEN_RB] = "rb", [GEN_F] = "f", [GEN_TQ] = "tq", [GEN_RS] = "rs"};

static const char usage[] =
	"usage: generator --out DIR [--base NAME] [--seed N] [--rows N]\n"
	"  [--rate ROWS/S] [--types d=80,b=5,t=10,r=0,rb=1,f=1,tq=1,rs=1]\n"
	"  [--roll-every ROWS] [--columns default|d|signals] [--halves]\n"
	"  [--torn (needs --rate)] [--crlf] [--epoch] [--now SECONDS] [--span "
	"SECONDS]\n"
	"  [--manifest FILE] [--hostile PERMILLE] [--stamps FILE (needs "
	"--rate)]\n";

/* What is going on: messages that wait, and those a report may be about. */
struct traffic {
	struct gen_options o;
	struct gen_files files;
	struct gen_dice dice;
	struct gen_row row;
	unsigned int weight_sum;
	uint64_t messages, rows;
	struct gen_message waiting[RECENT], done[RECENT];
	size_t waiting_count;
	uint64_t done_count;
};

uint64_t gen_hash(uint64_t n)
{
	n += 0x9e3779b97f4a7c15u;
	n = (n ^ n >> 30) * 0xbf58476d1ce4e5b9u;
	n = (n ^ n >> 27) * 0x94d049bb133111ebu;
	return n ^ n >> 31;
}

uint64_t gen_roll(struct gen_dice *dice)
{
	dice->state += 0x9e3779b97f4a7c15u;
	return gen_hash(dice->state);
}

const char *gen_type_name(enum gen_type type)
{
	return type_names[type];
}

static void die(const char *what, const char *name)
{
	fprintf(stderr, "generator: %s: %s\n", what, name);
	exit(EXIT_FAILURE);
}

/* When the row at hand is logged: spread over the span, or by the clock. */
static int64_t logged(const struct traffic *t)
{
	const struct gen_options *o = &t->o;
	uint64_t rows = o->rows ? o->rows : 1;

	if (o->rate && !o->span_s)
		return o->now_s + (int64_t)(t->rows / o->rate);
	return o->now_s - o->span_s +
	       (int64_t)((unsigned __int128)t->rows * (uint64_t)o->span_s /
			 rows);
}

static void emit(struct traffic *t, const struct gen_message *message,
		 enum gen_type type, bool odd)
{
	gen_fill(&t->row, &t->o, message, type, logged(t));
	if (odd)
		gen_spoil(&t->row, gen_roll(&t->dice));
	if (gen_files_row(&t->files, &t->row) < 0)
		die(strerror(errno), t->files.name);
	t->rows++;
}

static struct gen_message fresh(struct traffic *t)
{
	struct gen_message message = {
		.n = ++t->messages,
		.queued_s = logged(t) - (int64_t)(gen_roll(&t->dice) % 20)};

	if (t->o.weights[GEN_R]) {
		message.queued_s = logged(t);
		emit(t, &message, GEN_R, false);
	}
	return message;
}

/* A delivery or bounce ends what waits, every other time. */
static void end_message(struct traffic *t, enum gen_type type)
{
	uint64_t dice = gen_roll(&t->dice);
	struct gen_message message;
	bool odd = false;

	if (t->waiting_count && dice & 1) {
		size_t i = (dice >> 1) % t->waiting_count;

		message = t->waiting[i];
		t->waiting[i] = t->waiting[--t->waiting_count];
	} else {
		message = fresh(t);
		odd = (dice >> 32) % 1000 < t->o.hostile;
	}
	emit(t, &message, type, odd);
	if (!odd)
		t->done[t->done_count++ % RECENT] = message;
}

static void delay_message(struct traffic *t)
{
	struct gen_message message;
	bool again = t->waiting_count &&
		     (t->waiting_count == RECENT || gen_roll(&t->dice) & 1);

	if (again) {
		message = t->waiting[gen_roll(&t->dice) % t->waiting_count];
	} else {
		message = fresh(t);
		t->waiting[t->waiting_count++] = message;
	}
	emit(t, &message, GEN_T, false);
}

static void step(struct traffic *t)
{
	unsigned int at = (unsigned int)(gen_roll(&t->dice) % t->weight_sum);
	enum gen_type type = GEN_D;
	size_t known = t->done_count < RECENT ? t->done_count : RECENT;

	while (type == GEN_R || at >= t->o.weights[type]) {
		if (type != GEN_R)
			at -= t->o.weights[type];
		type++;
	}
	if (type == GEN_T)
		delay_message(t);
	else if (type == GEN_D || type == GEN_B || !known)
		end_message(t, type == GEN_B ? GEN_B : GEN_D);
	else
		emit(t, &t->done[gen_roll(&t->dice) % known], type, false);
}

static void set_types(struct gen_options *o, char *list)
{
	char *item, *save = NULL;

	memset(o->weights, 0, sizeof(o->weights));
	for (item = strtok_r(list, ",", &save); item;
	     item = strtok_r(NULL, ",", &save)) {
		char *value = strchr(item, '=');
		enum gen_type type = 0;

		if (!value)
			die("no weight", item);
		*value = '\0';
		while (type < GEN_TYPES && strcmp(type_names[type], item) != 0)
			type++;
		if (type == GEN_TYPES)
			die("no such type", item);
		o->weights[type] = (unsigned int)strtoul(value + 1, NULL, 10);
	}
}

static void set_columns(struct gen_options *o, const char *name)
{
	if (strcmp(name, "default") == 0)
		o->columns = GEN_DEFAULT;
	else if (strcmp(name, "d") == 0)
		o->columns = GEN_D_ONLY;
	else if (strcmp(name, "signals") == 0)
		o->columns = GEN_SIGNALS;
	else
		die("no such columns", name);
}

static uint64_t number(const char *text)
{
	unsigned long long n;

	if (slice_number(slice_str(text), INT64_MAX, &n) < 0)
		die("not a number", text);
	return n;
}

static const struct option names[] = {
	{"out", 1, NULL, 'o'},	      {"base", 1, NULL, 'b'},
	{"seed", 1, NULL, 's'},	      {"rows", 1, NULL, 'n'},
	{"rate", 1, NULL, 'r'},	      {"types", 1, NULL, 't'},
	{"roll-every", 1, NULL, 'R'}, {"columns", 1, NULL, 'c'},
	{"halves", 0, NULL, 'h'},     {"crlf", 0, NULL, 'l'},
	{"torn", 0, NULL, 'T'},	      {"epoch", 0, NULL, 'e'},
	{"now", 1, NULL, 'N'},	      {"span", 1, NULL, 'S'},
	{"manifest", 1, NULL, 'm'},   {"hostile", 1, NULL, 'H'},
	{"stamps", 1, NULL, 'w'},     {NULL, 0, NULL, 0}};

static void take_number(struct gen_options *o, int c)
{
	uint64_t n = number(optarg);

	switch (c) {
	case 's':
		o->seed = n;
		break;
	case 'n':
		o->rows = n;
		break;
	case 'r':
		o->rate = n;
		break;
	case 'R':
		o->roll_every = n;
		break;
	case 'N':
		o->now_s = (int64_t)n;
		break;
	case 'S':
		o->span_s = (int64_t)n;
		break;
	default:
		o->hostile = (unsigned int)n;
		break;
	}
}

static void take_option(struct gen_options *o, int c)
{
	switch (c) {
	case 'o':
		o->dir = optarg;
		break;
	case 'b':
		o->base = optarg;
		break;
	case 't':
		set_types(o, optarg);
		break;
	case 'c':
		set_columns(o, optarg);
		break;
	case 'm':
		o->manifest = optarg;
		break;
	case 'w':
		o->stamps = optarg;
		break;
	case 'h':
		o->halves = true;
		break;
	case 'T':
		o->torn = true;
		break;
	case 'l':
		o->crlf = true;
		break;
	case 'e':
		o->epoch = true;
		break;
	default:
		take_number(o, c);
		break;
	}
}

/* Write what is due by the clock, a hundred times a second. */
static void at_rate(struct traffic *t)
{
	const struct timespec tick = {.tv_nsec = TICK_MS * 1000000};
	struct timespec begin, now;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	while (t->rows < t->o.rows) {
		double seconds;

		clock_gettime(CLOCK_MONOTONIC, &now);
		seconds = (double)(now.tv_sec - begin.tv_sec) +
			  (double)(now.tv_nsec - begin.tv_nsec) / 1e9;
		while (t->rows < t->o.rows &&
		       (double)t->rows < seconds * (double)t->o.rate)
			step(t);
		if ((t->o.torn ? gen_files_tear(&t->files)
			       : gen_files_flush(&t->files)) < 0)
			die(strerror(errno), t->files.name);
		nanosleep(&tick, NULL);
	}
}

int main(int argc, char **argv)
{
	static struct traffic t = {.o = {.base = "acct",
					 .rows = 1000,
					 .weights = {80, 5, 10, 0, 1, 1, 1, 1},
					 .span_s = -1,
					 .columns = GEN_SIGNALS}};
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (c == '?') {
			fputs(usage, stderr);
			return 64;
		}
		take_option(&t.o, c);
	}
	for (enum gen_type type = 0; type < GEN_TYPES; type++)
		t.weight_sum += type == GEN_R ? 0 : t.o.weights[type];
	if (!t.o.dir || !t.weight_sum) {
		fputs(usage, stderr);
		return 64;
	}
	if (t.o.span_s < 0)
		t.o.span_s = t.o.rate ? 0 : 3600;
	if (!t.o.now_s)
		t.o.now_s = time(NULL);
	t.dice.state = t.o.seed;
	if (gen_files_open(&t.files, &t.o) < 0)
		die(strerror(errno), t.o.dir);
	if (t.o.rate)
		at_rate(&t);
	while (t.rows < t.o.rows)
		step(&t);
	if (gen_files_close(&t.files) < 0)
		die(strerror(errno), t.files.name);
	return EXIT_SUCCESS;
}
