/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/gzip.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fs.h"
#include "unit/check_all.h"
#include "unit/fault.h"

enum { PLENTY = 8 << 20 };

/* Text much like events, and bytes that no compressor can make smaller. */
static void fill_text(struct buf *b, size_t len)
{
	for (unsigned int i = 0; b->len < len; i++)
		buf_addf(b, "{\"type\":\"delivery\",\"event_id\":\"%u\"}\n",
			 i * 2654435761U);
	buf_truncate(b, len);
}

static void fill_noise(struct buf *b, size_t len)
{
	uint64_t x = 88172645463325252ULL;

	while (b->len < len) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		buf_add(b, &x, sizeof(x));
	}
	buf_truncate(b, len);
}

static void fill_zeros(struct buf *b, size_t len)
{
	size_t more = len > b->len ? len - b->len : 0;

	ck_assert_int_eq(buf_reserve(b, more), 0);
	if (more)
		memset(b->p + b->len, 0, more);
	b->len += more;
}

static void (*const fills[])(struct buf *, size_t) = {fill_text, fill_noise,
						      fill_zeros};
static const size_t sizes[] = {0,     1,     2,	    100,   1023,   4096,
			       32767, 32768, 65535, 65536, 131072, 300000};

static int file_of(struct slice bytes)
{
	int fd = memfd_create("gzip", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fs_write_all(fd, bytes.p, bytes.len), 0);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* Unpack all, "step" bytes at a time.  The last gzip_read's answer. */
static ptrdiff_t unpack(struct slice bytes, size_t step, struct buf *out)
{
	int fd = file_of(bytes);
	struct gzip_reader *reader = gzip_reader_new(fd);
	char *piece = malloc(step);
	ptrdiff_t n;

	ck_assert_ptr_nonnull(piece);
	errno = 0;
	while ((n = gzip_read(reader, piece, step)) > 0) {
		ck_assert_uint_le((size_t)n, step);
		ck_assert_int_eq(buf_add(out, piece, (size_t)n), 0);
	}
	/* Asked again, it says the same. */
	ck_assert_int_eq(gzip_read(reader, piece, step), n);
	free(piece);
	gzip_reader_free(&reader);
	ck_assert_ptr_null(reader);
	gzip_reader_free(&reader);
	close(fd);
	return n;
}

static void pack(int level, struct slice in, struct buf *out)
{
	struct gzip_packer *packer = gzip_packer_new(level);

	ck_assert_int_eq(gzip_pack(packer, in, out), 0);
	gzip_packer_free(&packer);
	ck_assert_ptr_null(packer);
	gzip_packer_free(&packer);
}

/* _i: level less one */
START_TEST(gzip_gives_back_what_was_packed_at_every_level)
{
	for (size_t i = 0; i < NROF(fills) * NROF(sizes); i++) {
		struct buf in, packed, back;

		buf_init(&in, PLENTY);
		buf_init(&packed, PLENTY);
		buf_init(&back, PLENTY);
		fills[i % NROF(fills)](&in, sizes[i / NROF(fills)]);
		pack(_i + 1, buf_slice(&in), &packed);
		ck_assert_int_eq(unpack(buf_slice(&packed), 10000, &back), 0);
		ck_assert(slice_eq(buf_slice(&in), buf_slice(&back)));
		buf_release(&in);
		buf_release(&packed);
		buf_release(&back);
	}
}
END_TEST

START_TEST(gzip_of_the_same_bytes_is_the_same)
{
	struct gzip_packer *packer = gzip_packer_new(_i + 1);
	struct buf in, other, first, again;

	buf_init(&in, PLENTY);
	buf_init(&other, PLENTY);
	buf_init(&first, PLENTY);
	buf_init(&again, PLENTY);
	fill_text(&in, 200000);
	fill_noise(&other, 50000);
	fill_text(&other, 100000);
	ck_assert_int_eq(gzip_pack(packer, buf_slice(&in), &first), 0);
	/* Neither what was packed between, nor another packer, nor a first
	 * try without room leaves a trace. */
	ck_assert_int_eq(gzip_pack(packer, buf_slice(&other), &again), 0);
	buf_reset(&again);
	again.max = 100;
	ck_assert_int_eq(gzip_pack(packer, buf_slice(&in), &again), -1);
	buf_reset(&again);
	again.max = PLENTY;
	ck_assert_int_eq(gzip_pack(packer, buf_slice(&in), &again), 0);
	ck_assert(slice_eq(buf_slice(&first), buf_slice(&again)));
	buf_reset(&again);
	pack(_i + 1, buf_slice(&in), &again);
	ck_assert(slice_eq(buf_slice(&first), buf_slice(&again)));
	/* No name, no time in the header. */
	ck_assert(slice_starts(buf_slice(&first),
			       SLICE("\x1f\x8b\x08\0\0\0\0\0")));
	gzip_packer_free(&packer);
	buf_release(&in);
	buf_release(&other);
	buf_release(&first);
	buf_release(&again);
}
END_TEST

static void pack_pieces(struct gzip_packer *packer, struct slice in,
			size_t piece, struct buf *out)
{
	gzip_pack_begin(packer);
	for (; in.len > piece; in = slice_skip(in, piece))
		ck_assert_int_eq(gzip_pack_piece(packer, slice_of(in.p, piece),
						 false, out),
				 0);
	ck_assert_int_eq(gzip_pack_piece(packer, in, true, out), 0);
}

START_TEST(gzip_in_pieces_is_one_member)
{
	static const size_t lengths[] = {0, 1, 1000, 100000, 500000};
	struct gzip_packer *packer = gzip_packer_new(_i + 1);
	struct buf in, first, again, back;

	buf_init(&in, PLENTY);
	buf_init(&first, PLENTY);
	buf_init(&again, PLENTY);
	buf_init(&back, PLENTY);
	for (size_t i = 0; i < NROF(lengths) * 2; i++) {
		size_t piece = i < NROF(lengths) ? 70000 : 256 << 10;

		buf_reset(&in);
		buf_reset(&first);
		buf_reset(&again);
		buf_reset(&back);
		fills[i % 2](&in, lengths[i % NROF(lengths)]);
		pack_pieces(packer, buf_slice(&in), piece, &first);
		pack_pieces(packer, buf_slice(&in), piece, &again);
		ck_assert(slice_eq(buf_slice(&first), buf_slice(&again)));
		ck_assert_int_eq(unpack(buf_slice(&first), 10000, &back), 0);
		ck_assert(slice_eq(buf_slice(&in), buf_slice(&back)));
	}
	gzip_packer_free(&packer);
	buf_release(&in);
	buf_release(&first);
	buf_release(&again);
	buf_release(&back);
}
END_TEST

START_TEST(gzip_that_does_not_fit_changes_nothing)
{
	struct gzip_packer *packer = gzip_packer_new(_i + 1);
	struct buf in, out;
	size_t whole;

	buf_init(&in, PLENTY);
	buf_init(&out, PLENTY);
	fill_noise(&in, 3000);
	ck_assert_int_eq(gzip_pack(packer, buf_slice(&in), &out), 0);
	whole = out.len;
	ck_assert_uint_ge(whole, 3000);
	for (size_t max = whole + 6; max > 64;
	     max = max > whole - 20 ? max - 1 : max / 2) {
		buf_release(&out);
		buf_init(&out, max);
		ck_assert_int_eq(buf_add_str(&out, "before"), 0);
		if (gzip_pack(packer, buf_slice(&in), &out) == 0) {
			ck_assert_uint_ge(max, whole + 6);
			ck_assert_uint_eq(out.len, whole + 6);
			continue;
		}
		ck_assert_uint_lt(max, whole + 6);
		ck_assert(out.overflow);
		ck_slice(buf_slice(&out), "before");
	}
	gzip_packer_free(&packer);
	buf_release(&in);
	buf_release(&out);
}
END_TEST

START_TEST(gzip_read_goes_on_to_the_last_member)
{
	struct buf in, packed, want, back;

	buf_init(&in, PLENTY);
	buf_init(&packed, PLENTY);
	buf_init(&want, PLENTY);
	buf_init(&back, PLENTY);
	for (int level = 1; level <= 9; level++) {
		buf_reset(&in);
		/* Members without a byte are members too. */
		fill_text(&in,
			  level == 4 || level == 9 ? 0 : (size_t)level * 9000);
		pack(level, buf_slice(&in), &packed);
		buf_add_slice(&want, buf_slice(&in));
	}
	ck_assert_int_eq(unpack(buf_slice(&packed), 777, &back), 0);
	ck_assert(slice_eq(buf_slice(&back), buf_slice(&want)));
	buf_release(&in);
	buf_release(&packed);
	buf_release(&want);
	buf_release(&back);
}
END_TEST

START_TEST(gzip_read_takes_any_number_of_bytes)
{
	static const size_t steps[] = {1,     2,     3,	    100,    32768,
				       59999, 60000, 60001, 1 << 20};
	struct buf in, packed, back;

	buf_init(&in, PLENTY);
	buf_init(&packed, PLENTY);
	buf_init(&back, PLENTY);
	fill_text(&in, 20000);
	fill_zeros(&in, 60000); /* much out of little: matches pending */
	pack(6, buf_slice(&in), &packed);
	ck_assert_int_eq(unpack(buf_slice(&packed), steps[_i], &back), 0);
	ck_assert(slice_eq(buf_slice(&in), buf_slice(&back)));
	buf_release(&in);
	buf_release(&packed);
	buf_release(&back);
}
END_TEST

static const size_t pieces[] = {1, 7, 4096};

START_TEST(gzip_read_notices_a_file_that_is_cut_short)
{
	struct buf in, packed, back;

	buf_init(&in, PLENTY);
	buf_init(&packed, PLENTY);
	buf_init(&back, PLENTY);
	fill_text(&in, 1000);
	pack(1, buf_slice(&in), &packed);
	for (size_t n = 0; n < packed.len; n++) {
		buf_reset(&back);
		ck_assert_int_eq(
			unpack(slice_of(packed.p, n), pieces[_i], &back), -1);
		ck_assert_int_eq(errno, EBADMSG);
		/* What came before was good. */
		ck_assert(slice_starts(buf_slice(&in), buf_slice(&back)));
	}
	buf_release(&in);
	buf_release(&packed);
	buf_release(&back);
}
END_TEST

START_TEST(gzip_read_gives_no_wrong_byte_for_good)
{
	struct buf in, packed, back;
	size_t unnoticed = 0;

	buf_init(&in, PLENTY);
	buf_init(&packed, PLENTY);
	buf_init(&back, PLENTY);
	fill_text(&in, 300);
	pack(9, buf_slice(&in), &packed);
	for (size_t bit = 0; bit < packed.len * 8; bit++) {
		ptrdiff_t status;

		packed.p[bit / 8] ^= (char)(1 << bit % 8);
		buf_reset(&back);
		status = unpack(buf_slice(&packed), 64, &back);
		packed.p[bit / 8] ^= (char)(1 << bit % 8);
		if (status < 0) {
			ck_assert_int_eq(errno, EBADMSG);
			continue;
		}
		/* Bits of the header, and those that fill the last byte. */
		ck_assert(slice_eq(buf_slice(&in), buf_slice(&back)));
		unnoticed++;
	}
	ck_assert_uint_le(unnoticed, 56 + 7);
	buf_release(&in);
	buf_release(&packed);
	buf_release(&back);
}
END_TEST

static const struct {
	struct slice tail;
	bool good;
} tails[] = {
	{{"", 0}, true},
	{{"\0", 1}, true},
	{{"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20}, true},
	{{"x", 1}, false},
	{{"\n", 1}, false},
	{{"garbage that is long enough for a member", 40}, false},
	{{"\0\0\0garbage", 10}, false},
	{{"\x1f", 1}, false},
	{{"\x1f\x8b", 2}, false},
	{{"\x1f\x8b\x08\0\0\0\0\0\0\x03", 10}, false},
	{{"PK\3\4", 4}, false},
};

START_TEST(gzip_read_takes_zeros_at_the_end_and_nothing_else)
{
	struct buf packed, back;

	buf_init(&packed, PLENTY);
	buf_init(&back, PLENTY);
	pack(6, SLICE("some rows\n"), &packed);
	buf_add_slice(&packed, tails[_i].tail);
	for (size_t step = 1; step < 20; step += 9) {
		buf_reset(&back);
		ck_assert_int_eq(unpack(buf_slice(&packed), step, &back),
				 tails[_i].good ? 0 : -1);
		ck_assert_int_eq(errno, tails[_i].good ? 0 : EBADMSG);
		ck_slice(buf_slice(&back), "some rows\n");
	}
	buf_release(&packed);
	buf_release(&back);
}
END_TEST

START_TEST(gzip_read_passes_more_zeros_than_a_block_between_members)
{
	struct buf packed, back;

	buf_init(&packed, PLENTY);
	buf_init(&back, PLENTY);
	pack(6, SLICE("one "), &packed);
	fill_zeros(&packed, 100000);
	pack(6, SLICE("two"), &packed);
	fill_zeros(&packed, 200000);
	ck_assert_int_eq(unpack(buf_slice(&packed), 100, &back), 0);
	ck_slice(buf_slice(&back), "one two");
	buf_release(&packed);
	buf_release(&back);
}
END_TEST

START_TEST(gzip_read_refuses_a_file_that_is_no_gzip)
{
	struct buf back;

	buf_init(&back, PLENTY);
	ck_assert_int_eq(unpack(SLICE("type,timeLogged\n"), 10, &back), -1);
	ck_assert_int_eq(errno, EBADMSG);
	ck_assert_int_eq(unpack(SLICE("\0\0\0\0"), 10, &back), -1);
	ck_assert_int_eq(errno, EBADMSG);
	ck_assert_uint_eq(back.len, 0);
	buf_release(&back);
}
END_TEST

START_TEST(gzip_read_says_why_it_could_not_read)
{
	struct gzip_reader *reader;
	struct buf packed;
	char c;
	int fd;

	buf_init(&packed, PLENTY);
	pack(6, SLICE("x"), &packed);
	fd = file_of(buf_slice(&packed));
	reader = gzip_reader_new(fd);
	fault_arm("read", 1, EIO);
	ck_assert_int_eq(gzip_read(reader, &c, 1), -1);
	ck_assert_int_eq(errno, EIO);
	fault_arm("read", 1, EINTR);
	ck_assert_int_eq(gzip_read(reader, &c, 1), 1);
	ck_assert_int_eq(c, 'x');
	ck_assert_int_eq(gzip_read(reader, &c, 1), 0);
	fault_disarm();
	gzip_reader_free(&reader);
	close(fd);
	buf_release(&packed);
}
END_TEST

Suite *gzip_suite(void)
{
	Suite *s = suite_create("gzip");
	TCase *tc = tcase_create("gzip");

	tcase_add_loop_test(tc, gzip_gives_back_what_was_packed_at_every_level,
			    0, 9);
	tcase_add_loop_test(tc, gzip_of_the_same_bytes_is_the_same, 0, 9);
	tcase_add_loop_test(tc, gzip_in_pieces_is_one_member, 0, 9);
	tcase_add_loop_test(tc, gzip_that_does_not_fit_changes_nothing, 0, 9);
	tcase_add_test(tc, gzip_read_goes_on_to_the_last_member);
	tcase_add_loop_test(tc, gzip_read_takes_any_number_of_bytes, 0, 9);
	tcase_add_loop_test(tc, gzip_read_notices_a_file_that_is_cut_short, 0,
			    NROF(pieces));
	tcase_add_test(tc, gzip_read_gives_no_wrong_byte_for_good);
	tcase_add_loop_test(tc,
			    gzip_read_takes_zeros_at_the_end_and_nothing_else,
			    0, NROF(tails));
	tcase_add_test(
		tc, gzip_read_passes_more_zeros_than_a_block_between_members);
	tcase_add_test(tc, gzip_read_refuses_a_file_that_is_no_gzip);
	tcase_add_test(tc, gzip_read_says_why_it_could_not_read);
	tcase_set_timeout(tc, 20);
	suite_add_tcase(s, tc);
	return s;
}
