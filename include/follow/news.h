/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FOLLOW_NEWS_H
#define FOLLOW_NEWS_H

/*
 * news - what happened to files, in order, until somebody asks
 *
 * At most NEWS_MAX are kept; what comes when it is full is dropped.  An
 * all-zero struct is empty.
 */

#include "follow/sources.h"

enum { NEWS_MAX = 1000 };

struct news_item {
	enum sources_event_kind kind;
	char *path, *detail;
	int64_t bytes;
};

struct news {
	struct news_item *items;
	size_t first, count, cap;
	struct news_item told; /* the one handed out last */
};

/* "detail" may be NULL. */
void news_add(struct news *news, enum sources_event_kind kind, const char *path,
	      const char *detail, int64_t bytes);
bool news_next(struct news *news, struct sources_event *event_out);
void news_release(struct news *news);

#endif /* FOLLOW_NEWS_H */
