/* SPDX-License-Identifier: GPL-2.0-only */
#include "unit/powercut_run.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/check_all.h"
#include "unit/fault.h"

static char root[64], live[80];

/* Images, and images of what a recovery did to one of those. */
enum { DEPTHS = 2 };
static struct depth {
	char image[80];
	char where[3000];
	uint64_t seen[1 << 16];
	size_t images;
} depths[DEPTHS];
static struct depth *depth;

static const struct {
	const char *name;
	enum powercut_names names;
	enum powercut_bytes bytes;
	bool both;
} variants[] = {
	{"some", POWERCUT_NAMES_SOME, POWERCUT_BYTES_SOME, false},
	{"synced", POWERCUT_NAMES_SYNCED, POWERCUT_BYTES_SYNCED, false},
	{"all", POWERCUT_NAMES_ISSUED, POWERCUT_BYTES_ISSUED, false},
	{"names, empty", POWERCUT_NAMES_ISSUED, POWERCUT_BYTES_EMPTY, false},
	{"names, half", POWERCUT_NAMES_ISSUED, POWERCUT_BYTES_HALF, false},
	{"names, zeros", POWERCUT_NAMES_ISSUED, POWERCUT_BYTES_ZEROS, false},
	{"names, old", POWERCUT_NAMES_ISSUED, POWERCUT_BYTES_SYNCED, false},
	{"bytes", POWERCUT_NAMES_SYNCED, POWERCUT_BYTES_ISSUED, false},
	{"both, synced", POWERCUT_NAMES_SYNCED, POWERCUT_BYTES_SYNCED, true},
	{"both, all", POWERCUT_NAMES_ISSUED, POWERCUT_BYTES_ISSUED, true},
	{"both, some", POWERCUT_NAMES_SOME, POWERCUT_BYTES_SOME, true},
};

bool powercut_is_long(void)
{
	return getenv("LONG") != NULL;
}

/* --- Places --- */

static int remove_one(const char *path, const struct stat *st, int flag,
		      struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static int remove_below(const char *path, const struct stat *st, int flag,
			struct FTW *ftw)
{
	(void)st;
	(void)flag;
	return ftw->level ? remove(path) : 0;
}

static void remove_all(const char *directory)
{
	ck_assert_int_eq(nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS),
			 0);
}

void powercut_empty(const char *directory)
{
	ck_assert_int_eq(
		nftw(directory, remove_below, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* Thousands of little trees: in memory, where that is possible. */
static const char *place_for_trees(void)
{
	const char *tmp = getenv("TMPDIR");

	if (tmp)
		return tmp;
	return access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
}

void powercut_places(void)
{
	fault_skip_syncs(true);
	ck_assert_int_lt(snprintf(root, sizeof(root), "%s/powercut.XXXXXX",
				  place_for_trees()),
			 (int)sizeof(root));
	ck_assert_ptr_nonnull(mkdtemp(root));
	snprintf(live, sizeof(live), "%s/live", root);
	ck_assert_int_eq(mkdir(live, 0700), 0);
	for (int i = 0; i < DEPTHS; i++) {
		snprintf(depths[i].image, sizeof(depths[i].image), "%s/cut%d",
			 root, i);
		ck_assert_int_eq(mkdir(depths[i].image, 0700), 0);
	}
	depth = NULL;
}

void powercut_clear(void)
{
	remove_all(root);
}

const char *powercut_root(void)
{
	return root;
}

const char *powercut_live(void)
{
	return live;
}

const char *powercut_image(void)
{
	return depth->image;
}

const char *powercut_where(void)
{
	return depth ? depth->where : "live";
}

/* --- A run --- */

static void say_where(const struct powercut_run *run,
		      const struct powercut_cut *cut, const char *variant)
{
	bool inner = depth != depths;
	size_t first = powercut_first(run->log);

	snprintf(depth->where, sizeof(depth->where),
		 "%s%safter %zu of %zu (%s), %s, seed %llu",
		 inner ? depths->where : "", inner ? "; then " : "",
		 cut->at - first, powercut_length(run->log) - first,
		 powercut_say(run->log, cut->at), variant,
		 (unsigned long long)cut->seed);
	if (getenv("POWERCUT_SAY"))
		fprintf(stderr, "%s\n", depth->where);
}

static bool is_known(uint64_t image, uint64_t promised)
{
	uint64_t key = image * 31 + promised;
	size_t slot = key % NROF(depth->seen);

	while (depth->seen[slot] && depth->seen[slot] != key)
		slot = (slot + 1) % NROF(depth->seen);
	if (depth->seen[slot])
		return true;
	ck_assert_uint_lt(++depth->images, NROF(depth->seen));
	depth->seen[slot] = key;
	return false;
}

static void run_cut(const struct powercut_run *run,
		    const struct powercut_cut *cut, const char *variant)
{
	if (is_known(powercut_plan(run->log, cut),
		     run->promised(run->ctx, cut->at)))
		return;
	say_where(run, cut, variant);
	powercut_make(run->log, depth->image);
	run->visit(run->ctx, cut->at);
	powercut_empty(depth->image);
}

static void run_variant(const struct powercut_run *run, size_t at, size_t v)
{
	struct powercut_cut cut = {.at = at,
				   .names = variants[v].names,
				   .bytes = variants[v].bytes,
				   .both = variants[v].both};
	unsigned int seeds = cut.names == POWERCUT_NAMES_SOME && !run->only_some
				     ? run->seeds
				     : 1;

	if (cut.both && !run->both)
		return;
	for (unsigned int s = 0; s < seeds; s++) {
		cut.seed = run->only_some ? at : s;
		run_cut(run, &cut, variants[v].name);
	}
}

void powercut_run(const struct powercut_run *run)
{
	size_t step = run->step && !powercut_is_long() ? run->step : 1;

	depth = depth ? depth + 1 : depths;
	ck_assert(depth < depths + DEPTHS);
	memset(depth->seen, 0, sizeof(depth->seen));
	depth->images = 0;
	for (size_t at = run->from; at <= run->to; at += step) {
		for (size_t v = 0; v < (run->only_some ? 1 : NROF(variants));
		     v++)
			run_variant(run, at, v);
	}
	if (getenv("POWERCUT_COUNT"))
		fprintf(stderr, "%zu moments, %zu images\n",
			run->to - run->from + 1, depth->images);
	depth = depth == depths ? NULL : depth - 1;
}
