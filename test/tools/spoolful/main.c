/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * spoolful SPOOL BATCHES BODY EVENTS
 *
 * A spool that many batches wait in, as if a daemon had sealed them a minute
 * ago and been killed: each has the bytes of BODY (gzip), which are EVENTS
 * deliveries.  SPOOL must not exist.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "spool/batch.h"
#include "spool/checkpoint.h"

enum { TEXT_MAX = 1 << 26, ROW_BYTES = 500 };

static const struct position_id id = {0x801, 0x1a2b, 64, 0xabcdef};

struct spoolful {
	uint64_t batches;
	uint32_t events;
	int64_t now_s;
	struct buf body;
};

static void die(const char *name)
{
	fprintf(stderr, "spoolful: %s: %s\n", name, strerror(errno));
	exit(EXIT_FAILURE);
}

static void store(int dir, const char *name, struct slice bytes)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
			0640);

	if (fd < 0 || fs_write_all(fd, bytes.p, bytes.len) < 0 ||
	    fs_close(&fd) < 0)
		die(name);
}

static void put_batches(const struct spoolful *s, int ready)
{
	int64_t len = (int64_t)s->events * ROW_BYTES;
	struct batch batch = {.source = id,
			      .number = 1,
			      .events[EVENT_DELIVERY] = s->events,
			      .oldest_s = s->now_s - 60,
			      .newest_s = s->now_s,
			      .sealed_s = s->now_s,
			      .bytes = s->body.len};
	char name[BATCH_NAME];

	for (batch.seq = 1; batch.seq <= s->batches; batch.seq++) {
		batch.from = batch.to;
		batch.to += len;
		batch_name(&batch, name);
		store(ready, name, buf_slice(&s->body));
	}
}

static void put_checkpoint(const struct spoolful *s, int spool)
{
	uint64_t events = s->batches * s->events;
	struct checkpoint c = {
		.saved_s = s->now_s, .seq = s->batches, .numbers = 1};
	struct checkpoint_writer *writer = checkpoint_writer_new();
	struct position p;
	struct slice text;

	c.ledger.account.rows = events;
	c.ledger.account.shipped = events;
	c.ledger.account.events[EVENT_DELIVERY] = events;
	position_init(&p);
	p.path = mem_str("acct.csv");
	p.number = 1;
	p.id = id;
	p.offset = (int64_t)events * ROW_BYTES;
	p.size = p.offset;
	p.state = POSITION_GONE;
	p.account.rows = events;
	p.account.shipped = events;
	p.account.events[EVENT_DELIVERY] = events;
	checkpoint_begin(writer, &c);
	checkpoint_position(writer, &p, 0);
	if (checkpoint_end(writer, &text) < 0)
		die("checkpoint.json");
	store(spool, "checkpoint.json", text);
	checkpoint_writer_free(&writer);
	position_release(&p);
}

static int make_dir(int dir, const char *name)
{
	int fd;

	if (mkdirat(dir, name, 0750) < 0)
		die(name);
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		die(name);
	return fd;
}

int main(int argc, char **argv)
{
	static const char *const rooms[] = {"tmp", "sent", "refused"};
	struct spoolful s = {.now_s = time(NULL)};
	int spool, ready;

	if (argc != 5) {
		fputs("usage: spoolful SPOOL BATCHES BODY EVENTS\n", stderr);
		return 64;
	}
	s.batches = strtoull(argv[2], NULL, 10);
	s.events = (uint32_t)strtoul(argv[4], NULL, 10);
	buf_init(&s.body, TEXT_MAX);
	if (fs_read_file(AT_FDCWD, argv[3], &s.body) < 0)
		die(argv[3]);
	spool = make_dir(AT_FDCWD, argv[1]);
	for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++)
		close(make_dir(spool, rooms[i]));
	ready = make_dir(spool, "ready");
	put_batches(&s, ready);
	put_checkpoint(&s, spool);
	close(ready);
	close(spool);
	buf_release(&s.body);
	return EXIT_SUCCESS;
}
