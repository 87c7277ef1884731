/* SPDX-License-Identifier: GPL-2.0-only */
#include "follow/watcher.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "unit/check_all.h"
#include "unit/fault.h"

enum { LONG = 20000 };

static char root[64], dir_a[96], dir_b[96];

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static const char *path_of(const char *dir, const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void put(const char *dir, const char *name)
{
	int fd = open(path_of(dir, name), O_CREAT | O_WRONLY | O_APPEND, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "x", 1), 1);
	close(fd);
}

static void setup(void)
{
	snprintf(root, sizeof(root), "/tmp/watcher-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
	snprintf(dir_a, sizeof(dir_a), "%s/a", root);
	snprintf(dir_b, sizeof(dir_b), "%s/b", root);
	ck_assert_int_eq(mkdir(dir_a, 0700), 0);
	ck_assert_int_eq(mkdir(dir_b, 0700), 0);
	ck_assert_int_eq(watcher_open(), 0);
}

static void teardown(void)
{
	char command[128];

	watcher_close();
	snprintf(command, sizeof(command), "rm -rf %s", root);
	ck_assert_int_eq(system(command), 0);
}

/* Wait for a notice of that name, past all others. */
static void expect(const char *dir, const char *name)
{
	struct watcher_notice n;
	int64_t end = now_ms() + LONG;

	while (now_ms() < end) {
		if (watcher_wait(end - now_ms(), &n) != WATCHER_NOTICE)
			continue;
		if (strcmp(n.directory, dir) == 0 && strcmp(n.name, name) == 0)
			return;
	}
	ck_abort_msg("no notice of %s in %s", name, dir);
}

static void drain(void)
{
	struct watcher_notice n;

	while (watcher_wait(0, &n) != WATCHER_TIMEOUT)
		;
}

START_TEST(watcher_tells_directory_and_name)
{
	ck_assert_int_eq(watcher_add(dir_a), 0);
	ck_assert_int_eq(watcher_add(dir_b), 0);
	put(dir_b, "one");
	expect(dir_b, "one");
	put(dir_a, "two");
	expect(dir_a, "two");
}
END_TEST

static void act_append(void)
{
	put(dir_a, "file");
}

static void act_move(void)
{
	char to[256];

	snprintf(to, sizeof(to), "%s/new", dir_a);
	ck_assert_int_eq(rename(path_of(dir_a, "file"), to), 0);
}

static void act_remove(void)
{
	ck_assert_int_eq(unlink(path_of(dir_a, "file")), 0);
}

static void act_chmod(void)
{
	ck_assert_int_eq(chmod(path_of(dir_a, "file"), 0640), 0);
}

static void act_truncate(void)
{
	ck_assert_int_eq(truncate(path_of(dir_a, "file"), 0), 0);
}

static const struct {
	void (*act)(void);
	const char *name;
} acts[] = {{act_append, "file"}, {act_move, "file"},  {act_move, "new"},
	    {act_remove, "file"}, {act_chmod, "file"}, {act_truncate, "file"}};

START_TEST(watcher_notices_what_happens_to_a_file)
{
	put(dir_a, "file");
	ck_assert_int_eq(watcher_add(dir_a), 0);
	acts[_i].act();
	expect(dir_a, acts[_i].name);
}
END_TEST

START_TEST(watcher_hands_out_all_of_a_burst_at_once)
{
	struct watcher_notice n;
	int64_t start;
	char name[32], last[32] = "";
	int seen = 0;

	ck_assert_int_eq(watcher_add(dir_a), 0);
	for (int i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		put(dir_a, name);
	}
	start = now_ms();
	while (watcher_wait(0, &n) == WATCHER_NOTICE) {
		if (strcmp(n.name, last) != 0)
			seen++;
		snprintf(last, sizeof(last), "%s", n.name);
	}
	ck_assert_int_eq(seen, 500);
	/* The library alone would have waited a second for the last. */
	ck_assert_int_lt(now_ms() - start, 900);
}
END_TEST

static const int64_t timeouts[] = {0, 1, 30, 250};

START_TEST(watcher_keeps_a_timeout_below_a_second)
{
	struct watcher_notice n;
	int64_t start, took;

	ck_assert_int_eq(watcher_add(dir_a), 0);
	put(dir_a, "x");
	drain();
	start = now_ms();
	ck_assert_int_eq(watcher_wait(timeouts[_i], &n), WATCHER_TIMEOUT);
	took = now_ms() - start;
	ck_assert_int_ge(took, timeouts[_i]);
	ck_assert_int_lt(took, timeouts[_i] + 700);
}
END_TEST

START_TEST(watcher_tells_that_a_directory_went_and_takes_it_again)
{
	struct watcher_notice n;

	for (int i = 0; i < 50; i++) {
		ck_assert_int_eq(watcher_add(dir_a), 0);
		ck_assert_int_eq(watcher_add(dir_b), 0);
		put(dir_a, "x");
		expect(dir_a, "x");
		unlink(path_of(dir_a, "x"));
		ck_assert_int_eq(rmdir(dir_a), 0);
		expect(dir_a, "");
		ck_assert_int_eq(watcher_wait(LONG, &n), WATCHER_OVERFLOW);
		ck_assert_int_eq(watcher_add(dir_a), -1);
		ck_assert_int_eq(errno, ENOENT);
		put(dir_b, "still");
		expect(dir_b, "still");
		ck_assert_int_eq(mkdir(dir_a, 0700), 0);
	}
}
END_TEST

START_TEST(watcher_tells_that_a_directory_was_moved)
{
	char moved[128];

	snprintf(moved, sizeof(moved), "%s/moved", root);
	ck_assert_int_eq(watcher_add(dir_a), 0);
	ck_assert_int_eq(rename(dir_a, moved), 0);
	expect(dir_a, "");
	ck_assert_int_eq(watcher_add(moved), 0);
	put(moved, "x");
	expect(moved, "x");
}
END_TEST

START_TEST(watcher_sees_another_directory_at_the_same_name)
{
	char moved[128];

	snprintf(moved, sizeof(moved), "%s/moved", root);
	ck_assert_int_eq(watcher_add(dir_a), 0);
	ck_assert_int_eq(rename(dir_a, moved), 0);
	ck_assert_int_eq(mkdir(dir_a, 0700), 0);
	ck_assert_int_eq(watcher_add(dir_a), 0);
	put(dir_a, "x");
	expect(dir_a, "x");
}
END_TEST

START_TEST(watcher_tells_each_name_of_a_directory)
{
	char link_a[128];

	snprintf(link_a, sizeof(link_a), "%s/link", root);
	ck_assert_int_eq(symlink("a", link_a), 0);
	ck_assert_int_eq(watcher_add(dir_a), 0);
	ck_assert_int_eq(watcher_add(link_a), 0);
	put(dir_a, "x");
	expect(dir_a, "x");
	expect(link_a, "x");
	watcher_remove(dir_a);
	put(dir_a, "y");
	expect(link_a, "y");
}
END_TEST

START_TEST(watcher_does_not_tell_of_a_removed_directory)
{
	struct watcher_notice n;

	ck_assert_int_eq(watcher_add(dir_a), 0);
	ck_assert_int_eq(watcher_add(dir_b), 0);
	watcher_remove(dir_a);
	watcher_remove("/nonexistent");
	ck_assert_int_eq(watcher_wait(LONG, &n), WATCHER_OVERFLOW);
	put(dir_a, "x");
	put(dir_b, "y");
	ck_assert_int_eq(watcher_wait(LONG, &n), WATCHER_NOTICE);
	ck_assert_str_eq(n.directory, dir_b);
}
END_TEST

START_TEST(watcher_watches_directories_only)
{
	put(dir_a, "file");
	ck_assert_int_eq(watcher_add(path_of(dir_a, "file")), -1);
	ck_assert_int_eq(errno, ENOTDIR);
	ck_assert_int_eq(watcher_add("/nonexistent/x"), -1);
	ck_assert_int_eq(errno, ENOENT);
}
END_TEST

static void *wake(void *unused)
{
	watcher_wake();
	return unused;
}

START_TEST(watcher_wakes_from_another_thread)
{
	struct watcher_notice n;
	pthread_t thread;
	int64_t start = now_ms();

	ck_assert_int_eq(watcher_add(dir_a), 0);
	for (int i = 0; i < 100; i++) {
		ck_assert_int_eq(pthread_create(&thread, NULL, wake, NULL), 0);
		ck_assert_int_eq(watcher_wait(LONG, &n), WATCHER_WOKEN);
		pthread_join(thread, NULL);
	}
	ck_assert_int_eq(watcher_wait(0, &n), WATCHER_TIMEOUT);
	ck_assert_int_lt(now_ms() - start, LONG);
}
END_TEST

START_TEST(watcher_wake_before_the_wait_ends_it_at_once)
{
	struct watcher_notice n;

	watcher_wake();
	watcher_wake();
	ck_assert_int_eq(watcher_wait(LONG, &n), WATCHER_WOKEN);
	ck_assert_int_eq(watcher_wait(0, &n), WATCHER_TIMEOUT);
	watcher_wake();
	ck_assert(watcher_sleep(LONG));
	ck_assert(!watcher_sleep(1));
}
END_TEST

START_TEST(watcher_wakes_although_notices_pour_in)
{
	struct watcher_notice n;
	enum watcher_what what = WATCHER_TIMEOUT;

	ck_assert_int_eq(watcher_add(dir_a), 0);
	for (int i = 0; i < 100; i++)
		put(dir_a, i % 2 ? "x" : "y");
	ck_assert_int_eq(watcher_wait(LONG, &n), WATCHER_NOTICE);
	watcher_wake();
	/* Those that were read already come first, and no others. */
	for (int i = 0; i < 1000; i++) {
		put(dir_a, i % 2 ? "x" : "y");
		what = watcher_wait(LONG, &n);
		if (what == WATCHER_WOKEN)
			break;
	}
	ck_assert_int_eq(what, WATCHER_WOKEN);
	expect(dir_a, "x");
}
END_TEST

static void on_alarm(int unused)
{
	(void)unused;
	watcher_wake();
}

START_TEST(watcher_wakes_from_a_signal_handler)
{
	struct sigaction action = {.sa_handler = on_alarm,
				   .sa_flags = SA_RESTART};
	struct itimerval soon = {.it_value.tv_usec = 20000};
	struct watcher_notice n;
	int64_t start = now_ms();

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	ck_assert_int_eq(watcher_wait(LONG, &n), WATCHER_WOKEN);
	setitimer(ITIMER_REAL, &soon, NULL);
	watcher_sleep(LONG);
	ck_assert_int_lt(now_ms() - start, LONG);
	signal(SIGALRM, SIG_IGN);
}
END_TEST

START_TEST(watcher_sleep_leaves_the_notices)
{
	int64_t start = now_ms();

	ck_assert_int_eq(watcher_add(dir_a), 0);
	put(dir_a, "x");
	watcher_sleep(50);
	ck_assert_int_ge(now_ms() - start, 50);
	expect(dir_a, "x");
}
END_TEST

/* Set the queue's length; false where that is not allowed. */
static bool set_queue(const char *length, char *old_out, size_t size)
{
	static const char knob[] = "/proc/sys/fs/inotify/max_queued_events";
	FILE *f = fopen(knob, "r+");
	bool done;

	if (!f)
		return false;
	if (old_out && !fgets(old_out, (int)size, f))
		old_out[0] = '\0';
	rewind(f);
	done = fputs(length, f) >= 0;
	return fclose(f) == 0 && done;
}

START_TEST(watcher_tells_that_notices_were_lost)
{
	struct watcher_notice n;
	enum watcher_what what;
	char old[32], name[32];
	int files = set_queue("16", old, sizeof(old)) ? 40 : 20000;

	watcher_close();
	ck_assert_int_eq(watcher_open(), 0);
	if (files == 40)
		set_queue(old, NULL, 0);
	ck_assert_int_eq(watcher_add(dir_a), 0);
	for (int i = 0; i < files; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		put(dir_a, name);
	}
	while ((what = watcher_wait(0, &n)) == WATCHER_NOTICE)
		;
	ck_assert_int_eq(what, WATCHER_OVERFLOW);
	drain();
	put(dir_a, "after");
	expect(dir_a, "after");
}
END_TEST

START_TEST(watcher_works_without_the_librarys_descriptor)
{
	struct watcher_notice n;

	watcher_close();
	fault_arm_from("openat", 1, ENOENT);
	ck_assert_int_eq(watcher_open(), 0);
	fault_disarm();
	ck_assert_int_eq(watcher_add(dir_a), 0);
	put(dir_a, "x");
	expect(dir_a, "x");
	ck_assert_int_eq(watcher_wait(20, &n), WATCHER_TIMEOUT);
	watcher_wake();
	ck_assert_int_eq(watcher_wait(5000, &n), WATCHER_WOKEN);
}
END_TEST

START_TEST(watcher_forgets_old_notices_when_opened_again)
{
	struct watcher_notice n;

	ck_assert_int_eq(watcher_add(dir_a), 0);
	put(dir_a, "x");
	put(dir_a, "y");
	ck_assert_int_eq(watcher_wait(LONG, &n), WATCHER_NOTICE);
	watcher_close();
	ck_assert_int_eq(watcher_open(), 0);
	ck_assert_int_eq(watcher_add(dir_b), 0);
	ck_assert_int_eq(watcher_wait(0, &n), WATCHER_TIMEOUT);
	put(dir_b, "z");
	ck_assert_int_eq(watcher_wait(LONG, &n), WATCHER_NOTICE);
	ck_assert_str_eq(n.name, "z");
}
END_TEST

static int inotify_fds(int *cloexec_out)
{
	int count = 0;

	*cloexec_out = 0;
	for (int fd = 0; fd < 256; fd++) {
		char link[64], path[64];
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		n = readlink(path, link, sizeof(link) - 1);
		link[n > 0 ? n : 0] = '\0';
		if (strcmp(link, "anon_inode:inotify") == 0) {
			count++;
			*cloexec_out += (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0;
		}
	}
	return count;
}

START_TEST(watcher_descriptors_are_not_inherited_and_are_closed)
{
	int cloexec, count = inotify_fds(&cloexec);

	ck_assert_int_ge(count, 1);
	ck_assert_int_eq(cloexec, count);
	watcher_close();
	ck_assert_int_eq(inotify_fds(&cloexec), 0);
	watcher_wake();
	ck_assert_int_eq(watcher_open(), 0);
}
END_TEST

Suite *watcher_suite(void)
{
	Suite *s = suite_create("watcher");
	TCase *tc = tcase_create("watcher");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, watcher_tells_directory_and_name);
	tcase_add_loop_test(tc, watcher_notices_what_happens_to_a_file, 0,
			    NROF(acts));
	tcase_add_test(tc, watcher_hands_out_all_of_a_burst_at_once);
	tcase_add_loop_test(tc, watcher_keeps_a_timeout_below_a_second, 0,
			    NROF(timeouts));
	tcase_add_test(tc,
		       watcher_tells_that_a_directory_went_and_takes_it_again);
	tcase_add_test(tc, watcher_tells_that_a_directory_was_moved);
	tcase_add_test(tc, watcher_sees_another_directory_at_the_same_name);
	tcase_add_test(tc, watcher_tells_each_name_of_a_directory);
	tcase_add_test(tc, watcher_does_not_tell_of_a_removed_directory);
	tcase_add_test(tc, watcher_watches_directories_only);
	tcase_add_test(tc, watcher_wakes_from_another_thread);
	tcase_add_test(tc, watcher_wake_before_the_wait_ends_it_at_once);
	tcase_add_test(tc, watcher_wakes_although_notices_pour_in);
	tcase_add_test(tc, watcher_wakes_from_a_signal_handler);
	tcase_add_test(tc, watcher_sleep_leaves_the_notices);
	tcase_add_test(tc, watcher_tells_that_notices_were_lost);
	tcase_add_test(tc, watcher_works_without_the_librarys_descriptor);
	tcase_add_test(tc, watcher_forgets_old_notices_when_opened_again);
	tcase_add_test(tc,
		       watcher_descriptors_are_not_inherited_and_are_closed);
	suite_add_tcase(s, tc);
	return s;
}
