/* SPDX-License-Identifier: GPL-2.0-only */
#include "spool/spool_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/crash.h"
#include "base/fs.h"

/*
 * Both files are whole in tmp/ before the first is placed.  The events come
 * last, for it is they that are counted and sent again; the name depends on
 * nothing but the batch and the number of its first event, so that doing it
 * again replaces what is there.
 */

/* Both names of one refusal. */
struct pair_names {
	char gz[BATCH_NAME], json[BATCH_NAME];
};

static void pair_name(const struct batch *batch, uint32_t first,
		      struct pair_names *names)
{
	char name[BATCH_NAME];
	int stem;

	spool_ready_name(batch, name);
	stem = (int)(strlen(name) - strlen(BATCH_SUFFIX));
	snprintf(names->gz, sizeof(names->gz), "%.*s-%u%s", stem, name, first,
		 BATCH_SUFFIX);
	snprintf(names->json, sizeof(names->json), "%.*s-%u.json", stem, name,
		 first);
}

static int place_pair(const struct spool_rooms *rooms,
		      const struct pair_names *names)
{
	if (renameat(rooms->tmp, names->json, rooms->refused, names->json) < 0)
		return -1;
	crash_point("refuse.reason");
	if (renameat(rooms->tmp, names->gz, rooms->refused, names->gz) == 0) {
		crash_point("refuse.placed");
		return fs_sync_dir(rooms->refused);
	}
	/* A reason alone is not left, unless it has events from before. */
	if (faccessat(rooms->refused, names->gz, F_OK, 0) < 0)
		unlinkat(rooms->refused, names->json, 0);
	return -1;
}

static int store_pair(const struct spool_rooms *rooms,
		      const struct pair_names *names, struct slice gz,
		      struct slice json)
{
	int saved;

	if (fs_store(rooms->tmp, names->gz, gz.p, gz.len) == 0 &&
	    fs_store(rooms->tmp, names->json, json.p, json.len) == 0) {
		crash_point("refuse.stored");
		if (place_pair(rooms, names) == 0)
			return 0;
	}
	saved = errno;
	unlinkat(rooms->tmp, names->gz, 0);
	unlinkat(rooms->tmp, names->json, 0);
	errno = saved;
	return -1;
}

int spool_refuse(struct spool *spool, const struct batch *batch, uint32_t first,
		 uint32_t count, struct slice gz, int status,
		 struct slice words, int64_t now_s)
{
	struct pair_names names;
	char name[BATCH_NAME];
	struct json *json;
	struct buf text;
	int result;

	pair_name(batch, first, &names);
	spool_ready_name(batch, name);
	buf_init(&text, (size_t)SPOOL_TEXT * 8);
	json = json_new(&text);
	json_begin(json);
	json_str(json, "batch", slice_str(name));
	json_uint(json, "first", first);
	json_uint(json, "count", count);
	json_int(json, "status", status);
	spool_put_text(json, "words", words);
	json_int(json, "time", now_s);
	json_end(json);
	json_line(json);
	json_free(&json);
	result = store_pair(&spool->rooms, &names, gz, buf_slice(&text));
	buf_release(&text);
	return result;
}
