/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UNIT_INLET_H
#define UNIT_INLET_H

/*
 * inlet - an intake with its spool and accounting files in a directory
 *
 *	inlet_setup();			configuration, no file, nothing open
 *	inlet_add("a.csv", INLET_HEADER INLET_ROW(1));
 *	inlet_start(1000);		as at 1000 ms
 *	intake_flush(inlet.intake);
 *	inlet_settle(1000);		step until nothing is due
 *	inlet_agrees(1, 1);		rows, events: the ledger on the disk
 *	inlet_stop();			without a word, as a crash
 *	inlet_teardown();
 *
 * inlet.now_s is the date; a row is of ten seconds before its first one.
 */

#include "app/intake.h"
#include "spool/spool_view.h"

#define INLET_HEADER "type,timeLogged,timeQueued,orig,rcpt,dsnStatus\n"
#define INLET_ROW(n)                                                           \
	"d,1700000000,1699999990,a@from.example,u" #n "@to.example,2.0.0\n"

enum { INLET_NOW_S = 1700000010, INLET_DELAY_MS = 5000 };

struct inlet {
	char root[256];
	struct config *config;
	struct spool *spool;
	struct intake *intake;
	char said[4096]; /* the log */
	int64_t now_s;
};

extern struct inlet inlet;

void inlet_setup(void);
void inlet_teardown(void);

/* A path below the root; good for the next three calls. */
const char *inlet_path(const char *name);

/* Append to a file. */
void inlet_add(const char *name, const char *text);

void inlet_start(int64_t now_ms);
void inlet_stop(void);
struct spool_totals inlet_totals(void);
void inlet_settle(int64_t now_ms);

/* Was a line with that logged? */
void inlet_said(const char *part);

/* What status would see; its sums agree.  Release it. */
struct spool_view inlet_view(void);

/* Save, and look: rows read, events made. */
void inlet_agrees(uint64_t rows, uint64_t events);

#endif /* UNIT_INLET_H */
