/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/check_all.h"
#include "unit/fault.h"

static char path[PATH_MAX];
static int dir = -1;
static struct buf data;

static void setup(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(path, sizeof(path), "%s/sparktail-fs-XXXXXX",
		 tmp ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(path));
	dir = fs_open_dir(AT_FDCWD, path);
	ck_assert_int_ge(dir, 0);
	buf_init(&data, 1 << 20);
}

static void teardown(void)
{
	static const char *const names[] = {"a", "b", "link", "fifo"};

	fault_disarm();
	for (size_t i = 0; i < NROF(names); i++)
		unlinkat(dir, names[i], 0);
	unlinkat(dir, "sub", AT_REMOVEDIR);
	ck_assert_int_eq(fs_close(&dir), 0);
	ck_assert_int_eq(rmdir(path), 0);
	buf_release(&data);
}

static bool is_there(const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static mode_t mode_of(const char *name)
{
	struct stat st;

	ck_assert_int_eq(fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_mode & 07777;
}

static const size_t sizes[] = {0, 1, 16383, 16384, 16385, 100000};

START_TEST(fs_read_file_gives_back_what_fs_store_wrote)
{
	struct buf want;

	buf_init(&want, 1 << 20);
	for (size_t i = 0; i < sizes[_i]; i++)
		buf_add_char(&want, (char)(i * 7));
	ck_assert_int_eq(fs_store(dir, "a", want.p, want.len), 0);
	ck_assert_int_eq(fs_read_file(dir, "a", &data), 0);
	ck_assert(slice_eq(buf_slice(&data), buf_slice(&want)));
	buf_release(&want);
}
END_TEST

START_TEST(fs_store_replaces_all_of_a_file)
{
	ck_assert_int_eq(fs_store(dir, "a", "much longer", 11), 0);
	ck_assert_int_eq(fs_store(dir, "a", "short", 5), 0);
	ck_assert_int_eq(fs_read_file(dir, "a", &data), 0);
	ck_slice(buf_slice(&data), "short");
}
END_TEST

START_TEST(fs_makes_files_that_others_cannot_read)
{
	umask(0);
	ck_assert_int_eq(fs_store(dir, "a", "x", 1), 0);
	ck_assert_int_eq(mode_of("a"), 0640);
	ck_assert_int_eq(fs_make_dir(dir, "sub"), 0);
	ck_assert_int_eq(mode_of("sub"), 0750);
	umask(022);
}
END_TEST

START_TEST(fs_store_does_not_follow_a_link)
{
	ck_assert_int_eq(fs_store(dir, "a", "old", 3), 0);
	ck_assert_int_eq(symlinkat("a", dir, "link"), 0);
	ck_assert_int_eq(fs_store(dir, "link", "new", 3), -1);
	ck_assert_int_eq(errno, ELOOP);
	ck_assert(is_there("link"));
	ck_assert_int_eq(fs_read_file(dir, "a", &data), 0);
	ck_slice(buf_slice(&data), "old");
}
END_TEST

static const struct {
	const char *call;
	int error;
} failures[] = {
	{"openat", EACCES}, {"openat", ENOSPC}, {"write", ENOSPC},
	{"write", EIO},	    {"fsync", EIO},	{"fsync", ENOSPC},
	{"close", EIO},	    {"close", ENOSPC},
};

START_TEST(fs_store_that_fails_leaves_no_file)
{
	fault_arm(failures[_i].call, 1, failures[_i].error);
	ck_assert_int_eq(fs_store(dir, "a", "bytes", 5), -1);
	ck_assert_int_eq(errno, failures[_i].error);
	ck_assert_int_eq(fault_calls(failures[_i].call), 1);
	ck_assert(!is_there("a"));
	fault_disarm();
	ck_assert_int_eq(fs_store(dir, "a", "bytes", 5), 0);
}
END_TEST

/* The limit lets the first bytes through, as a disk that fills up does. */
START_TEST(fs_store_that_fails_midway_leaves_no_file)
{
	struct rlimit old, small;

	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 3;
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	fault_arm("write", 99, EIO);
	ck_assert_int_eq(fs_store(dir, "a", "bytes", 5), -1);
	ck_assert_int_eq(errno, EFBIG);
	ck_assert_int_eq(fault_calls("write"), 2);
	ck_assert(!is_there("a"));
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
	signal(SIGXFSZ, SIG_DFL);
}
END_TEST

static const char *const interrupted[] = {"openat", "write", "fsync", "close"};

START_TEST(fs_store_goes_on_after_an_interruption)
{
	fault_arm(interrupted[_i], 1, EINTR);
	ck_assert_int_eq(fs_store(dir, "a", "bytes", 5), 0);
	ck_assert_int_ge(fault_calls(interrupted[_i]), 1);
	fault_disarm();
	ck_assert_int_eq(fs_read_file(dir, "a", &data), 0);
	ck_slice(buf_slice(&data), "bytes");
}
END_TEST

START_TEST(fs_read_file_goes_on_after_an_interruption)
{
	static const char *const calls[] = {"openat", "read", "close"};

	ck_assert_int_eq(fs_store(dir, "a", "bytes", 5), 0);
	for (size_t i = 0; i < NROF(calls); i++) {
		buf_reset(&data);
		fault_arm(calls[i], 1, EINTR);
		ck_assert_int_eq(fs_read_file(dir, "a", &data), 0);
		ck_slice(buf_slice(&data), "bytes");
	}
}
END_TEST

START_TEST(fs_sync_dir_goes_on_after_an_interruption)
{
	fault_arm("fsync", 1, EINTR);
	ck_assert_int_eq(fs_sync_dir(dir), 0);
	ck_assert_int_eq(fault_calls("fsync"), 2);
	fault_arm("fsync", 1, EIO);
	ck_assert_int_eq(fs_sync_dir(dir), -1);
	ck_assert_int_eq(errno, EIO);
}
END_TEST

START_TEST(fs_write_all_goes_on_after_a_short_write)
{
	for (int nth = 1; nth <= 2; nth++) {
		fault_short("write", nth);
		ck_assert_int_eq(fs_store(dir, "a", "bytes", 5), 0);
		ck_assert_int_eq(fault_calls("write"), nth == 1 ? 2 : 1);
		fault_disarm();
		buf_reset(&data);
		ck_assert_int_eq(fs_read_file(dir, "a", &data), 0);
		ck_slice(buf_slice(&data), "bytes");
	}
	ck_assert_int_eq(fs_write_all(-1, "", 0), 0);
}
END_TEST

START_TEST(fs_write_all_tells_a_full_disk)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fs_write_all(fd, "bytes", 5), -1);
	ck_assert_int_eq(errno, ENOSPC);
	ck_assert_int_eq(fs_close(&fd), 0);
	ck_assert_int_eq(fs_write_all(fd, "bytes", 5), -1);
	ck_assert_int_eq(errno, EBADF);
}
END_TEST

static const struct {
	size_t n;
	off_t offset;
	const char *want;
} preads[] = {
	{5, 0, "01234"}, {5, 7, "789"}, {10, 0, "0123456789"},
	{5, 10, ""},	 {5, 99, ""},	{0, 0, ""},
};

START_TEST(fs_pread_stops_only_at_the_end)
{
	char bytes[10];
	ssize_t n;
	int fd;

	ck_assert_int_eq(fs_store(dir, "a", "0123456789", 10), 0);
	fd = openat(dir, "a", O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	for (int fault = 0; fault < 3; fault++) {
		if (fault == 1)
			fault_short("pread", 1);
		if (fault == 2)
			fault_arm("pread", 1, EINTR);
		n = fs_pread(fd, bytes, preads[_i].n, preads[_i].offset);
		fault_disarm();
		ck_assert_int_ge(n, 0);
		ck_slice(slice_of(bytes, (size_t)n), preads[_i].want);
	}
	ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), 0);
	fault_arm("pread", 1, EIO);
	ck_assert_int_eq(fs_pread(fd, bytes, 5, 0), -1);
	ck_assert_int_eq(errno, EIO);
	close(fd);
}
END_TEST

START_TEST(fs_read_file_survives_short_reads)
{
	ck_assert_int_eq(fs_store(dir, "a", "bytes", 5), 0);
	fault_short("read", 1);
	ck_assert_int_eq(fs_read_file(dir, "a", &data), 0);
	ck_assert_int_eq(fault_calls("read"), 3);
	ck_slice(buf_slice(&data), "bytes");
	/* It appends. */
	ck_assert_int_eq(fs_read_file(dir, "a", &data), 0);
	ck_slice(buf_slice(&data), "bytesbytes");
}
END_TEST

START_TEST(fs_read_file_says_why_not)
{
	struct buf five;

	buf_init(&five, 5);
	ck_assert_int_eq(fs_read_file(dir, "a", &data), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(fs_read_file(dir, ".", &data), -1);
	ck_assert_int_eq(errno, EISDIR);
	ck_assert_int_eq(fs_store(dir, "a", "12345", 5), 0);
	ck_assert_int_eq(fs_read_file(dir, "a", &five), 0);
	ck_slice(buf_slice(&five), "12345");
	buf_reset(&five);
	ck_assert_int_eq(fs_store(dir, "a", "123456", 6), 0);
	ck_assert_int_eq(fs_read_file(dir, "a", &five), -1);
	ck_assert_int_eq(errno, EFBIG);
	fault_arm("read", 2, EIO);
	ck_assert_int_eq(fs_read_file(dir, "a", &data), -1);
	ck_assert_int_eq(errno, EIO);
	buf_release(&five);
}
END_TEST

START_TEST(fs_make_dir_is_content_with_a_directory_that_is_there)
{
	ck_assert_int_eq(fs_make_dir(dir, "sub"), 0);
	ck_assert_int_eq(fs_make_dir(dir, "sub"), 0);
	ck_assert_int_eq(symlinkat("sub", dir, "link"), 0);
	ck_assert_int_eq(fs_make_dir(dir, "link"), 0);
	ck_assert_int_eq(fs_store(dir, "a", "", 0), 0);
	ck_assert_int_eq(fs_make_dir(dir, "a"), -1);
	ck_assert_int_eq(errno, ENOTDIR);
	ck_assert_int_eq(fs_make_dir(dir, "no/such"), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(symlinkat("nowhere", dir, "b"), 0);
	ck_assert_int_eq(fs_make_dir(dir, "b"), -1);
	ck_assert_int_eq(errno, ENOENT);
}
END_TEST

START_TEST(fs_open_dir_opens_directories_only)
{
	ck_assert_int_eq(fs_store(dir, "a", "", 0), 0);
	ck_assert_int_eq(fs_open_dir(dir, "a"), -1);
	ck_assert_int_eq(errno, ENOTDIR);
	ck_assert_int_eq(fs_open_dir(dir, "b"), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_ne(fcntl(dir, F_GETFD) & FD_CLOEXEC, 0);
}
END_TEST

START_TEST(fs_close_forgets_the_descriptor_whatever_happens)
{
	int fd = fs_open_dir(dir, ".");

	fault_arm("close", 1, EIO);
	ck_assert_int_eq(fs_close(&fd), -1);
	ck_assert_int_eq(errno, EIO);
	ck_assert_int_eq(fd, -1);
	ck_assert_int_eq(fs_close(&fd), 0);
	ck_assert_int_eq(fault_calls("close"), 1);
}
END_TEST

START_TEST(fs_free_bytes_asks_the_file_system)
{
	uint64_t bytes = 0;

	ck_assert_int_eq(fs_free_bytes(dir, &bytes), 0);
	ck_assert_uint_gt(bytes, 0);
	ck_assert_int_eq(fs_free_bytes(-1, &bytes), -1);
	ck_assert_int_eq(errno, EBADF);
}
END_TEST

Suite *fs_suite(void)
{
	Suite *s = suite_create("fs");
	TCase *tc = tcase_create("fs");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, fs_read_file_gives_back_what_fs_store_wrote, 0,
			    NROF(sizes));
	tcase_add_test(tc, fs_store_replaces_all_of_a_file);
	tcase_add_test(tc, fs_makes_files_that_others_cannot_read);
	tcase_add_test(tc, fs_store_does_not_follow_a_link);
	tcase_add_loop_test(tc, fs_store_that_fails_leaves_no_file, 0,
			    NROF(failures));
	tcase_add_test(tc, fs_store_that_fails_midway_leaves_no_file);
	tcase_add_loop_test(tc, fs_store_goes_on_after_an_interruption, 0,
			    NROF(interrupted));
	tcase_add_test(tc, fs_read_file_goes_on_after_an_interruption);
	tcase_add_test(tc, fs_sync_dir_goes_on_after_an_interruption);
	tcase_add_test(tc, fs_write_all_goes_on_after_a_short_write);
	tcase_add_test(tc, fs_write_all_tells_a_full_disk);
	tcase_add_loop_test(tc, fs_pread_stops_only_at_the_end, 0,
			    NROF(preads));
	tcase_add_test(tc, fs_read_file_survives_short_reads);
	tcase_add_test(tc, fs_read_file_says_why_not);
	tcase_add_test(tc,
		       fs_make_dir_is_content_with_a_directory_that_is_there);
	tcase_add_test(tc, fs_open_dir_opens_directories_only);
	tcase_add_test(tc, fs_close_forgets_the_descriptor_whatever_happens);
	tcase_add_test(tc, fs_free_bytes_asks_the_file_system);
	suite_add_tcase(s, tc);
	return s;
}
