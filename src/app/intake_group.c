/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>

#include "app/intake_private.h"

/*
 * A commit costs a few syncs and the whole checkpoint, however small its
 * batches are.  So the blocks of several files that are due at the same time
 * are staged in the spool one after another, and committed together: when the
 * next one due is of a file that is a member already, when they are many or
 * large enough, or when nothing more is due.  The block of one busy file is a
 * group of its own.
 *
 * Until the commit the members' positions are ahead of the disk, and they are
 * pending (source_pend()).  When it fails they all go back.  While the disk
 * refuses, each block is tried alone.
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

static void group_restore(struct intake *in, int64_t now_ms)
{
	struct intake_group *group = &in->group;

	sources_set_seq(in->sources, spool_next_seq(in->spool));
	for (size_t i = 0; i < group->count; i++) {
		struct intake_member *member = &group->members[i];

		source_restore(member->source, &member->before, now_ms,
			       INTAKE_RETRY_MS);
		source_settle(member->source);
	}
	group_clear(group);
	intake_set_stuck(in, INTAKE_SEAL, true);
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

void intake_group_commit(struct intake *in, int64_t now_ms, int64_t now_s)
{
	struct books_draft draft;

	if (!in->group.count)
		return;
	draft = books_draft(&in->books, &in->group.account);
	if (intake_commit(in, &draft, now_s) == 0)
		group_done(in);
	else
		group_restore(in, now_ms);
	intake_say_events(in, now_ms);
}

/* Is there room for the block that was just read?  If not with the others in
 * the group, then perhaps when they can be evicted. */
static bool group_room(struct intake *in, int64_t now_ms, int64_t now_s)
{
	uint64_t bytes = block_gz(in->block).len;
	bool roomy = intake_make_room(in, in->group.bytes + bytes, now_s) >= 0;

	if (!roomy && in->group.count) {
		intake_group_commit(in, now_ms, now_s);
		roomy = intake_make_room(in, bytes, now_s) >= 0;
	}
	if (in->config->spool.pause)
		intake_set_paused(in, !roomy && errno == ENOSPC);
	return roomy;
}

/* There is none: read it again, at once if more can be evicted. */
static void group_refuse(struct intake *in, struct source *source,
			 int64_t now_ms)
{
	bool more = errno == EAGAIN;

	if (!in->paused && !more)
		intake_set_stuck(in, INTAKE_ROOM, true);
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
	bool alone;

	if (!group_room(in, now_ms, now_s)) {
		group_refuse(in, source, now_ms);
		return;
	}
	alone = in->stuck;
	if (group_stage(in, source, now_s) < 0) {
		group_restore(in, now_ms);
		return;
	}
	if (alone || in->group.count == SPOOL_GROUP ||
	    in->group.bytes >= INTAKE_GROUP_BYTES)
		intake_group_commit(in, now_ms, now_s);
	/* Not with each try of a disk that refuses. */
	if (!in->stuck)
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
