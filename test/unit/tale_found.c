/* SPDX-License-Identifier: GPL-2.0-only */
#include "unit/tale.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

#include "unit/check_all.h"
#include "unit/powercut_run.h"

/* --- What is found --- */

bool tale_is_started(const struct deed *deed, size_t at)
{
	return deed->begin < at;
}

bool tale_is_promised(const struct deed *deed, size_t at)
{
	return deed->done && deed->end <= at;
}

bool tale_is_same(const struct batch *x, const struct batch *y)
{
	return x->seq == y->seq && x->from == y->from && x->to == y->to;
}

bool tale_is_waiting(const struct tale_found *found, const struct batch *batch)
{
	for (size_t i = 0; i < found->count; i++) {
		if (tale_is_same(&found->waiting[i], batch))
			return true;
	}
	return false;
}

static void find_waiting(const struct fixture *g, struct tale_found *found)
{
	char path[120];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/ready", g->directory);
	dir = opendir(path);
	ck_assert_msg(dir != NULL, "%s: no ready/", powercut_where());
	found->count = 0;
	while ((entry = readdir(dir))) {
		struct batch batch;
		struct stat st;

		if (batch_parse(slice_str(entry->d_name), &batch) < 0)
			continue;
		ck_assert_int_eq(fstatat(dirfd(dir), entry->d_name, &st, 0), 0);
		ck_assert_msg((uint64_t)st.st_size == batch.bytes,
			      "%s: %s waits with %lld bytes", powercut_where(),
			      entry->d_name, (long long)st.st_size);
		ck_assert_uint_lt(found->count, TALE_WAITING);
		found->waiting[found->count++] = batch;
	}
	closedir(dir);
}

static int64_t sealed_to(const struct tale *t, size_t at)
{
	int64_t to = 0;

	for (size_t i = 0; i < t->count; i++) {
		const struct deed *d = &t->deeds[i];

		if (d->kind == DEED_SEAL && tale_is_promised(d, at) &&
		    d->batch.to > to)
			to = d->batch.to;
	}
	return to;
}

/*
 * Is this batch part of what was found?  Sealed, or begun and finished by
 * the recovery; then the end of its commit is where reading goes on.
 */
bool tale_is_made(const struct tale *t, size_t at, const struct deed *d,
		  int64_t position)
{
	if (d->kind != DEED_SEAL)
		return false;
	if (tale_is_promised(d, at))
		return true;
	return tale_is_started(d, at) && d->from == sealed_to(t, at) &&
	       d->to == position;
}

enum { LEFT_NO, LEFT_MAYBE, LEFT_YES };

static int has_left(const struct tale *t, size_t at, const struct batch *batch)
{
	int left = LEFT_NO;

	for (size_t i = 0; i < t->count; i++) {
		const struct deed *d = &t->deeds[i];

		if (d->kind != DEED_DEPART || !tale_is_same(&d->batch, batch))
			continue;
		if (tale_is_promised(d, at))
			return LEFT_YES;
		if (tale_is_started(d, at))
			left = LEFT_MAYBE;
	}
	return left;
}

/* Every batch waits or has left; the events of those that have. */
static uint64_t check_batches(const struct tale *t, size_t at,
			      const struct tale_found *found, int64_t position)
{
	uint64_t events = 0;
	int64_t covered = 0;
	size_t waiting = 0;

	for (size_t i = 0; i < t->count; i++) {
		const struct deed *d = &t->deeds[i];
		const struct batch *b = &d->batch;
		int left = has_left(t, at, b);

		if (!tale_is_made(t, at, d, position))
			continue;
		ck_assert_msg(b->from == covered, "%s: batch %llu is from %lld",
			      powercut_where(), (unsigned long long)b->seq,
			      (long long)b->from);
		covered = b->to;
		if (tale_is_waiting(found, b)) {
			ck_assert_msg(left != LEFT_YES, "%s: %llu waits again",
				      powercut_where(),
				      (unsigned long long)b->seq);
			waiting++;
			continue;
		}
		ck_assert_msg(left != LEFT_NO, "%s: %llu is lost",
			      powercut_where(), (unsigned long long)b->seq);
		events += batch_events(b);
	}
	ck_assert_msg(covered == position,
		      "%s: batches cover %lld, reading goes on at %lld",
		      powercut_where(), (long long)covered,
		      (long long)position);
	ck_assert_msg(waiting == found->count,
		      "%s: %zu batches wait, %zu of them should",
		      powercut_where(), found->count, waiting);
	return events;
}

/* At least what was promised of each kind; and exactly "left" of all. */
static void check_ledger(const struct tale *t, size_t at,
			 const struct ledger *ledger, uint64_t left)
{
	uint64_t sent = 0, refused = 0, evicted = 0, expired = 0;

	for (size_t i = 0; i < t->count; i++) {
		const struct deed *d = &t->deeds[i];
		uint64_t events = batch_events(&d->batch);

		if (d->kind != DEED_DEPART || !tale_is_promised(d, at))
			continue;
		sent += d->why == BATCH_SENT ? events - d->refused : 0;
		refused += d->why == BATCH_SENT ? d->refused : 0;
		refused += d->why == BATCH_REFUSED ? events : 0;
		evicted += d->why == BATCH_EVICTED ? events : 0;
		expired += d->why == BATCH_EXPIRED ? events : 0;
	}
	ck_assert_msg(fixture_left(ledger) == left,
		      "%s: %llu events have left, the ledger says %llu",
		      powercut_where(), (unsigned long long)left,
		      (unsigned long long)fixture_left(ledger));
	ck_assert_msg(ledger->sent_events >= sent, "%s: sent",
		      powercut_where());
	ck_assert_msg(ledger->refused_events >= refused, "%s: refused",
		      powercut_where());
	ck_assert_msg(ledger->evicted_events >= evicted, "%s: evicted",
		      powercut_where());
	ck_assert_msg(ledger->expired_events >= expired, "%s: expired",
		      powercut_where());
}

/* --- Lines and refused events --- */

static bool is_cut(const struct tale *t, size_t at, const char *file,
		   struct slice line)
{
	/* The length was kept, the bytes were not. */
	if (slice_find(line, '\0') < line.len)
		return true;
	for (size_t i = 0; i < t->count; i++) {
		const struct deed *d = &t->deeds[i];

		if (d->kind == DEED_LINE && strcmp(d->file, file) == 0 &&
		    tale_is_started(d, at) && line.len < strlen(d->line) &&
		    memcmp(line.p, d->line, line.len) == 0)
			return true;
	}
	return false;
}

/* Which line is it?  -1: none of ours. */
static int line_of(const struct tale *t, size_t at, const char *file,
		   struct slice line)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct deed *d = &t->deeds[i];

		if (d->kind == DEED_LINE && strcmp(d->file, file) == 0 &&
		    tale_is_started(d, at) &&
		    slice_eq(line, slice_str(d->line)))
			return (int)i;
	}
	return -1;
}

static void read_there(const struct fixture *g, const char *file,
		       struct buf *text)
{
	buf_reset(text);
	if (fixture_has(g, file))
		fixture_read(g, file, text);
}

static void check_file(const struct tale *t, size_t at, const struct fixture *g,
		       const char *file)
{
	bool there[TALE_DEEDS] = {false};
	unsigned int cut = 0;
	struct slice rest;
	struct buf text;

	buf_init(&text, 1 << 20);
	read_there(g, file, &text);
	rest = buf_slice(&text);
	while (rest.len) {
		struct slice line = rest;
		int i;

		line.len = slice_find(rest, '\n');
		rest = slice_skip(rest, line.len < rest.len ? line.len + 1
							    : rest.len);
		i = line_of(t, at, file, line);
		if (i >= 0)
			there[i] = true;
		else
			cut++;
		ck_assert_msg(i >= 0 || is_cut(t, at, file, line),
			      "%s: %s has \"%.*s\"", powercut_where(), file,
			      SLICE_ARGS(line));
	}
	ck_assert_msg(cut <= t->cuts, "%s: %u lines of %s are cut",
		      powercut_where(), cut, file);
	for (size_t i = 0; i < t->count; i++) {
		const struct deed *d = &t->deeds[i];

		if (d->kind == DEED_LINE && strcmp(d->file, file) == 0 &&
		    tale_is_promised(d, at))
			ck_assert_msg(there[i], "%s: %s has lost \"%s\"",
				      powercut_where(), file, d->line);
	}
	buf_release(&text);
}

static void check_pairs(const struct tale *t, size_t at,
			const struct fixture *g)
{
	struct buf text;

	buf_init(&text, 1 << 20);
	for (size_t i = 0; i < t->count; i++) {
		const struct deed *d = &t->deeds[i];
		char name[BATCH_NAME], file[BATCH_NAME + 40];
		int stem;

		if (d->kind != DEED_PAIR)
			continue;
		batch_name(&d->batch, name);
		stem = (int)(strlen(name) - strlen(BATCH_SUFFIX));
		snprintf(file, sizeof(file), "refused/%.*s-2%s", stem, name,
			 BATCH_SUFFIX);
		read_there(g, file, &text);
		ck_assert_msg(text.len || !tale_is_promised(d, at),
			      "%s: %s is lost", powercut_where(), file);
		ck_assert_msg(!text.len || slice_eq(buf_slice(&text),
						    SLICE("the event")),
			      "%s: %s is \"%s\"", powercut_where(), file,
			      buf_str(&text));
		snprintf(file, sizeof(file), "refused/%.*s-2.json", stem, name);
		read_there(g, file, &text);
		ck_assert_msg(
			!tale_is_promised(d, at) ||
				(text.len && text.p[text.len - 1] == '\n'),
			"%s: %s is lost", powercut_where(), file);
	}
	buf_release(&text);
}

/* --- One image --- */

/* What status says before a start: the same equation. */
void tale_view(const struct fixture *g)
{
	static const char *const rooms[] = {"ready", "sent", "refused"};
	struct spool_view view;
	struct buf why;
	int status;

	for (size_t i = 0; i < NROF(rooms); i++) {
		if (!fixture_has(g, rooms[i]))
			return;
	}
	buf_init(&why, 4096);
	status = spool_view(g->directory, &view, &why);
	ck_assert_msg(status == 0, "%s: view: %s", powercut_where(),
		      buf_str(&why));
	buf_release(&why);
	ck_assert_msg(
		account_events(&view.checkpoint.ledger.account) ==
			view.totals.events +
				fixture_left(&view.checkpoint.ledger),
		"%s: view: %llu made, %llu wait, %llu have left",
		powercut_where(),
		(unsigned long long)account_events(
			&view.checkpoint.ledger.account),
		(unsigned long long)view.totals.events,
		(unsigned long long)fixture_left(&view.checkpoint.ledger));
	spool_view_release(&view);
}

/* An eviction that emptied its batch and did not come further is done. */
static void finish_evictions(struct fixture *g)
{
	struct batch batch;

	if (spool_take(g->spool, &batch) == 1)
		spool_put_back(g->spool, &batch);
}

void tale_found(const struct tale *t, size_t at, struct fixture *g,
		struct tale_found *found)
{
	const struct spool_found *f = &g->found;
	uint64_t left;

	ck_assert_msg(!f->damaged, "%s: damaged", powercut_where());
	ck_assert_msg(f->beyond_count == 0, "%s: %zu batches beyond",
		      powercut_where(), f->beyond_count);
	/* Nothing waits without its bytes, unless it went for them. */
	if (!t->full_disk)
		find_waiting(g, found);
	finish_evictions(g);
	g->departures = spool_settle(g->spool, &g->ledger);
	find_waiting(g, found);
	left = check_batches(t, at, found, g->offset);
	check_ledger(t, at, &g->ledger, left);
	ck_assert_msg(g->ledger.account.rows == (uint64_t)g->offset,
		      "%s: %llu rows, read up to %lld", powercut_where(),
		      (unsigned long long)g->ledger.account.rows,
		      (long long)g->offset);
	check_file(t, at, g, "sent/accepted.ndjson");
	check_file(t, at, g, "refused/rows.csv");
	check_pairs(t, at, g);
}

uint64_t tale_promises(const struct tale *t, size_t at)
{
	uint64_t key = 0;

	for (size_t i = 0; i < t->count; i++) {
		const struct deed *d = &t->deeds[i];

		key = key * 31 + (uint64_t)tale_is_promised(d, at) * 2 +
		      (uint64_t)tale_is_started(d, at);
	}
	return key;
}
