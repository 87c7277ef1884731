/* SPDX-License-Identifier: GPL-2.0-only */
#include "unit/powercut_private.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "fault/wrap.h"
#include "unit/check_all.h"

enum { FILE_MAX = 16 << 20 };

static struct powercut *recording;

/* --- Nodes and entries --- */

static int node_add(struct powercut *p, const struct stat *st)
{
	p->nodes = mem_resize_array(p->nodes, p->nodes_count + 1,
				    sizeof(*p->nodes));
	p->nodes[p->nodes_count] =
		(struct powercut_node){.is_dir = S_ISDIR(st->st_mode),
				       .dev = st->st_dev,
				       .ino = st->st_ino};
	return (int)p->nodes_count++;
}

static int node_find(const struct powercut *p, const struct stat *st)
{
	for (size_t i = 0; i < p->nodes_count; i++) {
		const struct powercut_node *node = &p->nodes[i];

		if (!node->is_gone && node->dev == st->st_dev &&
		    node->ino == st->st_ino)
			return (int)i;
	}
	return -1;
}

static int node_of_fd(const struct powercut *p, int fd)
{
	struct stat st;

	ck_assert_int_eq(fstat(fd, &st), 0);
	return node_find(p, &st);
}

/* The directory a name is in, or -1; the name's last part. */
static int node_above(const struct powercut *p, int dir, const char **name)
{
	const char *slash = strrchr(*name, '/');
	char above[512] = ".";
	struct stat st;

	if (slash) {
		snprintf(above, sizeof(above), "%.*s", (int)(slash - *name),
			 *name);
		*name = slash + 1;
	} else if (dir != AT_FDCWD) {
		return node_of_fd(p, dir);
	}
	ck_assert_int_eq(fstatat(dir, above, &st, 0), 0);
	return node_find(p, &st);
}

static int entry_of(struct powercut *p, int dir, const char *name)
{
	for (size_t i = 0; i < p->entries_count; i++) {
		if (p->entries[i].dir == dir &&
		    strcmp(p->entries[i].name, name) == 0)
			return (int)i;
	}
	p->entries = mem_resize_array(p->entries, p->entries_count + 1,
				      sizeof(*p->entries));
	p->entries[p->entries_count] = (struct powercut_entry){
		.dir = dir, .name = mem_str(name), .live = -1, .node = -1};
	return (int)p->entries_count++;
}

/* --- Operations --- */

static struct powercut_op *op_add(struct powercut *p, enum powercut_kind kind,
				  int node)
{
	struct powercut_op *op;

	p->ops = mem_resize_array(p->ops, p->ops_count + 1, sizeof(*p->ops));
	op = &p->ops[p->ops_count++];
	*op = (struct powercut_op){
		.kind = kind, .node = node, .entry = {-1, -1}};
	return op;
}

/* Without a name its number may soon be another's. */
static void node_forget(struct powercut *p, int node)
{
	for (size_t i = 0; i < p->entries_count; i++) {
		if (p->entries[i].live == node)
			return;
	}
	p->nodes[node].is_gone = true;
}

/* "gone" and "here" are entries or -1. */
static void op_name(struct powercut *p, int node, int gone, int here)
{
	struct powercut_op *op = op_add(p, POWERCUT_NAME, node);
	int before = -1;

	op->entry[POWERCUT_GONE] = gone;
	op->entry[POWERCUT_HERE] = here;
	if (gone >= 0)
		p->entries[gone].live = -1;
	if (here >= 0) {
		before = p->entries[here].live;
		p->entries[here].live = node;
	}
	if (before >= 0)
		node_forget(p, before);
	node_forget(p, node);
}

static void op_write(struct powercut *p, int node, off_t offset,
		     const void *bytes, size_t len)
{
	struct powercut_op *op = op_add(p, POWERCUT_WRITE, node);

	op->offset = offset;
	op->bytes = mem_alloc(len);
	op->len = len;
	memcpy(op->bytes, bytes, len);
}

/* --- What the watch sees --- */

static void on_opened(int fd, int dir, const char *name, int flags)
{
	struct stat st;
	int above, entry;

	if (!(flags & (O_CREAT | O_TRUNC)))
		return;
	above = node_above(recording, dir, &name);
	if (above < 0)
		return;
	entry = entry_of(recording, above, name);
	if (recording->entries[entry].live < 0) {
		ck_assert_int_eq(fstat(fd, &st), 0);
		op_name(recording, node_add(recording, &st), -1, entry);
	} else if (flags & O_TRUNC) {
		op_add(recording, POWERCUT_SIZE,
		       recording->entries[entry].live);
	}
}

static void on_wrote(int fd, const void *p, size_t n)
{
	int node = node_of_fd(recording, fd);

	if (node >= 0)
		op_write(recording, node, lseek(fd, 0, SEEK_CUR) - (off_t)n, p,
			 n);
}

static void on_resized(int fd, off_t size)
{
	int node = node_of_fd(recording, fd);

	if (node >= 0)
		op_add(recording, POWERCUT_SIZE, node)->offset = size;
}

static void on_synced(int fd)
{
	int node = node_of_fd(recording, fd);

	if (node >= 0)
		op_add(recording, POWERCUT_SYNC, node);
}

static void on_made_dir(int dir, const char *name)
{
	const char *base = name;
	int above = node_above(recording, dir, &base);
	struct stat st;

	if (above < 0)
		return;
	ck_assert_int_eq(fstatat(dir, name, &st, 0), 0);
	op_name(recording, node_add(recording, &st), -1,
		entry_of(recording, above, base));
}

static void on_renamed(int from, const char *old, int to, const char *name)
{
	int above_old = node_above(recording, from, &old);
	int above = node_above(recording, to, &name);
	int gone, here;

	if (above_old < 0 && above < 0)
		return;
	ck_assert_msg(above_old >= 0 && above >= 0,
		      "powercut: %s moved to %s, out of the directory or in",
		      old, name);
	gone = entry_of(recording, above_old, old);
	here = entry_of(recording, above, name);
	ck_assert_int_ge(recording->entries[gone].live, 0);
	/* Two names of one file: rename(2) does nothing. */
	if (recording->entries[gone].live != recording->entries[here].live)
		op_name(recording, recording->entries[gone].live, gone, here);
}

static void on_unlinked(int dir, const char *name)
{
	int above = node_above(recording, dir, &name);
	int entry;

	if (above < 0)
		return;
	entry = entry_of(recording, above, name);
	ck_assert_int_ge(recording->entries[entry].live, 0);
	op_name(recording, recording->entries[entry].live, entry, -1);
}

static const struct wrap_watch watch = {.opened = on_opened,
					.wrote = on_wrote,
					.resized = on_resized,
					.synced = on_synced,
					.made_dir = on_made_dir,
					.renamed = on_renamed,
					.unlinked = on_unlinked};

/* --- A recording --- */

static void scan(struct powercut *p, const char *path, int node);

static void scan_entry(struct powercut *p, const char *path, int above,
		       const char *name)
{
	struct stat st;
	struct buf text;
	int node;

	ck_assert_int_eq(lstat(path, &st), 0);
	/* A file under two names is one file. */
	node = node_find(p, &st);
	if (node >= 0) {
		op_name(p, node, -1, entry_of(p, above, name));
		return;
	}
	node = node_add(p, &st);
	op_name(p, node, -1, entry_of(p, above, name));
	if (S_ISDIR(st.st_mode)) {
		scan(p, path, node);
		return;
	}
	buf_init(&text, FILE_MAX);
	ck_assert_int_eq(fs_read_file(AT_FDCWD, path, &text), 0);
	if (text.len)
		op_write(p, node, 0, text.p, text.len);
	buf_release(&text);
}

static void scan(struct powercut *p, const char *path, int node)
{
	struct dirent **entries;
	int n = scandir(path, &entries, NULL, alphasort);

	ck_assert_int_ge(n, 0);
	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;
		char below[768];

		if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0) {
			snprintf(below, sizeof(below), "%s/%s", path, name);
			scan_entry(p, below, node, name);
		}
		free(entries[i]);
	}
	free(entries);
}

struct powercut *powercut_begin(const char *directory)
{
	struct powercut *p = mem_zero(1, sizeof(*p));
	struct stat st;

	ck_assert_ptr_null(recording);
	buf_init(&p->bytes, FILE_MAX);
	buf_init(&p->image, 4 * FILE_MAX);
	ck_assert_int_eq(stat(directory, &st), 0);
	scan(p, directory, node_add(p, &st));
	op_add(p, POWERCUT_SYNC, -1);
	p->first = p->ops_count;
	recording = p;
	wrap_watch(&watch);
	return p;
}

void powercut_end(struct powercut *p)
{
	ck_assert_ptr_eq(recording, p);
	wrap_watch(NULL);
	recording = NULL;
}

void powercut_free(struct powercut **p)
{
	struct powercut *old = *p;

	if (!old)
		return;
	if (recording == old)
		powercut_end(old);
	for (size_t i = 0; i < old->ops_count; i++)
		mem_free(old->ops[i].bytes);
	for (size_t i = 0; i < old->entries_count; i++)
		mem_free(old->entries[i].name);
	mem_free(old->ops);
	mem_free(old->nodes);
	mem_free(old->entries);
	buf_release(&old->bytes);
	buf_release(&old->image);
	mem_free(old);
	*p = NULL;
}

size_t powercut_first(const struct powercut *p)
{
	return p->first;
}

size_t powercut_length(const struct powercut *p)
{
	return p->ops_count;
}

/* --- Words --- */

static void say_entry(const struct powercut *p, int entry, char *out, size_t n)
{
	const struct powercut_entry *e;
	char above[256] = "";

	snprintf(out, n, "nothing");
	if (entry < 0)
		return;
	e = &p->entries[entry];
	for (size_t i = 0; i < p->entries_count; i++) {
		if (e->dir && p->entries[i].live == e->dir)
			snprintf(above, sizeof(above), "%s/",
				 p->entries[i].name);
	}
	snprintf(out, n, "%s%s", above, e->name);
}

/* Any name it has or had. */
static int node_entry(const struct powercut *p, int node)
{
	for (size_t i = 0; i < p->ops_count; i++) {
		if (p->ops[i].kind == POWERCUT_NAME && p->ops[i].node == node &&
		    p->ops[i].entry[1] >= 0)
			return p->ops[i].entry[1];
	}
	return -1;
}

const char *powercut_say(const struct powercut *p, size_t at)
{
	static char text[1200];
	char gone[512], here[512];
	const struct powercut_op *op = &p->ops[at - 1];

	if (at <= p->first)
		return "the beginning";
	say_entry(p, node_entry(p, op->node), here, sizeof(here));
	switch (op->kind) {
	case POWERCUT_NAME:
		say_entry(p, op->entry[POWERCUT_GONE], gone, sizeof(gone));
		say_entry(p, op->entry[POWERCUT_HERE], here, sizeof(here));
		snprintf(text, sizeof(text), "%s becomes %s", gone, here);
		break;
	case POWERCUT_WRITE:
		snprintf(text, sizeof(text), "write %zu at %lld of %s", op->len,
			 (long long)op->offset, here);
		break;
	case POWERCUT_SIZE:
		snprintf(text, sizeof(text), "truncate %s", here);
		break;
	case POWERCUT_SYNC:
		snprintf(text, sizeof(text), "sync %s", here);
		break;
	}
	return text;
}
