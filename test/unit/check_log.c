/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "unit/check_all.h"
#include "unit/fault.h"

static struct buf seen;
static int ends[2], saved_stderr;

static void sink(int priority, const char *line)
{
	errno = EPERM;
	buf_addf(&seen, "<%d>%s|", priority, line);
}

static void setup(void)
{
	buf_init(&seen, 1 << 20);
	log_set_sink(sink);
	log_set_level(LOG_LEVEL_INFO);
}

static void teardown(void)
{
	fault_disarm();
	log_set_sink(NULL);
	log_set_level(LOG_LEVEL_INFO);
	unsetenv("JOURNAL_STREAM");
	buf_release(&seen);
}

/* Put a pipe in the place of standard error; capture_end() gives what came. */
static void capture(void)
{
	log_set_sink(NULL);
	ck_assert_int_eq(pipe(ends), 0);
	saved_stderr = dup(STDERR_FILENO);
	ck_assert_int_ge(saved_stderr, 0);
	ck_assert_int_ge(dup2(ends[1], STDERR_FILENO), 0);
}

static const char *capture_end(void)
{
	char bytes[4096];
	ssize_t n;

	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	close(ends[1]);
	while ((n = read(ends[0], bytes, sizeof(bytes))) > 0)
		buf_add(&seen, bytes, (size_t)n);
	close(ends[0]);
	return buf_str(&seen);
}

static void say_all(void)
{
	errno = ENOSPC;
	log_error("e%d", 1);
	log_errorx("ex%d", 2);
	errno = EACCES;
	log_warn("w%d", 3);
	log_warnx("wx%d", 4);
	log_info("i%d", 5);
	log_debug("d%d", 6);
}

static const struct {
	enum log_level level;
	const char *want;
} levels[] = {
	{LOG_LEVEL_QUIET, "<3>e1: No space left on device|<3>ex2|"
			  "<4>w3: Permission denied|<4>wx4|"},
	{LOG_LEVEL_INFO, "<3>e1: No space left on device|<3>ex2|"
			 "<4>w3: Permission denied|<4>wx4|<6>i5|"},
	{LOG_LEVEL_DEBUG, "<3>e1: No space left on device|<3>ex2|"
			  "<4>w3: Permission denied|<4>wx4|<6>i5|<7>d6|"},
};

START_TEST(log_level_chooses_and_x_means_no_errno)
{
	log_set_level(levels[_i].level);
	ck_assert_int_eq(log_is_debug(), levels[_i].level == LOG_LEVEL_DEBUG);
	say_all();
	ck_assert_str_eq(buf_str(&seen), levels[_i].want);
}
END_TEST

START_TEST(log_keeps_errno)
{
	void (*const forms[])(const char *, ...) = {
		log_error, log_errorx, log_warn, log_warnx, log_info, log_debug,
	};

	log_set_level(LOG_LEVEL_DEBUG);
	for (size_t i = 0; i < NROF(forms); i++) {
		errno = EXDEV;
		forms[i]("%s", "x");
		ck_assert_int_eq(errno, EXDEV);
	}
	/* Also when standard error is gone. */
	log_set_sink(NULL);
	fault_arm_from("write", 1, EPIPE);
	errno = EXDEV;
	log_warnx("nobody hears this");
	ck_assert_int_eq(errno, EXDEV);
}
END_TEST

static const struct {
	const char *text, *want;
} masks[] = {
	{"plain text, \"quotes\" and \\", "plain text, \"quotes\" and \\"},
	{"a\nsparktail: forged", "a?sparktail: forged"},
	{"\r\t\b\a\x1b[2J\x7f", "?????[2J?"},
	{"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x93\xa7",
	 "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x93\xa7"},
	{"caf\xe9", "caf?"},
	{"\xc2\x9b"
	 "2J",
	 "??2J"},
	{"\xc2\x80\xc2\x9f\xc2\xa0", "????\xc2\xa0"},
	{"\xed\xa0\x80", "???"},
	{"\xff\xfe", "??"},
	{"\xe2\x82", "??"},
};

START_TEST(log_shows_no_byte_that_could_forge_or_move)
{
	struct buf want;

	buf_init(&want, 1000);
	buf_addf(&want, "<4>%s|", masks[_i].want);
	log_warnx("%s", masks[_i].text);
	ck_assert_str_eq(buf_str(&seen), buf_str(&want));
	buf_release(&want);
}
END_TEST

START_TEST(log_cuts_a_long_line_and_keeps_its_reason)
{
	for (int len = 2030; len < 2070; len++) {
		const char *end = len < 2048 ? "0: No space left on device|"
					     : ".: No space left on device|";
		struct slice line;

		buf_reset(&seen);
		errno = ENOSPC;
		log_error("%0*d", len, 0);
		line = buf_slice(&seen);
		ck_assert_uint_eq(
			line.len,
			(size_t)(len < 2048 ? len : 2047) +
				strlen("<3>: No space left on device|"));
		ck_slice(slice_skip(line, line.len - strlen(end)), end);
	}
}
END_TEST

/* The cut may go through a character; what is left of it is no text. */
START_TEST(log_cuts_to_valid_text)
{
	struct buf text;

	buf_init(&text, 10000);
	for (int i = 0; i < 1000; i++)
		buf_add_str(&text, "\xe2\x82\xac");
	for (int skip = 0; skip < 3; skip++) {
		buf_reset(&seen);
		log_warnx("%*s%s", skip, "", buf_str(&text));
		ck_assert_uint_eq(utf8_valid(buf_slice(&seen)), seen.len);
		ck_assert_uint_eq(seen.len, 3 + 2047 + 1);
	}
	buf_release(&text);
}
END_TEST

START_TEST(log_begins_with_the_name_on_a_terminal)
{
	capture();
	say_all();
	ck_assert_str_eq(capture_end(),
			 "sparktail: e1: No space left on device\n"
			 "sparktail: ex2\n"
			 "sparktail: w3: Permission denied\n"
			 "sparktail: wx4\n"
			 "sparktail: i5\n");
}
END_TEST

static void journal_is(int fd)
{
	struct stat st;
	char text[64];

	ck_assert_int_eq(fstat(fd, &st), 0);
	snprintf(text, sizeof(text), "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", text, 1);
}

START_TEST(log_begins_with_the_priority_when_the_journal_reads)
{
	capture();
	journal_is(STDERR_FILENO);
	log_set_level(LOG_LEVEL_DEBUG);
	say_all();
	ck_assert_str_eq(capture_end(), "<3>e1: No space left on device\n"
					"<3>ex2\n"
					"<4>w3: Permission denied\n"
					"<4>wx4\n"
					"<6>i5\n"
					"<7>d6\n");
}
END_TEST

START_TEST(log_is_not_misled_by_an_inherited_journal_variable)
{
	capture();
	journal_is(STDIN_FILENO);
	log_warnx("x");
	setenv("JOURNAL_STREAM", "", 1);
	log_warnx("y");
	ck_assert_str_eq(capture_end(), "sparktail: x\nsparktail: y\n");
}
END_TEST

START_TEST(log_writes_each_line_at_once_and_whole)
{
	capture();
	fault_arm("write", 1, EINTR);
	log_warnx("%0*d", 2000, 0);
	ck_assert_int_eq(fault_calls("write"), 2);
	fault_disarm();
	capture_end();
	ck_assert_uint_eq(seen.len, strlen("sparktail: \n") + 2000);
}
END_TEST

Suite *log_suite(void)
{
	Suite *s = suite_create("log");
	TCase *tc = tcase_create("log");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, log_level_chooses_and_x_means_no_errno, 0,
			    NROF(levels));
	tcase_add_test(tc, log_keeps_errno);
	tcase_add_loop_test(tc, log_shows_no_byte_that_could_forge_or_move, 0,
			    NROF(masks));
	tcase_add_test(tc, log_cuts_a_long_line_and_keeps_its_reason);
	tcase_add_test(tc, log_cuts_to_valid_text);
	tcase_add_test(tc, log_begins_with_the_name_on_a_terminal);
	tcase_add_test(tc, log_begins_with_the_priority_when_the_journal_reads);
	tcase_add_test(tc, log_is_not_misled_by_an_inherited_journal_variable);
	tcase_add_test(tc, log_writes_each_line_at_once_and_whole);
	suite_add_tcase(s, tc);
	return s;
}
