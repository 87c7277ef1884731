/* SPDX-License-Identifier: GPL-2.0-only */
#include "unit/world.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "spool/checkpoint_write.h"

struct world world;

static char *world_globs[8];
static size_t world_globs_count;
static struct sources_limits world_limits_now;

/* --- Who tells of changes --- */

enum { WORLD_WATCHED = 64 };

/* What source_changes() was when a position was this one. */
static struct world_seen {
	uint64_t number, changes;
	struct digest text;
} world_seen[WORLD_WATCHED];
static size_t world_seen_count;

static void world_see(const struct source *source, struct world_seen *seen)
{
	struct checkpoint_headers headers = {0};
	struct buf text;

	buf_init(&text, 1 << 20);
	buf_init(&headers.text, 1 << 20);
	checkpoint_write_position(&text, source_position(source), &headers);
	buf_add_slice(&text, buf_slice(&headers.text));
	*seen = (struct world_seen){source_position(source)->number,
				    source_changes(source),
				    digest_of(buf_slice(&text))};
	checkpoint_headers_release(&headers);
	buf_release(&text);
}

/* Another position has another number of changes. */
static void world_check_changes(void)
{
	size_t count = sources_count(world.s);

	if (count > WORLD_WATCHED)
		return;
	for (size_t i = 0; i < count; i++) {
		struct world_seen now, *was = &world_seen[i];

		world_see(sources_get(world.s, i), &now);
		ck_assert_uint_ne(now.changes, 0);
		ck_assert_msg(i >= world_seen_count ||
				      was->number != now.number ||
				      was->changes != now.changes ||
				      (was->text.lo == now.text.lo &&
				       was->text.hi == now.text.hi),
			      "%s changed without a word",
			      source_position(sources_get(world.s, i))->path);
		*was = now;
	}
	world_seen_count = count;
}

void world_begin(void)
{
	snprintf(world.root, sizeof(world.root), "/tmp/world-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(world.root));
	world.ms = 1000000;
	world.unix_s = time(NULL);
	world.block = 1 << 20;
	buf_init(&world.got, 64 << 20);
	buf_init(&world.order, 64 << 20);
}

static void world_forget_globs(void)
{
	while (world_globs_count)
		mem_free(world_globs[--world_globs_count]);
}

void world_end(void)
{
	char command[128];

	sources_free(&world.s);
	world_forget_globs();
	buf_release(&world.got);
	buf_release(&world.order);
	snprintf(command, sizeof(command), "rm -rf %s", world.root);
	ck_assert_int_eq(system(command), 0);
}

const char *world_path(const char *name)
{
	static char paths[8][256];
	static unsigned int next;
	char *path = paths[next++ % NROF(paths)];

	snprintf(path, sizeof(paths[0]), "%s/%s", world.root, name);
	return path;
}

void world_put(const char *name, const char *text)
{
	int fd = open(world_path(name), O_CREAT | O_WRONLY | O_APPEND, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fs_write_all(fd, text, strlen(text)), 0);
	ck_assert_int_eq(close(fd), 0);
}

void world_cut(const char *name, int64_t size)
{
	ck_assert_int_eq(truncate(world_path(name), size), 0);
}

void world_move(const char *from, const char *to)
{
	ck_assert_int_eq(rename(world_path(from), world_path(to)), 0);
}

void world_remove(const char *name)
{
	ck_assert_int_eq(unlink(world_path(name)), 0);
}

void world_age(const char *name, int64_t seconds)
{
	struct timespec t[2] = {{.tv_sec = time(NULL) - seconds},
				{.tv_sec = time(NULL) - seconds}};

	ck_assert_int_eq(utimensat(AT_FDCWD, world_path(name), t, 0), 0);
}

uint64_t world_inode(const char *name)
{
	struct stat st;

	ck_assert_int_eq(stat(world_path(name), &st), 0);
	return st.st_ino;
}

struct sources_limits world_limits(void)
{
	return (struct sources_limits){.max_delay_ms = 5000,
				       .close_after_ms = 60000,
				       .rescan_ms = 60000,
				       .block_bytes = 1 << 20,
				       .max_open = 64};
}

void world_open_with(const char *const *globs, size_t count,
		     const struct sources_limits *limits, bool first_start)
{
	struct source_settings settings[NROF(world_globs)] = {0};

	world_forget_globs();
	for (size_t i = 0; i < count; i++) {
		world_globs[i] = mem_str(world_path(globs[i]));
		settings[i].path = world_globs[i];
	}
	world_globs_count = count;
	world_seen_count = 0;
	world_limits_now = *limits;
	world.s = sources_new(settings, count, limits, first_start);
}

void world_open(const char *glob)
{
	struct sources_limits limits = world_limits();

	world_open_with(&glob, 1, &limits, false);
}

static void world_again(bool inherit)
{
	struct sources *old = world.s;
	struct source_settings settings[NROF(world_globs)] = {0};
	size_t count = sources_count(world.s);
	struct position *positions = mem_zero(count, sizeof(*positions));

	for (size_t i = 0; i < count; i++) {
		position_init(&positions[i]);
		position_copy(&positions[i],
			      source_position(sources_get(world.s, i)));
	}
	if (!inherit)
		sources_free(&old);
	for (size_t i = 0; i < world_globs_count; i++)
		settings[i].path = world_globs[i];
	world.s = sources_new(settings, world_globs_count, &world_limits_now,
			      false);
	if (inherit)
		sources_inherit(world.s, old);
	else
		sources_adopt(world.s, positions, count, 0);
	world_seen_count = 0;
	sources_free(&old);
	for (size_t i = 0; i < count; i++)
		position_release(&positions[i]);
	mem_free(positions);
}

void world_restart(void)
{
	world_again(false);
}

void world_reload(void)
{
	world_again(true);
}

void world_pass(int64_t ms)
{
	world.ms += ms;
}

void world_rescan(void)
{
	world_check_changes();
	sources_rescan(world.s, world.ms,
		       world.unix_s + world.ms / 1000 - 1000);
	world_check_changes();
}

void world_notice(const char *name)
{
	char directory[256];
	char *slash;

	snprintf(directory, sizeof(directory), "%s", world_path(name));
	slash = strrchr(directory, '/');
	*slash = '\0';
	sources_notice(world.s, directory, slash + 1, world.ms,
		       world.unix_s + world.ms / 1000 - 1000);
	world_check_changes();
}

/* How many bytes of "bytes" are whole rows; the last header among them. */
static size_t world_whole(struct slice bytes, bool final, int64_t offset,
			  struct shape_file *file)
{
	size_t done = 0;

	while (done < bytes.len) {
		struct slice rest = slice_skip(bytes, done), line;
		size_t end = slice_find(rest, '\n');

		if (end == rest.len && !final)
			break;
		line = slice_of(rest.p, end);
		if (slice_starts(line, SLICE("type,"))) {
			buf_reset(&file->header);
			buf_add_slice(&file->header, line);
			file->header_offset = offset + (int64_t)done;
		} else {
			buf_add_slice(&world.got, line);
			buf_add_char(&world.got, '\n');
		}
		done += end == rest.len ? end : end + 1;
	}
	return done;
}

bool world_read_one(void)
{
	struct source *source = sources_due(world.s, world.ms);
	const struct position *at;
	struct account account = {0};
	struct shape_file file;
	char *bytes;
	int64_t n;

	world_check_changes();
	if (!source)
		return false;
	at = source_position(source);
	bytes = mem_alloc(world.block);
	n = source_read(source, bytes, world.block, at->offset);
	if (n >= 0) {
		int64_t offset = at->offset;

		shape_file_init(&file);
		shape_file_copy(&file, &at->file);
		n = (int64_t)world_whole(slice_of(bytes, (size_t)n),
					 source_final(source) &&
						 (size_t)n < world.block,
					 offset, &file);
		account.rows = account.shipped = 1;
		source_advance(source, offset + n, &file, &account,
			       world.unix_s);
		world.blocks += n > 0;
		if (n > 0)
			buf_addf(&world.order, "%s\n",
				 strrchr(at->path, '/') + 1);
		shape_file_release(&file);
	}
	mem_free(bytes);
	world_check_changes();
	return true;
}

size_t world_read(void)
{
	size_t before = world.blocks;

	for (int i = 0; world_read_one(); i++)
		ck_assert_msg(i < 1000000, "the same is due again and again");
	return world.blocks - before;
}

void world_rows(const char *want)
{
	const char *got = buf_str(&world.got);
	size_t same = 0;

	while (got[same] && got[same] == want[same])
		same++;
	ck_assert_msg(!got[same] && !want[same],
		      "read ...\n%.200s\nexpected ...\n%.200s", got + same,
		      want + same);
	buf_reset(&world.got);
	buf_reset(&world.order);
	world.blocks = 0;
}

static int world_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Lines in order, to be freed. */
static char *world_sorted(const char *text)
{
	char *copy = mem_str(text), *save = NULL, *lines[20000], *sorted, *end;
	size_t count = 0;

	for (char *line = strtok_r(copy, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		ck_assert_uint_lt(count, NROF(lines));
		lines[count++] = line;
	}
	if (count)
		qsort(lines, count, sizeof(*lines), world_compare);
	sorted = end = mem_alloc(strlen(text) + 2);
	*end = '\0';
	for (size_t i = 0; i < count; i++)
		end = stpcpy(stpcpy(end, lines[i]), "\n");
	mem_free(copy);
	return sorted;
}

void world_rows_any_order(const char *want)
{
	char *sorted = world_sorted(buf_str(&world.got));
	char *wanted = world_sorted(want);

	buf_reset(&world.got);
	buf_add_str(&world.got, sorted);
	world_rows(wanted);
	mem_free(sorted);
	mem_free(wanted);
}

void world_said(const char *want)
{
	static const char *const kinds[] = {
		"found",    "finished",	 "renamed", "truncated",
		"replaced", "rewritten", "gone",    "unreadable",
		"readable", "not-a-file"};
	struct sources_event event;
	struct buf said;

	buf_init(&said, 1 << 20);
	while (sources_event(world.s, &event)) {
		const char *detail = event.detail[0] == '/'
					     ? strrchr(event.detail, '/')
					     : NULL;

		buf_addf(&said, "%s %s", kinds[event.kind],
			 strrchr(event.path, '/') + 1);
		if (*event.detail)
			buf_addf(&said, ": %s",
				 detail ? detail + 1 : event.detail);
		buf_add_char(&said, '\n');
	}
	ck_assert_str_eq(buf_str(&said), want);
	buf_release(&said);
}

struct source *world_source(const char *name)
{
	struct source *found = NULL;

	for (size_t i = 0; i < sources_count(world.s); i++) {
		struct source *one = sources_get(world.s, i);
		const struct position *at = source_position(one);

		if (strcmp(at->path, world_path(name)) == 0 &&
		    (!found || at->state != POSITION_GONE))
			found = one;
	}
	ck_assert_msg(found != NULL, "no source %s", name);
	return found;
}

void world_state(const char *name, enum position_state state)
{
	ck_assert_str_eq(
		position_state_name(source_position(world_source(name))->state),
		position_state_name(state));
}

int world_open_files(void)
{
	int count = 0;

	for (int fd = 3; fd < 256; fd++) {
		char link[256], path[64];
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		n = readlink(path, link, sizeof(link) - 1);
		link[n > 0 ? n : 0] = '\0';
		count += strncmp(link, world.root, strlen(world.root)) == 0;
	}
	return count;
}
