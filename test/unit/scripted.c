/* SPDX-License-Identifier: GPL-2.0-only */
#include "unit/scripted.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/gzip.h"
#include "base/log.h"
#include "base/mem.h"
#include "ingest/delivery_private.h"
#include "spool/checkpoint.h"
#include "unit/check_all.h"

enum { SCRIPTED_LINES = 200 };

struct scripted scripted;

static struct {
	char text[1024];
	bool claimed;
} lines[SCRIPTED_LINES];
static unsigned int lines_count;

/* --- The log --- */

static void scripted_sink(int priority, const char *line)
{
	(void)priority;
	ck_assert_uint_lt(lines_count, SCRIPTED_LINES);
	snprintf(lines[lines_count].text, sizeof(lines[0].text), "%s", line);
	lines[lines_count++].claimed = false;
}

void ck_said(const char *part)
{
	for (unsigned int i = 0; i < lines_count; i++) {
		if (!lines[i].claimed && strstr(lines[i].text, part)) {
			lines[i].claimed = true;
			return;
		}
	}
	ck_abort_msg("not said: %s (last: %s)", part,
		     lines_count ? lines[lines_count - 1].text : "nothing");
}

void scripted_hush(void)
{
	for (unsigned int i = 0; i < lines_count; i++)
		lines[i].claimed = true;
}

void ck_silent(void)
{
	for (unsigned int i = 0; i < lines_count; i++)
		ck_assert_msg(lines[i].claimed, "said: %s", lines[i].text);
}

unsigned int scripted_said(const char *part)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < lines_count; i++)
		n += strstr(lines[i].text, part) != NULL;
	return n;
}

/* --- The service --- */

static bool unpack(int fd, struct buf *out)
{
	struct gzip_reader *reader = gzip_reader_new(fd);
	char block[4096];
	ptrdiff_t n;

	while ((n = gzip_read(reader, block, sizeof(block))) > 0)
		buf_add(out, block, (size_t)n);
	gzip_reader_free(&reader);
	return n == 0;
}

static int scripted_post(void *ctx, uint64_t token, int fd, off_t offset,
			 off_t size)
{
	struct scripted *s = ctx;
	struct scripted_post *post = &s->posts[s->posted];
	struct stat st;
	int status;

	ck_assert_uint_lt(s->posted, SCRIPTED_POSTS);
	ck_assert_int_eq(offset, 0);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_eq(size, st.st_size);
	if (s->fail_posts) {
		close(fd);
		return -1;
	}
	for (unsigned int i = 0; i < s->posted; i++)
		ck_assert_uint_ne(s->posts[i].token, token);
	memset(post, 0, sizeof(*post));
	post->token = token;
	post->retry_after_s = -1;
	buf_init(&post->text, 1 << 20);
	buf_init(&post->body, 1 << 16);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	post->damaged = !unpack(fd, &post->text);
	close(fd);
	s->posted++;
	status = s->rule ? s->rule(post) : -1;
	if (status >= 0)
		scripted_answer(s->posted - 1, status);
	return 0;
}

static bool scripted_reap(void *ctx, struct http_reply *reply_out,
			  int64_t now_s)
{
	struct scripted *s = ctx;

	ck_assert_int_eq(now_s, s->now_s);
	for (unsigned int i = 0; i < s->posted; i++) {
		struct scripted_post *post = &s->posts[i];

		if (!post->answered || post->reaped)
			continue;
		post->reaped = true;
		memset(reply_out, 0, sizeof(*reply_out));
		reply_out->token = post->token;
		reply_out->status = post->status;
		reply_out->retry_after_s = post->retry_after_s;
		reply_out->tls = post->tls;
		if (post->status)
			reply_out->body = buf_slice(&post->body);
		else
			reply_out->error = buf_slice(&post->body);
		return true;
	}
	return false;
}

static unsigned int scripted_busy(void *ctx)
{
	struct scripted *s = ctx;
	unsigned int n = 0;

	for (unsigned int i = 0; i < s->posted; i++)
		n += !s->posts[i].reaped;
	return n;
}

const struct delivery_transport scripted_transport = {
	.post = scripted_post, .reap = scripted_reap, .busy = scripted_busy};

void scripted_answer_with(unsigned int post, int status, const char *body)
{
	struct scripted_post *p = &scripted.posts[post];

	ck_assert_uint_lt(post, scripted.posted);
	ck_assert(!p->answered);
	p->answered = true;
	p->status = status;
	buf_add_str(&p->body, body);
}

void scripted_answer(unsigned int post, int status)
{
	char body[200];

	if (status == 200) {
		snprintf(body, sizeof(body), "{\"results\":{\"id\":\"id-%u\"}}",
			 post);
		buf_add_slice(&scripted.accepted,
			      buf_slice(&scripted.posts[post].text));
	} else if (status) {
		snprintf(body, sizeof(body),
			 "{\"errors\":[{\"message\":\"No\",\"description\":"
			 "\"joe@example.test is %d\"}]}",
			 status);
	} else {
		snprintf(body, sizeof(body), "Connection reset by peer");
	}
	scripted_answer_with(post, status, body);
}

int scripted_refuse_bad(const struct scripted_post *post)
{
	if (post->damaged || !post->text.len)
		return 400;
	return memmem(post->text.p, post->text.len, "\"b\"", 3) ? 400 : 200;
}

int scripted_accept(const struct scripted_post *post)
{
	(void)post;
	return 200;
}

/* --- The spool --- */

static void scripted_on_refused(void *ctx, const struct batch *batch,
				uint32_t first, uint32_t count,
				struct slice json)
{
	struct scripted *s = ctx;

	buf_addf(&s->refused, "%" PRIu64 " %u %u %.*s\n", batch->seq, first,
		 count, SLICE_ARGS(json));
}

static void scripted_open(void)
{
	struct spool_settings settings = {.directory = scripted.directory};
	struct spool_found found;
	struct buf why;

	memset(&found, 0, sizeof(found));
	buf_init(&why, 1000);
	ck_assert_msg(spool_open(&settings, &scripted.spool, &found, &why) ==
			      SPOOL_OPEN_OK,
		      "%s", buf_str(&why));
	spool_found_release(&found);
	buf_release(&why);
	scripted.delivery = delivery_new(&scripted.settings, scripted.spool,
					 &scripted_transport, &scripted);
}

void scripted_setup(void)
{
	const char *tmp = getenv("TMPDIR");

	memset(&scripted, 0, sizeof(scripted));
	lines_count = 0;
	log_set_sink(scripted_sink);
	snprintf(scripted.directory, sizeof(scripted.directory),
		 "%s/check_delivery.XXXXXX", tmp ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(scripted.directory));
	buf_init(&scripted.accepted, 1 << 20);
	buf_init(&scripted.refused, 1 << 20);
	scripted.now_ms = 5000000;
	scripted.now_s = 1700000000;
	scripted.settings = (struct delivery_settings){
		.connections = 1,
		.retry_min_ms = 1000,
		.retry_max_ms = 300000,
		.compression = 1,
		.on_refused = scripted_on_refused,
		.on_refused_ctx = &scripted,
	};
	scripted_open();
}

void scripted_restart(void)
{
	delivery_free(&scripted.delivery);
	spool_close(&scripted.spool);
	for (unsigned int i = 0; i < scripted.posted; i++)
		scripted.posts[i].answered = scripted.posts[i].reaped = true;
	scripted_open();
}

void scripted_widen(void)
{
	scripted.delivery->gate.window = scripted.settings.connections;
}

static void scripted_remove(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char name[600];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		if (unlink(name) < 0)
			scripted_remove(name);
	}
	if (dir)
		closedir(dir);
	rmdir(path);
}

void scripted_teardown(void)
{
	delivery_free(&scripted.delivery);
	if (scripted.spool)
		spool_close(&scripted.spool);
	for (unsigned int i = 0; i < scripted.posted; i++) {
		buf_release(&scripted.posts[i].text);
		buf_release(&scripted.posts[i].body);
	}
	buf_release(&scripted.accepted);
	buf_release(&scripted.refused);
	scripted_remove(scripted.directory);
	log_set_sink(NULL);
	ck_silent();
}

static void scripted_checkpoint(uint64_t seq, struct buf *out)
{
	struct checkpoint checkpoint = {.saved_s = scripted.now_s, .seq = seq};
	struct checkpoint_writer *writer = checkpoint_writer_new();
	struct slice text;

	checkpoint_begin(writer, &checkpoint);
	ck_assert_int_eq(checkpoint_end(writer, &text), 0);
	buf_add_slice(out, text);
	checkpoint_writer_free(&writer);
}

uint64_t scripted_seal(const char *kinds)
{
	struct gzip_packer *packer = gzip_packer_new(1);
	struct buf text, gz, checkpoint;
	struct batch batch = {.seq = spool_next_seq(scripted.spool),
			      .to = 100,
			      .after = {.header_offset = 0},
			      .oldest_s = scripted.now_s - 60,
			      .newest_s = scripted.now_s,
			      .sealed_s = scripted.now_s};

	buf_init(&text, 1 << 20);
	buf_init(&gz, 1 << 20);
	buf_init(&checkpoint, 1 << 20);
	for (size_t i = 0; kinds[i]; i++)
		buf_addf(&text,
			 "{\"batch\":%" PRIu64 ",\"n\":%zu,\"is\":\"%c\"}\n",
			 batch.seq, i, kinds[i]);
	ck_assert_int_eq(gzip_pack(packer, buf_slice(&text), &gz), 0);
	batch.events[EVENT_DELIVERY] = (uint32_t)strlen(kinds);
	batch.bytes = gz.len;
	scripted_checkpoint(batch.seq, &checkpoint);
	ck_assert_int_eq(spool_seal(scripted.spool, &batch, buf_slice(&gz),
				    buf_slice(&checkpoint)),
			 0);
	gzip_packer_free(&packer);
	buf_release(&text);
	buf_release(&gz);
	buf_release(&checkpoint);
	return batch.seq;
}

int64_t scripted_step(int64_t ms)
{
	scripted.now_ms += ms;
	scripted.now_s += ms / 1000;
	return delivery_step(scripted.delivery, scripted.now_ms,
			     scripted.now_s);
}

void scripted_run(void)
{
	unsigned int before;

	do {
		before = scripted.posted;
		scripted_step(0);
	} while (scripted.posted != before);
}

static DIR *scripted_room(const char *room)
{
	char path[400];

	snprintf(path, sizeof(path), "%s/%s", scripted.directory, room);
	return opendir(path);
}

unsigned int scripted_files(const char *room, const char *part)
{
	DIR *dir = scripted_room(room);
	struct dirent *entry;
	unsigned int n = 0;

	while (dir && (entry = readdir(dir)))
		n += entry->d_name[0] != '.' &&
		     strstr(entry->d_name, part) != NULL;
	if (dir)
		closedir(dir);
	return n;
}

void scripted_read(const char *room, const char *part, struct buf *out)
{
	DIR *dir = scripted_room(room);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		int fd;

		if (entry->d_name[0] == '.' || !strstr(entry->d_name, part))
			continue;
		fd = openat(dirfd(dir), entry->d_name, O_RDONLY);
		if (strstr(entry->d_name, ".gz"))
			unpack(fd, out);
		else
			fs_read_file(dirfd(dir), entry->d_name, out);
		close(fd);
	}
	if (dir)
		closedir(dir);
}

struct ledger scripted_ledger(void)
{
	struct ledger ledger;

	memset(&ledger, 0, sizeof(ledger));
	spool_settle(scripted.spool, &ledger);
	/* Nobody here asks for more than sums. */
	gaps_release(&ledger.gaps);
	ledger_forget_files(&ledger);
	return ledger;
}

struct delivery_state scripted_state(void)
{
	struct delivery_state state;

	delivery_state(scripted.delivery, &state);
	return state;
}
