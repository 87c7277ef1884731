/* SPDX-License-Identifier: GPL-2.0-only */
#include <fcntl.h>

#include "base/mem.h"
#include "follow/sources_private.h"

void sources_find_places(struct sources *s)
{
	struct table seen = {0};

	pattern_places_release(&s->places);
	for (size_t i = 0; i < s->globs_count; i++)
		pattern_expand(&s->globs[i].pattern, i, &s->places);
	s->directories = mem_resize_array(s->directories, s->places.count,
					  sizeof(*s->directories));
	s->directories_count = 0;
	for (size_t i = 0; i < s->places.count; i++) {
		char *directory = s->places.p[i].directory, *other;
		uint64_t key = table_key(slice_str(directory));
		size_t at = 0;

		while ((other = table_next(&seen, key, &at)) &&
		       strcmp(other, directory) != 0)
			;
		if (other)
			continue;
		s->directories[s->directories_count++] = directory;
		table_add(&seen, key, directory);
	}
	table_release(&seen);
}

/* A name in a directory that may lead to more files. */
static void places_way(struct sources *s, const struct pattern_place *place,
		       const char *name)
{
	char *path;
	struct stat st;

	if (!pattern_fits(place->name, name))
		return;
	path = pattern_join(place->directory, name);
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		s->scan_wanted = true;
	mem_free(path);
}

void sources_notice(struct sources *sources, const char *directory,
		    const char *name, int64_t now_ms, int64_t now_s)
{
	sources_clock(sources, now_ms, now_s);
	if (!*name)
		sources->scan_wanted = true;
	for (size_t i = 0; *name && i < sources->places.count; i++) {
		const struct pattern_place *place = &sources->places.p[i];

		if (strcmp(place->directory, directory) != 0)
			continue;
		if (place->parent) {
			places_way(sources, place, name);
		} else if (pattern_fits(place->name, name)) {
			sources_meet(sources, place, AT_FDCWD, name);
			return;
		}
	}
}
