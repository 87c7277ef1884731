/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FOLLOW_PMTA_LOG_H
#define FOLLOW_PMTA_LOG_H

/*
 * pmta_log - how many records PowerMTA says a finished file has
 *
 *	struct pmta_log *log = pmta_log_new("/var/log/pmta/log");
 *	pmta_log_want(log, "acct-*.csv");
 *	while (pmta_log_read(log, 4 << 20) > 0)
 *		;
 *	rows = pmta_log_records(log, "acct-2024-01-01-0000.csv");
 *	pmta_log_free(&log);
 *
 * With count-moved-records PowerMTA writes a line to its log when it moves an
 * accounting file.  How that line is worded is nowhere told, so any line counts
 * that names one file of ours and has one number beside the word "record" or
 * "records":
 *
 *	acct-1.csv: 5 records		5 accounting records in acct-1.csv
 *	records: 5 (/moved/acct-1.csv)	acct-1.csv recordcount=5
 *	"acct-1.csv" moved, record count 12,345
 *
 * A line that names two different files, or has two such numbers, says nothing
 * for certain and is passed over, as is any other.  Of several lines about one
 * file the last counts.
 *
 * The log is read forward from where reading stopped; a half line at its end
 * waits for the rest.  When it is shorter than before, or another file has its
 * name, reading starts over; what was written to the old one since the last
 * reading is not seen.  Memory: PMTA_LOG_FILES names, after which the oldest
 * goes, and one buffer; no descriptor is held between readings.
 *
 * One thread at a time.  Logs nothing.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

enum {
	PMTA_LOG_FILES = 4096,
	PMTA_LOG_LINE = 16384, /* longer lines are passed over */
	PMTA_LOG_NAME = 255
};

struct pmta_log;

struct pmta_log *pmta_log_new(const char *path);
void pmta_log_free(struct pmta_log **log);

const char *pmta_log_path(const struct pmta_log *log);

/* Files of this name are ours; "*", "?" and "[...]" as in a glob. */
void pmta_log_want(struct pmta_log *log, const char *name);

bool pmta_log_wants(const struct pmta_log *log, const char *name);

/*
 * Read on, about "most" bytes.  1: there is more; 0: up to the end; -1 with
 * errno: no such log, not a regular file, it cannot be read.
 */
int pmta_log_read(struct pmta_log *log, int64_t most);

/* What the log says of a file, by its name without directory; -1: nothing. */
int64_t pmta_log_records(const struct pmta_log *log, const char *name);

/* One line, without its end: true when it says how many records a file has. */
struct pmta_log_fact {
	struct slice name; /* within the line */
	int64_t records;
};
bool pmta_log_line(const struct pmta_log *log, struct slice line,
		   struct pmta_log_fact *fact_out);

#endif /* FOLLOW_PMTA_LOG_H */
