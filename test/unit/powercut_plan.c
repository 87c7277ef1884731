/* SPDX-License-Identifier: GPL-2.0-only */
#include "unit/powercut_private.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/fs.h"
#include "unit/check_all.h"

/* A number that looks random, but is the same for the same words. */
static uint64_t mix(uint64_t a, uint64_t b)
{
	uint64_t x = a * UINT64_C(0x9e3779b97f4a7c15) + b + 1;

	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

/* --- Names --- */

static bool op_has(const struct powercut_op *op, int side)
{
	return op->entry[side] >= 0;
}

/* Is it a rename that may leave the file under both names? */
static bool op_splits(const struct powercut *p, const struct powercut_op *op)
{
	return p->cut.both && op_has(op, POWERCUT_GONE) &&
	       op_has(op, POWERCUT_HERE) &&
	       p->entries[op->entry[POWERCUT_GONE]].dir !=
		       p->entries[op->entry[POWERCUT_HERE]].dir;
}

static void clear_marks(struct powercut *p)
{
	for (size_t i = 0; i < p->entries_count; i++)
		p->entries[i].mark = false;
}

/* Does the sync of a directory (-1: of all) make this side safe? */
static bool is_synced(const struct powercut *p, const struct powercut_op *op,
		      int side, int dir)
{
	const struct powercut_entry *e;

	if (!op_has(op, side))
		return false;
	e = &p->entries[op->entry[side]];
	return dir < 0 || e->dir == dir || e->mark;
}

/* A directory was synced: its changes are safe, and what they rest on. */
static void sync_names(struct powercut *p, size_t before, int dir)
{
	clear_marks(p);
	for (size_t i = before; i-- > 0;) {
		struct powercut_op *op = &p->ops[i];
		bool gone, here;

		if (op->kind != POWERCUT_NAME)
			continue;
		gone = is_synced(p, op, POWERCUT_GONE, dir);
		here = is_synced(p, op, POWERCUT_HERE, dir) || gone;
		gone |= here && !op_splits(p, op);
		if (gone && op_has(op, POWERCUT_GONE)) {
			op->safe[POWERCUT_GONE] = true;
			p->entries[op->entry[POWERCUT_GONE]].mark = true;
		}
		if (here && op_has(op, POWERCUT_HERE)) {
			op->safe[POWERCUT_HERE] = true;
			p->entries[op->entry[POWERCUT_HERE]].mark = true;
		}
	}
}

static void find_safe(struct powercut *p)
{
	for (size_t i = 0; i < p->ops_count; i++)
		p->ops[i].safe[0] = p->ops[i].safe[1] = false;
	for (size_t i = 0; i < p->cut.at; i++) {
		const struct powercut_op *op = &p->ops[i];

		if (op->kind == POWERCUT_SYNC &&
		    (op->node < 0 || p->nodes[op->node].is_dir))
			sync_names(p, i, op->node);
	}
}

/* Is a change there that was not promised? */
static bool is_lucky(const struct powercut *p, size_t i, int side)
{
	switch (p->cut.names) {
	case POWERCUT_NAMES_SYNCED:
		return false;
	case POWERCUT_NAMES_ISSUED:
		return side == POWERCUT_HERE || !op_splits(p, &p->ops[i]);
	case POWERCUT_NAMES_SOME:
		break;
	}
	return mix(mix(p->cut.seed, i), (uint64_t)side) & 1;
}

/* Both sides of a change, or neither. */
static void keep_whole(const struct powercut *p, size_t i,
		       struct powercut_op *op, const bool *may)
{
	bool kept = op->safe[0] || op->safe[1] || is_lucky(p, i, 0);

	op->kept[0] = op->kept[1] = kept && may[0] && may[1];
}

/* The old name goes only where the new one is there. */
static void keep_split(const struct powercut *p, size_t i,
		       struct powercut_op *op, const bool *may)
{
	op->kept[POWERCUT_HERE] =
		may[POWERCUT_HERE] &&
		(op->safe[POWERCUT_HERE] || is_lucky(p, i, POWERCUT_HERE));
	op->kept[POWERCUT_GONE] =
		op->kept[POWERCUT_HERE] && may[POWERCUT_GONE] &&
		(op->safe[POWERCUT_GONE] || is_lucky(p, i, POWERCUT_GONE));
}

/* Marked entries have lost a change, and with it all that follow. */
static void keep_op(struct powercut *p, size_t i)
{
	struct powercut_op *op = &p->ops[i];
	bool may[POWERCUT_SIDES];

	for (int s = 0; s < POWERCUT_SIDES; s++)
		may[s] = !op_has(op, s) || !p->entries[op->entry[s]].mark;
	if (op_splits(p, op))
		keep_split(p, i, op, may);
	else
		keep_whole(p, i, op, may);
	for (int s = 0; s < POWERCUT_SIDES; s++) {
		if (!op_has(op, s))
			continue;
		if (!op->kept[s])
			p->entries[op->entry[s]].mark = true;
		else
			p->entries[op->entry[s]].node =
				s == POWERCUT_HERE ? op->node : -1;
	}
}

static void plan_names(struct powercut *p)
{
	find_safe(p);
	clear_marks(p);
	for (size_t i = 0; i < p->entries_count; i++)
		p->entries[i].node = -1;
	for (size_t i = 0; i < p->cut.at; i++) {
		if (p->ops[i].kind == POWERCUT_NAME)
			keep_op(p, i);
	}
}

/* --- Bytes --- */

static void resize(struct buf *out, size_t size)
{
	if (size < out->len)
		buf_truncate(out, size);
	while (out->len < size)
		buf_add_char(out, '\0');
}

static void apply(const struct powercut *p, int node, size_t from, size_t to,
		  bool writes, struct buf *out)
{
	for (size_t i = from; i < to; i++) {
		const struct powercut_op *op = &p->ops[i];
		size_t end = (size_t)op->offset + op->len;

		if (op->node != node)
			continue;
		if (op->kind == POWERCUT_SIZE) {
			resize(out, (size_t)op->offset);
		} else if (op->kind == POWERCUT_WRITE && writes) {
			if (end > out->len)
				resize(out, end);
			memcpy(out->p + op->offset, op->bytes, op->len);
		}
	}
}

static size_t synced_at(const struct powercut *p, int node)
{
	size_t at = p->cut.at;

	while (at > 0 &&
	       !(p->ops[at - 1].kind == POWERCUT_SYNC &&
		 (p->ops[at - 1].node == node || p->ops[at - 1].node < 0)))
		at--;
	return at;
}

static enum powercut_bytes bytes_choice(const struct powercut *p, int node)
{
	if (p->cut.bytes != POWERCUT_BYTES_SOME)
		return p->cut.bytes;
	return (enum powercut_bytes)(mix(~p->cut.seed, (uint64_t)node) %
				     POWERCUT_BYTES_SOME);
}

/* What the disk has of a file. */
static struct slice content(struct powercut *p, int node)
{
	enum powercut_bytes choice = bytes_choice(p, node);
	size_t at = synced_at(p, node), base;
	struct buf *out = &p->bytes;

	buf_reset(out);
	apply(p, node, 0, at, true, out);
	if (choice == POWERCUT_BYTES_SYNCED)
		return buf_slice(out);
	if (choice == POWERCUT_BYTES_ISSUED) {
		apply(p, node, at, p->cut.at, true, out);
		return buf_slice(out);
	}
	apply(p, node, at, p->cut.at, false, out);
	base = out->len;
	if (choice == POWERCUT_BYTES_EMPTY)
		return buf_slice(out);
	buf_reset(out);
	apply(p, node, 0, p->cut.at, true, out);
	if (out->len <= base)
		return buf_slice(out);
	if (choice == POWERCUT_BYTES_HALF)
		buf_truncate(out, base + (out->len - base) / 2);
	else
		memset(out->p + base, 0, out->len - base);
	return buf_slice(out);
}

/* --- The image --- */

typedef void visit_entry(struct powercut *p, const struct powercut_entry *entry,
			 const char *path, void *ctx);

static void each_entry(struct powercut *p, int dir, const char *above,
		       visit_entry *visit, void *ctx)
{
	for (size_t i = 0; i < p->entries_count; i++) {
		const struct powercut_entry *e = &p->entries[i];
		char path[1024];

		if (e->dir != dir || e->node < 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", above, e->name);
		visit(p, e, path, ctx);
		if (p->nodes[e->node].is_dir)
			each_entry(p, e->node, path, visit, ctx);
	}
}

static void add_digest(struct powercut *p, const struct powercut_entry *entry,
		       const char *path, void *ctx)
{
	(void)ctx;
	buf_addf(&p->image, "%s %d ", path, entry->node);
	if (!p->nodes[entry->node].is_dir)
		buf_add_slice(&p->image, content(p, entry->node));
	buf_add_char(&p->image, '\n');
}

uint64_t powercut_plan(struct powercut *p, const struct powercut_cut *cut)
{
	ck_assert_uint_le(cut->at, p->ops_count);
	p->cut = *cut;
	plan_names(p);
	buf_reset(&p->image);
	each_entry(p, 0, "", add_digest, NULL);
	ck_assert(!p->image.overflow && !p->bytes.overflow);
	return digest_of(buf_slice(&p->image)).lo;
}

/* The path that was made for the same file before. */
struct make {
	struct powercut *p;
	const struct powercut_entry *wanted;
	char path[1024];
};

static void find_same(struct powercut *p, const struct powercut_entry *entry,
		      const char *path, void *ctx)
{
	struct make *make = ctx;

	(void)p;
	if (!*make->path && entry->node == make->wanted->node)
		snprintf(make->path, sizeof(make->path), "%s", path);
}

static void make_file(struct powercut *p, const struct powercut_entry *entry,
		      const char *path, const char *top)
{
	struct make make = {.wanted = entry};
	struct slice text;
	int fd;

	each_entry(p, 0, top, find_same, &make);
	if (strcmp(make.path, path) != 0) {
		ck_assert_int_eq(link(make.path, path), 0);
		return;
	}
	text = content(p, entry->node);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fs_write_all(fd, text.p, text.len), 0);
	ck_assert_int_eq(close(fd), 0);
}

static void make_entry(struct powercut *p, const struct powercut_entry *entry,
		       const char *path, void *ctx)
{
	const char *top = ctx;

	if (p->nodes[entry->node].is_dir)
		ck_assert_int_eq(mkdir(path, 0750), 0);
	else
		make_file(p, entry, path, top);
}

void powercut_make(struct powercut *p, const char *directory)
{
	char top[768];

	snprintf(top, sizeof(top), "%s", directory);
	each_entry(p, 0, top, make_entry, top);
}
