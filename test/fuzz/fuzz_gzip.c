/* SPDX-License-Identifier: GPL-2.0-only */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/gzip.h"

/*
 * The input as a damaged file, read in pieces of a size that its first byte
 * chooses; and as bytes to pack, which must come back.
 */

enum { OUTPUT_MAX = 1 << 20 };

static ptrdiff_t unpack(struct slice bytes, size_t step, struct buf *out)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct gzip_reader *reader = gzip_reader_new(fd);
	char *piece = malloc(step);
	ptrdiff_t n;

	if (fd < 0 || !piece || fs_write_all(fd, bytes.p, bytes.len) < 0 ||
	    lseek(fd, 0, SEEK_SET) < 0)
		abort();
	/* A bomb is its reader's concern: stop where enough came out. */
	while ((n = gzip_read(reader, piece, step)) > 0) {
		assert((size_t)n <= step);
		if (buf_add(out, piece, (size_t)n) < 0)
			break;
	}
	assert(n >= 0 || errno == EBADMSG);
	free(piece);
	gzip_reader_free(&reader);
	close(fd);
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice input = slice_of((const char *)data, size);
	struct gzip_packer *packer;
	struct buf packed, back;
	ptrdiff_t n;

	if (!size)
		return 0;
	buf_init(&packed, OUTPUT_MAX);
	buf_init(&back, OUTPUT_MAX);
	unpack(slice_skip(input, 1), data[0] % 4 ? data[0] * 16u : 1, &back);
	packer = gzip_packer_new(data[0] % 9 + 1);
	if (gzip_pack(packer, input, &packed) == 0) {
		buf_reset(&back);
		n = unpack(buf_slice(&packed), 4096, &back);
		assert(n == 0 && slice_eq(buf_slice(&back), input));
	} else {
		assert(size > OUTPUT_MAX / 2);
	}
	gzip_packer_free(&packer);
	buf_release(&packed);
	buf_release(&back);
	return 0;
}
