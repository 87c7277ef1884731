/* SPDX-License-Identifier: GPL-2.0-only */
#include "unit/spool_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "unit/check_all.h"
#include "unit/fault.h"

static const struct position_id fixture_source = {0x801, 0x1a2b, 64, 0xabcdef};

void fixture_init(struct fixture *f)
{
	const char *tmp = getenv("TMPDIR");

	fault_skip_syncs(true);
	*f = (struct fixture){.now_s = 1700000000};
	ck_assert_int_lt(snprintf(f->directory, sizeof(f->directory),
				  "%s/spool.XXXXXX", tmp ? tmp : "/tmp"),
			 (int)sizeof(f->directory));
	ck_assert_ptr_nonnull(mkdtemp(f->directory));
	f->settings = (struct spool_settings){.directory = f->directory};
}

static int fixture_remove(const char *path, const struct stat *st, int flag,
			  struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

void fixture_release(struct fixture *f)
{
	fixture_crash(f);
	ledger_release(&f->ledger);
	ck_assert_int_eq(nftw(f->directory, fixture_remove, 16,
			      FTW_DEPTH | FTW_PHYS | FTW_MOUNT),
			 0);
}

void fixture_open(struct fixture *f)
{
	struct buf why;

	buf_init(&why, 4096);
	ck_assert_msg(spool_open(&f->settings, &f->spool, &f->found, &why) ==
			      SPOOL_OPEN_OK,
		      "%s", buf_str(&why));
	ck_assert_uint_eq(why.len, 0);
	buf_release(&why);
	ledger_copy(&f->ledger, &f->found.checkpoint.ledger);
	f->departures = f->found.checkpoint.departures;
	f->offset = 0;
	if (f->found.checkpoint.positions_count)
		f->offset = f->found.checkpoint.positions[0].offset;
	for (size_t i = 0; i < f->found.beyond_count; i++) {
		const struct batch *batch = &f->found.beyond[i];

		if (batch->to > f->offset)
			f->offset = batch->to;
	}
}

void fixture_crash(struct fixture *f)
{
	ledger_release(&f->ledger);
	spool_found_release(&f->found);
	spool_close(&f->spool);
}

void fixture_reopen(struct fixture *f)
{
	fixture_crash(f);
	fixture_open(f);
}

/* --- Intake --- */

int fixture_text(const struct fixture *f, uint64_t seq, uint32_t events,
		 struct buf *out)
{
	struct checkpoint c = {.saved_s = f->now_s,
			       .seq = seq,
			       .group = f->spool ? spool_staged(f->spool) : 0,
			       .departures = f->departures,
			       .ledger = f->ledger};
	struct checkpoint_writer *writer = checkpoint_writer_new();
	struct position p;
	struct slice text;
	int status;

	c.ledger.account.events[EVENT_DELIVERY] += events;
	c.ledger.account.rows += events;
	c.ledger.account.shipped += events;
	position_init(&p);
	p.path = mem_str("/var/log/pmta/acct.csv");
	p.id = fixture_source;
	p.offset = f->offset + events;
	p.size = p.offset;
	buf_add_str(&p.file.header, "type,timeLogged,rcpt");
	checkpoint_begin(writer, &c);
	checkpoint_position(writer, &p, 0);
	position_release(&p);
	status = checkpoint_end(writer, &text);
	buf_add_slice(out, text);
	checkpoint_writer_free(&writer);
	return status;
}

struct slice fixture_gz(const struct batch *batch, struct buf *out)
{
	buf_reset(out);
	for (int64_t at = batch->from; at < batch->to; at += 10)
		buf_addf(out, "%lld ", (long long)at);
	return buf_slice(out);
}

void fixture_next(const struct fixture *f, uint32_t events,
		  struct batch *batch_out)
{
	struct buf gz;

	*batch_out = (struct batch){.seq = spool_next_seq(f->spool),
				    .source = fixture_source,
				    .from = f->offset,
				    .to = f->offset + events,
				    .after = {.header_offset = 0},
				    .oldest_s = f->now_s - 60 - f->span_s,
				    .newest_s = f->now_s,
				    .sealed_s = f->now_s};
	batch_out->events[EVENT_DELIVERY] = events;
	buf_init(&gz, 4 << 20);
	batch_out->bytes = fixture_gz(batch_out, &gz).len;
	buf_release(&gz);
}

static void fixture_made(struct fixture *f, uint32_t events)
{
	f->offset += events;
	f->ledger.account.events[EVENT_DELIVERY] += events;
	f->ledger.account.rows += events;
	f->ledger.account.shipped += events;
}

int fixture_seal(struct fixture *f, uint32_t events)
{
	struct batch batch;
	struct buf gz, text;
	int saved, status;

	buf_init(&gz, 4 << 20);
	buf_init(&text, 1 << 20);
	fixture_next(f, events, &batch);
	ck_assert_int_eq(fixture_text(f, batch.seq, events, &text), 0);
	status = spool_seal(f->spool, &batch, fixture_gz(&batch, &gz),
			    buf_slice(&text));
	saved = errno;
	if (status == 0)
		fixture_made(f, events);
	buf_release(&gz);
	buf_release(&text);
	errno = saved;
	return status;
}

static int fixture_stage(const struct fixture *f, uint32_t events,
			 uint32_t count, struct batch *batches)
{
	struct fixture at = *f;
	struct buf gz;
	int saved, status = 0;

	buf_init(&gz, 4 << 20);
	for (uint32_t i = 0; i < count && status == 0; i++) {
		fixture_next(&at, events, &batches[i]);
		status = spool_stage(f->spool, &batches[i],
				     fixture_gz(&batches[i], &gz));
		at.offset = batches[i].to;
	}
	saved = errno;
	buf_release(&gz);
	errno = saved;
	return status;
}

int fixture_seal_group(struct fixture *f, uint32_t events, uint32_t count,
		       struct batch *batches_out)
{
	struct batch batches[SPOOL_GROUP] = {0};
	struct buf text;
	int saved, status;

	ck_assert_uint_le(count, SPOOL_GROUP);
	status = fixture_stage(f, events, count, batches);
	if (batches_out)
		memcpy(batches_out, batches, count * sizeof(*batches));
	if (status < 0)
		return -1;
	buf_init(&text, 1 << 20);
	ck_assert_int_eq(fixture_text(f, spool_next_seq(f->spool) - 1,
				      events * count, &text),
			 0);
	status = spool_commit(f->spool, buf_slice(&text));
	saved = errno;
	if (status == 0)
		fixture_made(f, events * count);
	buf_release(&text);
	errno = saved;
	return status;
}

int fixture_save(struct fixture *f)
{
	struct buf text;
	int saved, status;

	buf_init(&text, 1 << 20);
	f->departures = spool_settle(f->spool, &f->ledger);
	ck_assert_int_eq(
		fixture_text(f, spool_next_seq(f->spool) - 1, 0, &text), 0);
	status = spool_save(f->spool, buf_slice(&text));
	saved = errno;
	if (status == 0)
		spool_settled(f->spool, f->departures);
	buf_release(&text);
	errno = saved;
	return status;
}

int fixture_depart(struct fixture *f, enum batch_departure why,
		   uint32_t refused)
{
	struct batch batch;
	int saved;

	if (spool_take(f->spool, &batch) != 1)
		return -1;
	if (spool_depart(f->spool, &batch, why, refused) == 0)
		return 0;
	saved = errno;
	spool_put_back(f->spool, &batch);
	errno = saved;
	return -1;
}

int fixture_depart_all(struct fixture *f, size_t count)
{
	struct spool_departure leaving[SPOOL_DEPARTURES];
	struct batch batches[SPOOL_DEPARTURES];
	size_t taken = 0;
	int saved;

	while (taken < count && spool_take(f->spool, &batches[taken]) == 1) {
		leaving[taken] = (struct spool_departure){
			&batches[taken], taken % 2 ? BATCH_REFUSED : BATCH_SENT,
			(uint32_t)taken};
		taken++;
	}
	if (!taken)
		return -1;
	if (spool_depart_all(f->spool, leaving, taken) == 0)
		return 0;
	saved = errno;
	for (size_t i = 0; i < taken; i++)
		spool_put_back(f->spool, &batches[i]);
	errno = saved;
	return -1;
}

/* --- What must be true --- */

uint64_t fixture_left(const struct ledger *ledger)
{
	return ledger->sent_events + ledger->refused_events +
	       ledger->evicted_events + ledger->expired_events;
}

void fixture_view(const struct fixture *f, struct spool_view *view_out)
{
	struct buf why;

	buf_init(&why, 4096);
	ck_assert_msg(spool_view(f->directory, view_out, &why) == 0, "%s",
		      buf_str(&why));
	buf_release(&why);
}

static int fixture_room(const struct fixture *f, const char *room)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", f->directory, room);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	return fd;
}

/* Every batch of ready/ is whole, and events of them all. */
static uint64_t fixture_waiting(const struct fixture *f)
{
	int fd = fixture_room(f, "ready");
	DIR *dir = fdopendir(fd);
	struct buf want, got;
	struct dirent *entry;
	uint64_t events = 0;

	buf_init(&want, 4 << 20);
	buf_init(&got, 4 << 20);
	while ((entry = readdir(dir))) {
		struct batch batch;

		if (batch_parse(slice_str(entry->d_name), &batch) < 0)
			continue;
		buf_reset(&got);
		ck_assert_int_eq(fs_read_file(fd, entry->d_name, &got), 0);
		ck_assert_uint_eq(got.len, batch.bytes);
		ck_assert(slice_eq(buf_slice(&got), fixture_gz(&batch, &want)));
		events += batch_events(&batch);
	}
	closedir(dir);
	buf_release(&want);
	buf_release(&got);
	return events;
}

void fixture_agrees(struct fixture *f)
{
	struct spool_totals totals;
	struct spool_view view;
	uint64_t made;

	f->departures = spool_settle(f->spool, &f->ledger);
	made = account_events(&f->ledger.account);
	spool_totals(f->spool, &totals);
	ck_assert_uint_eq(made, (uint64_t)f->offset);
	ck_assert_uint_eq(made, totals.events + fixture_left(&f->ledger));
	ck_assert_uint_eq(totals.events, fixture_waiting(f));
	fixture_view(f, &view);
	ck_assert_uint_eq(totals.events, view.totals.events);
	ck_assert_uint_eq(totals.batches, view.totals.batches);
	ck_assert_uint_eq(totals.bytes, view.totals.bytes);
	ck_assert_int_eq(totals.oldest_event_s, view.totals.oldest_event_s);
	ck_assert_uint_eq(account_events(&view.checkpoint.ledger.account),
			  made);
	ck_assert_uint_eq(fixture_left(&view.checkpoint.ledger),
			  fixture_left(&f->ledger));
	ck_assert(view.running);
	ck_assert_int_eq(view.pid, getpid());
	spool_view_release(&view);
}

void fixture_clean(struct fixture *f)
{
	ck_assert_uint_eq(fixture_count(f, "tmp"), 0);
	ck_assert(!fixture_has(f, "checkpoint.next"));
}

/* --- Files --- */

unsigned int fixture_count(const struct fixture *f, const char *room)
{
	DIR *dir = fdopendir(fixture_room(f, room));
	struct dirent *entry;
	unsigned int n = 0;

	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

bool fixture_has(const struct fixture *f, const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", f->directory, name);
	return access(path, F_OK) == 0;
}

void fixture_write(const struct fixture *f, const char *name, const char *text)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", f->directory, name);
	file = fopen(path, "we");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	ck_assert_int_eq(fclose(file), 0);
}

void fixture_read(const struct fixture *f, const char *name, struct buf *out)
{
	int fd = fixture_room(f, "");

	buf_reset(out);
	ck_assert_int_eq(fs_read_file(fd, name, out), 0);
	close(fd);
}

int fixture_note(struct fixture *f, const struct batch *batch, uint32_t first,
		 uint32_t count, const char *id, int64_t now_s)
{
	struct spool_accepted note = {batch, first, count, id};

	return spool_note_accepted(f->spool, &note, 1, now_s);
}
