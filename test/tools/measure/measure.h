/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEASURE_MEASURE_H
#define MEASURE_MEASURE_H

/*
 * measure - what a command, or a limit, costs
 *
 * main.c runs a command and looks at a running one, limits.c does alone what
 * the program does among other things, events.c takes events to pieces and
 * emit.c writes them again.
 */

#include <sys/resource.h>

#include "acct/event.h"
#include "base/buf.h"

/* Say it with errno's words, and end. */
void measure_die(const char *what) __attribute__((noreturn));

double measure_clock_s(void);

/* A watch that is stopped between the laps. */
struct watch {
	double user_s, sys_s, wall_s;
	struct rusage at;
	double at_s;
};

void watch_start(struct watch *watch);
void watch_stop(struct watch *watch);

/* "user sys wall maxrss_kb", each over "rounds", on descriptor 3 or 2. */
void watch_report(const struct watch *watch, unsigned int rounds);

/* --- limits.c: each ends the program when something is wrong --- */

void limit_read(const char *name);
void limit_deflate(const char *name, int level);
void limit_json(const char *name);

/* --- events.c, emit.c --- */

struct events {
	struct event *event;
	size_t count, cap;
	struct buf text; /* what they point to */
};

void events_init(struct events *events);
void events_release(struct events *events);

/* Take whole lines of JSON to pieces; the last ones are forgotten. */
void events_take(struct events *events, struct slice lines);

/*
 * Write them all as the program does.  Another writer goes in here, and
 * nowhere else: its bytes are compared with those that were taken to pieces.
 */
void emit_events(const struct events *events, struct buf *out);

#endif /* MEASURE_MEASURE_H */
