/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FOLLOW_PATTERN_H
#define FOLLOW_PATTERN_H

/*
 * pattern - a glob, and the directories it leads to
 *
 *	struct pattern p;
 *	pattern_init(&p, "/var/log/pmta/acct-*.csv");
 *	pattern_expand(&p, 0, &places);
 *	for each place: names in place.directory that match place.name
 *	pattern_places_release(&places);
 *	pattern_release(&p);
 *
 * "*", "?", "[...]" and "\" as in glob(7); none of them matches a "/" or a
 * leading dot.  Any part of the path may hold them.  A relative path counts
 * from the working directory.
 *
 * A place is a directory whose names are of interest: files to follow, or
 * ("parent") directories that would lead to more files, because their names
 * match the next part of the glob.  Where the next part is no directory yet,
 * the deepest one there is becomes such a parent.
 */

#include <stdbool.h>
#include <stddef.h>

struct pattern {
	char *path;
	char **parts; /* what stands between the slashes, the last not */
	size_t count;
	char *name; /* the last part */
};

struct pattern_place {
	char *directory;
	const char *name; /* belongs to the pattern */
	bool parent;
	int error; /* errno: it cannot be looked into */
	size_t setting;
};

struct pattern_places {
	struct pattern_place *p;
	size_t count, cap;
};

/* More directories than this are not looked at. */
enum { PATTERN_PLACES = 20000 };

void pattern_init(struct pattern *pattern, const char *path);
void pattern_release(struct pattern *pattern);

/* Append the places as they are now, each with "setting". */
void pattern_expand(const struct pattern *pattern, size_t setting,
		    struct pattern_places *out);
void pattern_places_release(struct pattern_places *places);

/* Does a name match one part of a glob, a path all of it? */
bool pattern_fits(const char *part, const char *name);
bool pattern_matches(const struct pattern *pattern, const char *path);

/* Does a part hold more than a plain name? */
bool pattern_is_wild(const char *part);

/* "directory/name", to be freed. */
char *pattern_join(const char *directory, const char *name);

#endif /* FOLLOW_PATTERN_H */
