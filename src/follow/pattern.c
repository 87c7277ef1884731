/* SPDX-License-Identifier: GPL-2.0-only */
#include "follow/pattern.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/mem.h"

/* glob(3) would find the files, but not the directories to watch for more. */

bool pattern_is_wild(const char *part)
{
	return strpbrk(part, "*?[\\") != NULL;
}

bool pattern_fits(const char *part, const char *name)
{
	return fnmatch(part, name, FNM_PERIOD) == 0;
}

bool pattern_matches(const struct pattern *pattern, const char *path)
{
	return fnmatch(pattern->path, path, FNM_PATHNAME | FNM_PERIOD) == 0;
}

char *pattern_join(const char *directory, const char *name)
{
	char *path = mem_alloc(strlen(directory) + strlen(name) + 2), *end;

	end = stpcpy(path, directory);
	if (end == path || end[-1] != '/')
		*end++ = '/';
	stpcpy(end, name);
	return path;
}

void pattern_init(struct pattern *pattern, const char *path)
{
	struct slice rest = slice_str(path), part;
	char *joined = mem_str(rest.len && path[0] == '/' ? "/" : ".");

	*pattern = (struct pattern){0};
	while (rest.len) {
		char *whole;

		part = slice_cut(rest, '/', &rest);
		if (!part.len)
			continue;
		pattern->parts =
			mem_resize_array(pattern->parts, pattern->count + 1,
					 sizeof(*pattern->parts));
		pattern->parts[pattern->count] = mem_str_of(part);
		whole = pattern_join(joined, pattern->parts[pattern->count++]);
		mem_free(joined);
		joined = whole;
	}
	pattern->path = joined;
	pattern->name =
		pattern->count ? pattern->parts[--pattern->count] : mem_str("");
}

void pattern_release(struct pattern *pattern)
{
	for (size_t i = 0; i < pattern->count; i++)
		mem_free(pattern->parts[i]);
	mem_free(pattern->parts);
	mem_free(pattern->name);
	mem_free(pattern->path);
	*pattern = (struct pattern){0};
}

static struct pattern_place *pattern_add(struct pattern_places *out,
					 const char *directory,
					 const char *name, size_t setting)
{
	struct pattern_place *place;

	if (out->count == out->cap) {
		out->cap = out->cap ? out->cap * 2 : 8;
		out->p = mem_resize_array(out->p, out->cap, sizeof(*out->p));
	}
	place = &out->p[out->count++];
	*place = (struct pattern_place){.directory = mem_str(directory),
					.name = name,
					.setting = setting};
	return place;
}

/* 0 for a directory, else errno. */
static int pattern_directory(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return errno;
	return S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
}

/* Where a walk stands: the place of the next part. */
struct pattern_walk {
	const struct pattern *pattern;
	size_t setting;
	struct pattern_places *out;
};

static void pattern_step(const struct pattern_walk *walk, const char *directory,
			 size_t part);

/* A plain part: on into it, or wait in "directory" until it is there. */
static void pattern_enter(const struct pattern_walk *walk,
			  const char *directory, size_t part)
{
	const char *name = walk->pattern->parts[part];
	char *path = pattern_join(directory, name);
	int error = pattern_directory(path);
	struct pattern_place *place;

	if (error == 0) {
		pattern_step(walk, path, part + 1);
	} else {
		place = pattern_add(walk->out, directory, name, walk->setting);
		place->parent = true;
		if (error != ENOENT && error != ENOTDIR) {
			place = pattern_add(walk->out, path, name,
					    walk->setting);
			place->error = error;
		}
	}
	mem_free(path);
}

/* A wild part: on into each directory that matches, and watch for more. */
static void pattern_search(const struct pattern_walk *walk,
			   const char *directory, size_t part)
{
	const char *name = walk->pattern->parts[part];
	size_t index = walk->out->count;
	int fd = fs_open_dir(AT_FDCWD, directory);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	pattern_add(walk->out, directory, name, walk->setting)->parent = true;
	if (!stream) {
		walk->out->p[index].error = errno;
		fs_close(&fd);
		return;
	}
	while ((entry = readdir(stream))) {
		char *path;

		if (!pattern_fits(name, entry->d_name) ||
		    strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		path = pattern_join(directory, entry->d_name);
		if (pattern_directory(path) == 0)
			pattern_step(walk, path, part + 1);
		mem_free(path);
	}
	closedir(stream);
}

static void pattern_step(const struct pattern_walk *walk, const char *directory,
			 size_t part)
{
	if (walk->out->count >= PATTERN_PLACES)
		return;
	if (part == walk->pattern->count)
		pattern_add(walk->out, directory, walk->pattern->name,
			    walk->setting);
	else if (pattern_is_wild(walk->pattern->parts[part]))
		pattern_search(walk, directory, part);
	else
		pattern_enter(walk, directory, part);
}

void pattern_expand(const struct pattern *pattern, size_t setting,
		    struct pattern_places *out)
{
	struct pattern_walk walk = {pattern, setting, out};

	pattern_step(&walk, pattern->path[0] == '/' ? "/" : ".", 0);
}

void pattern_places_release(struct pattern_places *places)
{
	for (size_t i = 0; i < places->count; i++)
		mem_free(places->p[i].directory);
	mem_free(places->p);
	*places = (struct pattern_places){0};
}
