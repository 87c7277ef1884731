/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>

#include "app/intake_private.h"

/*
 * A commit costs a few syncs and the whole checkpoint, however small its
 * batches are.  So blocks that are due at the same time, of several files or
 * one after the other of a file that is behind, are staged in the spool and
 * committed together: when they are many or large enough, or when nothing more
 * is due.  Where rows come as they are written, a block is a group of its own.
 *
 * Until the commit the members' positions are ahead of the disk, and they are
 * pending (source_pend()).  When it fails they all go back, the last one first,
 * so that a file with several blocks ends before the first of them.  Then they
 * are tried one by one, at once: a disk that has no room for all of them may
 * have it for some.  When it refuses one alone, it is time to wait, and until
 * that one is tried again the disk does not work, whatever it takes of others.
 *
 * A block that was made while its file had a member in the group is of a
 * position that a failed commit takes back.  So whatever comes of it but a
 * member waits for the commit, and is dropped if that fails.
 */

bool intake_group_has(const struct intake *in, const struct source *source)
{
	for (size_t i = 0; i < in->group.count; i++) {
		if (in->group.members[i].source == source)
			return true;
	}
	return false;
}

static void group_clear(struct intake_group *group)
{
	for (size_t i = 0; i < group->count; i++)
		position_release(&group->members[i].before);
	account_release(&group->account);
	group->count = 0;
	group->bytes = 0;
}

/* The disk refuses one block, which is tried again after a while. */
static void group_stuck(struct intake *in, enum intake_work work,
			int64_t now_ms)
{
	in->again_ms = now_ms + INTAKE_RETRY_MS;
	in->refused = true;
	intake_set_stuck(in, work, true);
}

static void group_restore(struct intake *in, int64_t now_ms)
{
	struct intake_group *group = &in->group;
	bool many = group->count > 1;

	sources_set_seq(in->sources, spool_next_seq(in->spool));
	for (size_t i = group->count; i-- > 0;) {
		struct intake_member *member = &group->members[i];

		source_restore(member->source, &member->before, now_ms,
			       many ? 0 : INTAKE_RETRY_MS);
		source_set_block_bytes(member->source, member->block_bytes);
	}
	/* Only now does each of them say where its file stands. */
	for (size_t i = 0; i < group->count; i++)
		source_settle(group->members[i].source);
	group_clear(group);
	in->alone = SPOOL_GROUP;
	if (!many)
		group_stuck(in, INTAKE_SEAL, now_ms);
}

static void group_done(struct intake *in)
{
	struct intake_group *group = &in->group;

	for (size_t i = 0; i < group->count; i++) {
		struct intake_member *member = &group->members[i];

		intake_kept_drop(in, member->before.id.ino, member->batch.from);
		intake_say_sealed(in, member);
		source_settle(member->source);
	}
	group_clear(group);
	intake_set_stuck(in, INTAKE_SEAL, false);
}

int intake_group_commit(struct intake *in, int64_t now_ms, int64_t now_s)
{
	struct books_draft draft;
	int status;

	if (!in->group.count)
		return 0;
	draft = books_draft(&in->books, &in->group.account);
	status = intake_commit(in, &draft, now_s);
	if (status == 0)
		group_done(in);
	else
		group_restore(in, now_ms);
	intake_say_events(in, now_ms);
	return status;
}

/* Does the file stand where it stood, now that the group is durable?  (It may
 * also have begun anew.) */
static bool group_leaves(struct intake *in, const struct source *source,
			 int64_t now_ms, int64_t now_s)
{
	int64_t offset = source_position(source)->offset;

	return intake_group_commit(in, now_ms, now_s) == 0 &&
	       source_position(source)->offset == offset;
}

bool intake_group_settle(struct intake *in, const struct source *source,
			 int64_t now_ms, int64_t now_s)
{
	return !intake_group_has(in, source) ||
	       group_leaves(in, source, now_ms, now_s);
}

/* Is there room for the block that was just read, and the group? */
static bool group_room(struct intake *in, int64_t now_s)
{
	uint64_t bytes = in->group.bytes + block_gz(in->block).len;

	return intake_make_room(in, bytes, now_s) >= 0;
}

/* There is none: read it again, at once if more can be evicted. */
static void group_refuse(struct intake *in, struct source *source,
			 int64_t now_ms)
{
	bool more = errno == EAGAIN;

	if (!in->paused && !more)
		group_stuck(in, INTAKE_ROOM, now_ms);
	source_restore(source, source_position(source), now_ms,
		       more ? 0 : INTAKE_RETRY_MS);
}

/* The file moves on, and the batch is staged. */
static int group_stage(struct intake *in, struct source *source, int64_t now_s)
{
	const struct shape_batch *shaped = block_batch(in->block);
	struct intake_group *group = &in->group;
	struct intake_member *member = &group->members[group->count++];

	/* What has left stays in the books and in the positions, whatever
	 * becomes of the group. */
	if (group->count == 1)
		intake_settle(in);
	member->source = source;
	member->rows = shaped->account.rows;
	position_init(&member->before);
	position_copy(&member->before, source_position(source));
	member->block_bytes = source_block_bytes(source);
	block_measure(in->block, source);
	intake_fill(in, shaped, &member->batch, now_s);
	member->batch.number = member->before.number;
	member->batch.before = intake_edge(&member->before.file);
	source_pend(source);
	source_advance(source, shaped->to, &shaped->file, &shaped->account,
		       now_s);
	member->batch.source = member->before.id;
	group->bytes += member->batch.bytes;
	account_merge(&group->account, &shaped->account);
	if (spool_stage(in->spool, &member->batch, block_gz(in->block)) < 0)
		return -1;
	sources_set_seq(in->sources, spool_next_seq(in->spool));
	return 0;
}

void intake_group_add(struct intake *in, struct source *source, int64_t now_ms,
		      int64_t now_s)
{
	const struct shape_batch *shaped = block_batch(in->block);
	bool alone, full, roomy = group_room(in, now_s);

	/* Perhaps when the others can be evicted. */
	if (!roomy && in->group.count) {
		if (!group_leaves(in, source, now_ms, now_s))
			return;
		roomy = group_room(in, now_s);
	}
	if (in->config->spool.pause)
		intake_set_paused(in, !roomy && errno == ENOSPC);
	if (!roomy) {
		group_refuse(in, source, now_ms);
		return;
	}
	alone = in->stuck || in->alone;
	in->alone -= in->alone > 0;
	if (group_stage(in, source, now_s) < 0) {
		group_restore(in, now_ms);
		return;
	}
	full = in->group.count == SPOOL_GROUP ||
	       in->group.bytes >= INTAKE_GROUP_BYTES;
	/* Not with each try of a disk that refuses. */
	if ((alone || full) && intake_group_commit(in, now_ms, now_s) < 0)
		return;
	intake_say_notes(in, source_position(source)->path, shaped);
}

/* --- Malformed rows that were kept --- */

static size_t kept_find(const struct intake_kept *kept, uint64_t ino,
			int64_t from)
{
	size_t i = 0;

	while (i < kept->count &&
	       (kept->blocks[i].ino != ino || kept->blocks[i].from != from))
		i++;
	return i;
}

bool intake_kept_has(const struct intake *in, uint64_t ino, int64_t from,
		     int64_t to)
{
	size_t i = kept_find(&in->kept, ino, from);

	return i < in->kept.count && in->kept.blocks[i].to >= to;
}

void intake_kept_add(struct intake *in, uint64_t ino, int64_t from, int64_t to)
{
	struct intake_kept *kept = &in->kept;
	size_t most = sizeof(kept->blocks) / sizeof(kept->blocks[0]);

	intake_kept_drop(in, ino, from);
	/* Too many that are never read again: keep some twice rather. */
	if (kept->count == most)
		kept->count = 0;
	kept->blocks[kept->count].ino = ino;
	kept->blocks[kept->count].to = to;
	kept->blocks[kept->count++].from = from;
}

void intake_kept_drop(struct intake *in, uint64_t ino, int64_t from)
{
	struct intake_kept *kept = &in->kept;
	size_t i = kept_find(kept, ino, from);

	if (i < kept->count)
		kept->blocks[i] = kept->blocks[--kept->count];
}
