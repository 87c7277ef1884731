/* SPDX-License-Identifier: GPL-2.0-only */
#include "unit/tale.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/check_all.h"
#include "unit/powercut_run.h"

void tale_place(struct fixture *f, const char *above)
{
	*f = (struct fixture){.now_s = 1700000000};
	ck_assert_int_lt(
		snprintf(f->directory, sizeof(f->directory), "%s/spool", above),
		(int)sizeof(f->directory));
	f->settings = (struct spool_settings){.directory = f->directory};
}

void tale_begin(struct tale *t, bool fresh)
{
	*t = (struct tale){.cuts = 1};
	tale_place(&t->f, powercut_live());
	if (!fresh)
		ck_assert_int_eq(mkdir(t->f.directory, 0750), 0);
	t->log = powercut_begin(powercut_live());
	fixture_open(&t->f);
}

void tale_end(struct tale *t)
{
	fixture_crash(&t->f);
	powercut_free(&t->log);
}

/* --- Telling a tale --- */

static struct deed *deed_begin(struct tale *t, enum deed_kind kind)
{
	struct deed *deed = &t->deeds[t->count++];

	ck_assert_uint_le(t->count, TALE_DEEDS);
	*deed = (struct deed){.kind = kind, .begin = powercut_length(t->log)};
	return deed;
}

static bool deed_end(struct tale *t, struct deed *deed, int status)
{
	deed->end = powercut_length(t->log);
	deed->done = status == 0;
	return deed->done;
}

/* As intake does it: what has left goes into the same checkpoint. */
bool tale_seal(struct tale *t, uint32_t events)
{
	struct fixture *f = &t->f;
	struct deed *deed = deed_begin(t, DEED_SEAL);
	bool done;

	fixture_next(f, events, &deed->batch);
	deed->from = deed->batch.from;
	deed->to = deed->batch.to;
	f->departures = spool_settle(f->spool, &f->ledger);
	done = deed_end(t, deed, fixture_seal(f, events));
	if (done)
		spool_settled(f->spool, f->departures);
	return done;
}

bool tale_seal_group(struct tale *t, uint32_t events, uint32_t count)
{
	struct deed *deeds[SPOOL_GROUP];
	struct batch batches[SPOOL_GROUP];
	struct fixture *f = &t->f;
	int64_t from = f->offset;
	bool done;
	int status;

	for (uint32_t i = 0; i < count; i++)
		deeds[i] = deed_begin(t, DEED_SEAL);
	f->departures = spool_settle(f->spool, &f->ledger);
	status = fixture_seal_group(f, events, count, batches);
	done = status == 0;
	for (uint32_t i = 0; i < count; i++) {
		deeds[i]->batch = batches[i];
		deeds[i]->from = from;
		deeds[i]->to = from + (int64_t)events * count;
		deed_end(t, deeds[i], status);
	}
	if (done)
		spool_settled(f->spool, f->departures);
	return done;
}

bool tale_depart(struct tale *t, enum batch_departure why, uint32_t refused)
{
	struct spool *spool = t->f.spool;
	struct deed *deed;
	bool done;

	deed = deed_begin(t, DEED_DEPART);
	ck_assert_int_eq(spool_take(spool, &deed->batch), 1);
	deed->why = why;
	deed->refused = refused;
	done = deed_end(t, deed,
			spool_depart(spool, &deed->batch, why, refused));
	if (!done)
		spool_put_back(spool, &deed->batch);
	return done;
}

bool tale_depart_all(struct tale *t, uint32_t count)
{
	struct spool_departure leaving[SPOOL_DEPARTURES] = {0};
	struct deed *deeds[SPOOL_DEPARTURES];
	bool done = true;
	int status;

	for (uint32_t i = 0; i < count; i++) {
		deeds[i] = deed_begin(t, DEED_DEPART);
		ck_assert_int_eq(spool_take(t->f.spool, &deeds[i]->batch), 1);
		deeds[i]->why = BATCH_SENT;
		deeds[i]->refused = i;
		leaving[i] = (struct spool_departure){&deeds[i]->batch,
						      BATCH_SENT, i};
	}
	status = spool_depart_all(t->f.spool, leaving, count);
	for (uint32_t i = 0; i < count; i++) {
		done = deed_end(t, deeds[i], status);
		if (!done)
			spool_put_back(t->f.spool, &deeds[i]->batch);
	}
	return done;
}

/* One batch makes room. */
bool tale_evict(struct tale *t, bool expired)
{
	struct fixture *f = &t->f;
	struct spool_totals totals;
	struct spool_evicted evicted;
	struct deed *deed = deed_begin(t, DEED_DEPART);
	int64_t now_s = f->now_s;

	ck_assert_int_eq(spool_take(f->spool, &deed->batch), 1);
	spool_put_back(f->spool, &deed->batch);
	spool_totals(f->spool, &totals);
	f->settings.max_bytes = totals.bytes - 1;
	f->settings.max_age_s = expired ? 1000 : 0;
	spool_configure(f->spool, &f->settings);
	deed->why = expired ? BATCH_EXPIRED : BATCH_EVICTED;
	deed_end(t, deed,
		 spool_make_room(f->spool, 0, now_s + 2000, &evicted) == 1
			 ? 0
			 : -1);
	f->settings.max_bytes = 0;
	f->settings.max_age_s = 0;
	spool_configure(f->spool, &f->settings);
	return deed->done;
}

bool tale_save(struct tale *t)
{
	return fixture_save(&t->f) == 0;
}

static void last_line(const struct fixture *f, const char *file,
		      struct deed *deed)
{
	struct buf text;
	struct slice line;

	buf_init(&text, 1 << 20);
	fixture_read(f, file, &text);
	line = buf_slice(&text);
	ck_assert_uint_gt(line.len, 1);
	line.len--;
	if (slice_find_last(line, '\n') < line.len)
		line = slice_skip(line, slice_find_last(line, '\n') + 1);
	ck_assert_uint_lt(line.len, sizeof(deed->line));
	memcpy(deed->line, line.p, line.len);
	deed->line[line.len] = '\0';
	deed->file = file;
	buf_release(&text);
}

void tale_note(struct tale *t)
{
	struct fixture *f = &t->f;
	struct deed *deed = deed_begin(t, DEED_LINE);

	ck_assert_int_eq(spool_take(f->spool, &deed->batch), 1);
	ck_assert_int_eq(fixture_note(f, &deed->batch, (uint32_t)t->count, 1,
				      "id", f->now_s),
			 0);
	deed_end(t, deed, 0);
	spool_put_back(f->spool, &deed->batch);
	last_line(f, "sent/accepted.ndjson", deed);
}

void tale_rows(struct tale *t)
{
	struct deed *deed = deed_begin(t, DEED_LINE);
	char line[80];

	snprintf(line, sizeof(line), "acct.csv,%zu,why,\"a malformed row\"\n",
		 t->count);
	ck_assert_int_eq(spool_add_rows(t->f.spool, slice_str(line)), 0);
	deed_end(t, deed, 0);
	last_line(&t->f, "refused/rows.csv", deed);
}

void tale_refuse(struct tale *t)
{
	struct fixture *f = &t->f;
	struct deed *deed = deed_begin(t, DEED_PAIR);

	ck_assert_int_eq(spool_take(f->spool, &deed->batch), 1);
	deed_end(t, deed,
		 spool_refuse(f->spool, &deed->batch, 2, 1, SLICE("the event"),
			      422, SLICE("no"), f->now_s));
	spool_put_back(f->spool, &deed->batch);
	ck_assert(deed->done);
}
