/* SPDX-License-Identifier: GPL-2.0-only */
#include "follow/news.h"

#include "base/mem.h"

static void news_drop(struct news_item *item)
{
	mem_free(item->path);
	mem_free(item->detail);
	*item = (struct news_item){0};
}

void news_add(struct news *news, enum sources_event_kind kind, const char *path,
	      const char *detail, int64_t bytes)
{
	if (news->count - news->first >= NEWS_MAX)
		return;
	if (news->count == news->cap && news->first) {
		news->count -= news->first;
		memmove(news->items, news->items + news->first,
			news->count * sizeof(*news->items));
		news->first = 0;
	}
	if (news->count == news->cap) {
		news->cap = news->cap ? news->cap * 2 : 16;
		news->items = mem_resize_array(news->items, news->cap,
					       sizeof(*news->items));
	}
	news->items[news->count++] =
		(struct news_item){.kind = kind,
				   .path = mem_str(path),
				   .detail = mem_str(detail ? detail : ""),
				   .bytes = bytes};
}

bool news_next(struct news *news, struct sources_event *event_out)
{
	news_drop(&news->told);
	if (news->first == news->count) {
		news->first = news->count = 0;
		return false;
	}
	news->told = news->items[news->first++];
	*event_out = (struct sources_event){.kind = news->told.kind,
					    .path = news->told.path,
					    .detail = news->told.detail,
					    .bytes = news->told.bytes};
	return true;
}

void news_release(struct news *news)
{
	struct sources_event event;

	while (news_next(news, &event))
		;
	mem_free(news->items);
	*news = (struct news){0};
}
