/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/gzip.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/fs.h"
#include "unit/check_all.h"

static void ck_unpacks_to(struct slice packed, struct slice want)
{
	int fd = memfd_create("packed", MFD_CLOEXEC);
	struct gzip_reader *reader;
	struct buf got;
	char block[1000];
	ptrdiff_t n;

	ck_assert_int_eq(fs_write_all(fd, packed.p, packed.len), 0);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	buf_init(&got, want.len + 1);
	reader = gzip_reader_new(fd);
	while ((n = gzip_read(reader, block, sizeof(block))) > 0)
		buf_add(&got, block, (size_t)n);
	ck_assert_int_eq(n, 0);
	ck_assert(slice_eq(buf_slice(&got), want));
	gzip_reader_free(&reader);
	buf_release(&got);
	close(fd);
}

START_TEST(gzip_writer_packs_pieces_into_one_member)
{
	struct gzip_writer *writer = gzip_writer_new(_i);
	struct buf all, out;
	unsigned int seed = 1;

	buf_init(&all, 1 << 20);
	buf_init(&out, 2 << 20);
	for (int round = 0; round < 2; round++) {
		buf_reset(&all);
		buf_reset(&out);
		for (int i = 0; i < 3000; i++) {
			char piece[100];

			for (size_t j = 0; j < sizeof(piece); j++) {
				seed = seed * 1103515245 + 12345;
				piece[j] = (char)(seed >> 16);
			}
			buf_add(&all, piece, i % sizeof(piece));
			ck_assert_int_eq(
				gzip_write(writer,
					   slice_of(piece, i % sizeof(piece)),
					   &out),
				0);
		}
		ck_assert_int_eq(gzip_write_end(writer, &out), 0);
		ck_unpacks_to(buf_slice(&out), buf_slice(&all));
	}
	gzip_writer_free(&writer);
	buf_release(&all);
	buf_release(&out);
}
END_TEST

static int pack_within(size_t max, struct buf *out)
{
	struct gzip_writer *writer = gzip_writer_new(1);
	int status = 0;

	buf_init(out, max);
	if (gzip_write(writer, SLICE("abc"), out) < 0 ||
	    gzip_write_end(writer, out) < 0)
		status = -1;
	gzip_writer_free(&writer);
	return status;
}

START_TEST(gzip_writer_uses_all_up_to_the_maximum)
{
	struct buf out;
	size_t whole;

	ck_assert_int_eq(pack_within(1000, &out), 0);
	whole = out.len;
	buf_release(&out);
	ck_assert_int_eq(pack_within(whole, &out), 0);
	ck_unpacks_to(buf_slice(&out), SLICE("abc"));
	buf_release(&out);
	for (size_t max = 0; max < whole; max++) {
		ck_assert_int_eq(pack_within(max, &out), -1);
		ck_assert(out.overflow);
		buf_release(&out);
	}
}
END_TEST

Suite *gzip_writer_suite(void)
{
	Suite *s = suite_create("gzip_writer");
	TCase *tc = tcase_create("gzip_writer");

	tcase_add_loop_test(tc, gzip_writer_packs_pieces_into_one_member, 1,
			    10);
	tcase_add_test(tc, gzip_writer_uses_all_up_to_the_maximum);
	suite_add_tcase(s, tc);
	return s;
}
