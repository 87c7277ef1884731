/* SPDX-License-Identifier: GPL-2.0-only */
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

#include "base/fs.h"
#include "base/mem.h"
#include "follow/ident.h"
#include "follow/sources_private.h"

/*
 * A name is met, by a rescan or a notice.  Which file is it?
 *
 * 1. The one that had this name, by device and inode: look what changed.
 * 2. One we know by device and inode under another name.  If that name still
 *    leads to it: a second name, ignored.  Else it was renamed, provided that
 *    its bytes are those we know: the inode may have been used again.
 * 3. One that had this name and has the same bytes, with another inode or
 *    device: restored or copied back, or the devices count anew since a boot.
 * 4. A file never seen before.
 */

struct scan_name {
	struct sources *s;
	const char *path;
	size_t setting;
	const struct stat *st;
	int fd; /* opened to look at its bytes, or -1 */
	bool tried;
};

static void scan_say(struct sources *s, const char *path,
		     enum sources_event_kind kind, int error)
{
	char text[128];

	if (odds_met(&s->odds, path, error, s->scan))
		news_add(&s->news, kind, path,
			 error ? strerror_r(error, text, sizeof(text)) : "", 0);
}

/* Its bytes may be looked at: yes or no. */
static bool scan_open(struct scan_name *name)
{
	struct stat st;

	if (name->tried)
		return name->fd >= 0;
	name->tried = true;
	name->fd = source_open_path(name->path, &st);
	if (name->fd >= 0 &&
	    (st.st_dev != name->st->st_dev || st.st_ino != name->st->st_ino))
		fs_close(&name->fd);
	return name->fd >= 0;
}

static bool scan_bytes_fit(struct scan_name *name, const struct source *source)
{
	return ident_begins(name->fd, &source->at.id) > 0 &&
	       ident_check(name->fd, &source->at) == IDENT_SAME;
}

/* The glob that a path belongs to, globs_count when none. */
static size_t scan_glob_of(const struct sources *s, const char *path)
{
	size_t i = 0;

	while (i < s->globs_count &&
	       !pattern_matches(&s->globs[i].pattern, path))
		i++;
	return i;
}

/* Does the source's own name lead to the file of that stat?  One that no glob
 * matches any more, since the configuration was changed, does not count. */
static bool scan_leads(const struct source *source, const struct stat *st)
{
	const struct sources *s = source->all;
	struct stat own;

	return source->named && stat(source->at.path, &own) == 0 &&
	       own.st_dev == st->st_dev && own.st_ino == st->st_ino &&
	       scan_glob_of(s, source->at.path) < s->globs_count;
}

/* Step 2; true: it is a second name of alias_out. */
static struct source *scan_by_id(struct scan_name *name,
				 struct source **alias_out)
{
	const struct stat *st = name->st;
	uint64_t key = sources_id_key(st->st_dev, st->st_ino);
	struct source *one;

	*alias_out = NULL;
	for (size_t at = 0; (one = table_next(&name->s->by_id, key, &at));) {
		if (!source_is(one, st))
			continue;
		if (strcmp(one->at.path, name->path) != 0 &&
		    scan_leads(one, st)) {
			*alias_out = one;
			return NULL;
		}
		/* An inode that we hold open cannot be used again. */
		if (one->fd >= 0)
			return one;
		/* What cannot be looked at is believed, and checked later. */
		if (!scan_open(name) || scan_bytes_fit(name, one))
			return one;
	}
	return NULL;
}

/* Has the copy all that is still unread in the original? */
static bool scan_has_rest(struct scan_name *name, const struct source *source)
{
	struct stat st;

	if (source->fd < 0 || fstat(source->fd, &st) < 0 ||
	    st.st_size <= source->at.offset)
		return true;
	return name->st->st_size >= st.st_size &&
	       ident_agree(source->fd, name->fd, source->at.offset,
			   st.st_size) > 0;
}

/* Step 3. */
static struct source *scan_by_bytes(struct scan_name *name)
{
	uint64_t key = table_key(slice_str(name->path));
	struct source *one;

	for (size_t at = 0; (one = table_next(&name->s->by_path, key, &at));) {
		if (strcmp(one->at.path, name->path) != 0)
			continue;
		if (!scan_open(name)) {
			if (!one->bound && one->at.id.ino == name->st->st_ino)
				return one;
		} else if (one->at.id.head_len && scan_bytes_fit(name, one) &&
			   scan_has_rest(name, one)) {
			return one;
		}
	}
	return NULL;
}

/* Step 4. */
static void scan_add(struct scan_name *name, bool replaces)
{
	struct sources *s = name->s;
	const struct source_settings *set = &s->globs[name->setting].set;
	struct source *source = sources_add(s, name->path, 0, name->st->st_dev,
					    name->st->st_ino);

	if (!source) {
		scan_say(s, "*", SOURCES_UNREADABLE, ENOSPC);
		return;
	}
	source->setting = name->setting;
	if (set->columns)
		shape_file_columns(&source_change(source)->file, set->columns);
	sources_say(source, replaces ? SOURCES_REPLACED : SOURCES_FOUND, NULL,
		    name->st->st_size);
	source->named = true;
	if (name->fd >= 0)
		source_keep(source, name->fd);
	name->fd = -1;
	if (s->first_start && s->first_scan && set->start_end)
		source->skip = name->st->st_size;
	source_bind(source, name->st);
}

/* A known file has this name now. */
static void scan_rename(struct scan_name *name, struct source *source)
{
	bool other = strcmp(source->at.path, name->path) != 0;

	if (other) {
		char *old = mem_str(source->at.path);

		if (source->named)
			source_lose(source);
		sources_set_path(source, name->path);
		sources_say(source, SOURCES_RENAMED, old, source->at.offset);
		mem_free(old);
	}
	if (source->fd >= 0 && !source_is(source, name->st))
		source_close(source);
	source->setting = name->setting;
	source_bind(source, name->st);
}

static void scan_identify(struct scan_name *name, struct source *had)
{
	struct source *alias, *source = scan_by_id(name, &alias);

	if (!source && !alias)
		source = scan_by_bytes(name);
	/* Who had the name has lost it, but for a file copied back. */
	if (had && had != source)
		source_lose(had);
	if (alias)
		alias->scan = name->s->scan;
	else if (source)
		scan_rename(name, source);
	else
		scan_add(name, had != NULL);
	fs_close(&name->fd);
}

static void scan_met(struct sources *s, const char *path, size_t setting,
		     const struct stat *st)
{
	struct source *had = sources_at(s, path);
	struct scan_name name = {s, path, setting, st, -1, false};

	if (!S_ISREG(st->st_mode)) {
		if (had)
			source_lose(had);
		scan_say(s, path, SOURCES_NOT_A_FILE, 0);
	} else if (had && source_is(had, st) && had->bound) {
		source_touch(had, st);
	} else if (had && source_is(had, st)) {
		had->setting = setting;
		source_bind(had, st);
	} else {
		scan_identify(&name, had);
	}
}

/*
 * A name that cannot be asked about.  One that is not there is lost; of others
 * only those matter that we want to read and have not open.
 */
static void scan_unknown(struct sources *s, const char *path, int error)
{
	struct source *had = sources_at(s, path);
	bool absent = error == ENOENT || error == ENOTDIR;

	if (had && absent) {
		source_lose(had);
	} else if (had) {
		had->scan = s->scan;
		if (had->fd < 0 && (had->at.state == POSITION_FOLLOWING ||
				    had->at.state == POSITION_WAITING))
			source_fails(had, error);
	} else if (!absent) {
		scan_say(s, path, SOURCES_UNREADABLE, error);
	}
}

void sources_meet(struct sources *s, const struct pattern_place *place, int dir,
		  const char *name)
{
	char *path = pattern_join(place->directory, name);
	struct stat st;

	if (fstatat(dir, dir == AT_FDCWD ? path : name, &st, 0) < 0)
		scan_unknown(s, path, errno);
	else
		scan_met(s, path, place->setting, &st);
	mem_free(path);
}

static void scan_place(struct sources *s, const struct pattern_place *place)
{
	int error = place->error, fd = -1;
	DIR *stream = NULL;
	struct dirent *entry;

	if (!error && !place->parent && !pattern_is_wild(place->name)) {
		sources_meet(s, place, AT_FDCWD, place->name);
		return;
	}
	if (!error && !place->parent) {
		fd = fs_open_dir(AT_FDCWD, place->directory);
		stream = fd < 0 ? NULL : fdopendir(fd);
		error = stream ? 0 : errno;
	}
	if (error && error != ENOENT)
		scan_say(s, place->directory, SOURCES_UNREADABLE, error);
	if (!stream) {
		fs_close(&fd);
		return;
	}
	while ((entry = readdir(stream))) {
		if (pattern_fits(place->name, entry->d_name))
			sources_meet(s, place, dirfd(stream), entry->d_name);
	}
	closedir(stream);
}

/*
 * Sources that no directory showed.  A directory that cannot be read hides
 * files that are there all the same, so each is asked for by its name.
 */
static void scan_unseen(struct sources *s, struct source *source)
{
	size_t setting = scan_glob_of(s, source->at.path);
	struct stat st;

	/* Its name leads to another source by now. */
	if (setting == s->globs_count ||
	    sources_at(s, source->at.path) != source)
		source_lose(source);
	else if (stat(source->at.path, &st) < 0)
		scan_unknown(s, source->at.path, errno);
	else
		scan_met(s, source->at.path, setting, &st);
}

/* No name leads to it.  With an inherited descriptor it is read on; else it
 * went while we were not there. */
static void scan_absent(struct source *source)
{
	if (source->fd >= 0) {
		source->bound = true;
		return;
	}
	sources_apply(source, source->at.id.dev, source->at.id.ino);
	source_gone(source);
}

/* A descriptor goes to who is found by a glob still. */
static void scan_hand_over(struct source *old, struct source *heir)
{
	size_t setting = scan_glob_of(heir->all, heir->at.path);

	if (old->fd < 0 || setting == heir->all->globs_count)
		return;
	heir->setting = setting;
	source_keep(heir, old->fd);
	old->fd = -1;
}

/* One after another, so that both collections together need little more than
 * each of them. */
void sources_inherit(struct sources *sources, struct sources *from)
{
	assert(sources->first_scan);
	sources->numbers = from->numbers;
	for (size_t i = 0; i < from->count; i++) {
		struct source *old = from->list[i];
		struct source *heir = sources_adopt_one(sources, &old->at);

		if (heir)
			scan_hand_over(old, heir);
		sources_discard(old);
	}
	from->count = from->active_count = from->opened_count = 0;
}

void sources_rescan(struct sources *sources, int64_t now_ms, int64_t now_s)
{
	sources_clock(sources, now_ms, now_s);
	sources->scan++;
	sources->scan_wanted = false;
	sources->again_ms = SOURCE_NEVER;
	sources->crowded = false;
	sources_find_places(sources);
	for (size_t i = 0; i < sources->places.count; i++)
		scan_place(sources, &sources->places.p[i]);
	for (size_t i = 0; i < sources->count; i++) {
		struct source *source = sources->list[i];

		if (source->named && source->scan != sources->scan)
			scan_unseen(sources, source);
		if (!source->named && !source->bound &&
		    source->at.state != POSITION_GONE)
			scan_absent(source);
	}
	sources_drop_gone(sources, now_s - SOURCES_KEEP_GONE_S);
	odds_prune(&sources->odds, sources->scan);
	sources->first_scan = false;
	sources->scanned_ms = now_ms;
	sources->unsorted = true;
}
