/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CHECKER_CHECK_H
#define CHECKER_CHECK_H

/*
 * check - did every event of these rows arrive, and once?
 *
 * Written without the program's own reading of rows: check_csv.c cuts them,
 * check_rows.c says which events they make (the default mapping),
 * check_events.c holds what is expected against what arrived.
 *
 * With --in-order the events of a file must have come in the order of its rows;
 * with --requests LOG (the stand-in's) only those of one request.  Injections
 * do not count here.
 *
 * All events but injections are known by their event_id, which follows from
 * the row's bytes, its offset and the event's type.  An injection is known by
 * recipient and time, and there is one for each message.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "tools/idmap.h"

enum check_event {
	CHECK_RECEPTION = 0,
	CHECK_DELIVERY,
	CHECK_INBAND,
	CHECK_TEMPFAIL,
	CHECK_OUTOFBAND,
	CHECK_FEEDBACK,
	CHECK_EVENTS
};

enum check_injection {
	INJECT_AUTO = 0,
	INJECT_RECORDS,
	INJECT_SYNTHESIZE,
	INJECT_OFF
};

enum { CHECK_ROWS = 10 }; /* d b t r rb f tq rs, others, malformed */
enum { CHECK_OTHER = 8, CHECK_MALFORMED = 9 };

struct check {
	enum check_injection injection;
	bool no_delay, sha1;
	int64_t optional_before_s; /* events older need not arrive */

	bool emit; /* print each event that is expected, as a line of JSON */

	struct idmap expected; /* id: place in "events" */
	struct idmap messages; /* that an injection is expected for */
	struct check_entry *entries;
	size_t count, room;
	struct idmap arrived_ids; /* all types */

	uint64_t rows[CHECK_ROWS];
	uint64_t wanted[CHECK_EVENTS], arrived[CHECK_EVENTS];
	uint64_t lost[CHECK_EVENTS], twice[CHECK_EVENTS];
	uint64_t unexplained;

	/* Order: rows of one file arrive as they stand there. */
	bool in_order;		  /* all of them */
	const uint32_t *requests; /* or those of a request; its events */
	size_t requests_count;
	uint32_t file;		 /* the number of the one being read */
	struct check_last *last; /* of each file */
	uint64_t disorder;
	unsigned int told; /* findings printed so far */
};

const char *check_event_name(enum check_event event);
const char *check_row_name(size_t row);

/* "reception", ...; CHECK_EVENTS when it is none of them. */
enum check_event check_event_of(struct slice name);

/* --- check_csv.c --- */

enum { CSV_FIELDS = 128 };

struct check_csv {
	struct slice row; /* without its line end */
	struct slice field[CSV_FIELDS];
	size_t count;
	bool broken;	 /* a quote is not closed as it should be */
	struct buf text; /* fields with doubled quotes, undoubled */
};

void check_csv_init(struct check_csv *csv);
void check_csv_release(struct check_csv *csv);

/* Cut the first row off "rest".  False at the end. */
bool check_csv_next(struct check_csv *csv, struct slice *rest);

/* --- check_rows.c --- */

/* Expect what the rows of a whole file make. */
void check_rows(struct check *check, struct slice file);

/* --- check_events.c --- */

struct check_wanted {
	enum check_event event;
	uint64_t id;
	int64_t time_s;
	uint64_t offset; /* of the row */
	struct slice rcpt;
};

void check_expect(struct check *check, const struct check_wanted *wanted);
uint64_t check_row_id(struct slice row, uint64_t offset, enum check_event e);
uint64_t check_injection_id(const struct check *check, struct slice rcpt,
			    int64_t time_s);

/* Take what arrived, one event a line. */
void check_arrivals(struct check *check, struct slice lines);

/* Find what is lost; afterwards the counters are complete. */
void check_finish(struct check *check);

#endif /* CHECKER_CHECK_H */
