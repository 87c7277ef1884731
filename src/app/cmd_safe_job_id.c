/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "app/cmd.h"
#include "app/safe_job_id.h"
#include "base/log.h"
#include "base/mem.h"

enum { SAFE_BLOCK = 64 << 10 };

static int safe_write(struct buf *out)
{
	fwrite(out->p, 1, out->len, stdout);
	buf_reset(out);
	return cmd_flush();
}

/* What was read is written before more is waited for, so that a program at the
 * other end can ask line by line. */
static int safe_filter(char *block, struct buf *out)
{
	size_t len = 0;

	for (;;) {
		ssize_t n = read(STDIN_FILENO, block + len, SAFE_BLOCK - len);
		size_t taken;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			log_error("safe-job-id: standard input");
			return EX_IOERR;
		}
		len += (size_t)n;
		taken = safe_job_id_lines(slice_of(block, len), n == 0, out);
		len -= taken;
		memmove(block, block + taken, len);
		if (safe_write(out) != EX_OK)
			return EX_IOERR;
		if (n == 0)
			return EX_OK;
	}
}

static int safe_arguments(const struct options *options, struct buf *out)
{
	for (int i = 0; i < options->argc; i++) {
		safe_job_id_add(slice_str(options->argv[i]), out);
		buf_add_char(out, '\n');
		if (safe_write(out) != EX_OK)
			return EX_IOERR;
	}
	return EX_OK;
}

int cmd_safe_job_id(const struct options *options)
{
	char *block = mem_alloc(SAFE_BLOCK);
	struct buf out;
	int status;

	/* An argument is at most 128 KiB on Linux. */
	buf_init(&out, 1 << 20);
	status = options->argc ? safe_arguments(options, &out)
			       : safe_filter(block, &out);
	buf_release(&out);
	mem_free(block);
	return status;
}
