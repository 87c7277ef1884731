/* SPDX-License-Identifier: GPL-2.0-only */
/* What the service, or whoever answers in its place, may send. */
#include <stdint.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "ingest/answer.h"
#include "ingest/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_answer(int status, struct slice body)
{
	struct answer answer;
	struct slice shown;

	answer_read(status, body, &answer);
	shown = slice_str(answer.words);
	if ((answer.kind == ANSWER_ACCEPTED) != (answer.id[0] != '\0') ||
	    shown.len >= sizeof(answer.words) || utf8_valid(shown) != shown.len)
		abort();
	for (size_t i = 0; i < shown.len; i++) {
		if ((unsigned char)shown.p[i] < 0x20)
			abort();
	}
	answer_mask(answer.words);
	shown = slice_str(answer.words);
	if (utf8_valid(shown) != shown.len)
		abort();
}

static void fuzz_reply(struct slice text)
{
	struct reply reply;
	struct slice rest;
	int64_t wait;

	reply_init(&reply, 100);
	while (text.len) {
		reply_header(&reply, slice_cut(text, '\n', &rest));
		text = rest;
	}
	wait = reply_retry_after(&reply, 1700000000);
	if (wait < -1 || wait > REPLY_RETRY_MAX_S)
		abort();
	reply_body(&reply, "secret", 6);
	reply_hide(&reply, "ecre");
	reply_release(&reply);
}

/* Two bytes of status, then the body. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice body;

	if (size < 2)
		return 0;
	body = slice_of((const char *)data + 2, size - 2);
	fuzz_answer((data[0] << 8 | data[1]) % 1000, body);
	fuzz_answer(200, body);
	fuzz_answer(400, body);
	fuzz_reply(body);
	return 0;
}
