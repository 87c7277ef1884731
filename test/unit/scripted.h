/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UNIT_SCRIPTED_H
#define UNIT_SCRIPTED_H

/*
 * scripted - a delivery with a real spool and a service that obeys
 *
 *	scripted_setup();			as a checked fixture
 *	scripted_seal(3, "bad")			a batch: see below
 *	scripted.rule = scripted_refuse_bad;	answers by itself, or
 *	scripted_answer(post, 503);		answers by hand
 *	scripted_step(1000);			a second later
 *	ck_said("delivery: ...");		a line was logged
 *	scripted_teardown();			and no other was
 *
 * Time is scripted.now_ms and .now_s; nothing else moves it.
 */

#include "base/buf.h"
#include "ingest/delivery.h"

enum { SCRIPTED_POSTS = 4096 };

struct scripted_post {
	uint64_t token;
	bool damaged, answered, reaped, tls;
	int status;
	int64_t retry_after_s;
	struct buf text; /* unpacked */
	struct buf body; /* of the answer */
};

struct scripted {
	struct delivery_settings settings;
	struct spool *spool;
	struct delivery *delivery;
	int64_t now_ms, now_s;
	char directory[256];

	/* The status at once, or -1 to leave it to scripted_answer(). */
	int (*rule)(const struct scripted_post *post);
	bool fail_posts;
	unsigned int posted; /* how many so far */
	struct scripted_post posts[SCRIPTED_POSTS];
	struct buf accepted; /* lines of answers 200 */
	struct buf refused;  /* on_refused: "seq first count line\n" */
};

extern struct scripted scripted;
extern const struct delivery_transport scripted_transport;

void scripted_setup(void);
void scripted_teardown(void);

/* A new delivery over the same spool, as after a crash. */
void scripted_restart(void);

/* As if the service had borne all connections at once already. */
void scripted_widen(void);

/*
 * Seal a batch of strlen(kinds) events, {"batch":SEQ,"n":N,"is":"KIND"}, KIND
 * being the letter.  Its number.
 */
uint64_t scripted_seal(const char *kinds);

/* Advance the time, step; what the step returned. */
int64_t scripted_step(int64_t ms);

/* Step without letting time pass until nothing is posted any more. */
void scripted_run(void);

/* Answer a post: 200 with an id, others with an error that names somebody. */
void scripted_answer(unsigned int post, int status);
void scripted_answer_with(unsigned int post, int status, const char *body);

/* Rules: 400 when a line's kind is 'b'; 200; 503; leave it. */
int scripted_refuse_bad(const struct scripted_post *post);
int scripted_accept(const struct scripted_post *post);

/* How many files there are in a room of the spool whose names hold "part". */
unsigned int scripted_files(const char *room, const char *part);

/* The whole of those files, one after the other, unpacked when gzip. */
void scripted_read(const char *room, const char *part, struct buf *out);

/* Departures so far, counted as the ledger counts them. */
struct ledger scripted_ledger(void);

struct delivery_state scripted_state(void);

/* Some line that was not claimed yet holds "part": claim it. */
void ck_said(const char *part);

/* Claim all lines: for tests that provoke any of them. */
void scripted_hush(void);

/* There is no such line that was not claimed. */
void ck_silent(void);

/* Lines that hold "part", claimed or not. */
unsigned int scripted_said(const char *part);

#endif /* UNIT_SCRIPTED_H */
