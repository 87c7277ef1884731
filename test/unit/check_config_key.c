/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/config.h"
#include "base/fs.h"
#include "unit/check_all.h"
#include "unit/fault.h"

/* Where the API key comes from, what it may be, and that nobody sees it. */

#define KEY   "0123456789abcdef0123456789abcdef01234567"
#define OTHER "fedcba9876543210fedcba9876543210fedcba98"

static char dir[128];
static struct buf errors, text;

static void setup(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(dir, sizeof(dir), "%.90s/check_config_XXXXXX",
		 tmp && *tmp ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	buf_init(&errors, 1 << 20);
	buf_init(&text, 1 << 20);
	unsetenv("CREDENTIALS_DIRECTORY");
	unsetenv("CHECK_CONFIG_KEY");
}

static void teardown(void)
{
	static const char *const names[] = {"x.yaml", "key", "api.key",
					    "fifo",   "ca",  "sub"};

	fault_disarm();
	for (size_t i = 0; i < NROF(names); i++) {
		char path[256];

		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		ck_assert(remove(path) == 0 || errno == ENOENT);
	}
	ck_assert_int_eq(rmdir(dir), 0);
	buf_release(&errors);
	buf_release(&text);
}

static void put(const char *name, const char *content, mode_t mode)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	ck_assert_int_eq(fs_store(AT_FDCWD, path, content, strlen(content)), 0);
	ck_assert_int_eq(chmod(path, mode), 0);
}

/* The configuration has "ingest: {...}"; "@" stands for the directory. */
static struct config *load(const char *ingest)
{
	char path[256];

	buf_reset(&text);
	buf_reset(&errors);
	buf_add_str(&text, "sources: [{path: /x}]\ningest: {");
	for (const char *p = ingest; *p; p++) {
		if (*p == '@')
			buf_add_str(&text, dir);
		else
			buf_add_char(&text, *p);
	}
	buf_add_str(&text, "}\n");
	put("x.yaml", buf_str(&text), 0644);
	snprintf(path, sizeof(path), "%s/x.yaml", dir);
	return config_load(path, CONFIG_FOR_SHIPPING, &errors);
}

/* Exactly these mistakes: "@" as above. */
static void ck_errors(const char *want)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	for (; *want; want++) {
		if (*want == '@')
			buf_add_str(&b, dir);
		else
			buf_add_char(&b, *want);
	}
	ck_slice(buf_slice(&errors), buf_str(&b));
	buf_release(&b);
}

static void ck_key(struct config *config, const char *key)
{
	ck_slice(buf_slice(&errors), "");
	ck_assert_ptr_nonnull(config);
	ck_assert_pstr_eq(config->http.api_key, key);
	config_free(&config);
}

static const struct {
	mode_t mode;
	bool good;
} modes[] = {{0400, true},  {0600, true},  {0440, true},  {0640, true},
	     {0660, true},  {0644, false}, {0604, false}, {0601, false},
	     {0602, false}, {0666, false}};

START_TEST(key_file_is_closed_to_others)
{
	struct config *config;

	put("key", KEY "\n", modes[_i].mode);
	config = load("api_key_file: @/key");
	if (modes[_i].good) {
		ck_key(config, KEY);
		return;
	}
	ck_assert_ptr_null(config);
	buf_reset(&text);
	buf_addf(&text,
		 "@/x.yaml:2:24: ingest.api_key_file: @/key is open to others "
		 "(mode %04o); run \"chmod o= @/key\", and replace the key if "
		 "others may have read it\n",
		 (unsigned int)modes[_i].mode);
	ck_errors(buf_str(&text));
}
END_TEST

#define TEN	"0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define KEY512	HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED TEN "12"

static const struct {
	const char *content, *key, *wrong;
} contents[] = {
	{KEY, KEY, NULL},
	{KEY "\n", KEY, NULL},
	{KEY "\r\n", KEY, NULL},
	{" \t\n" KEY " \n\n", KEY, NULL},
	{"x", "x", NULL},
	{"!~", "!~", NULL},
	{KEY512 "\n", KEY512, NULL},
	{KEY512 "3\n", NULL,
	 "holds more than a key: no key is longer than 512 characters"},
	{"", NULL, "holds no key; write the API key into it"},
	{" \n\t\n", NULL, "holds no key; write the API key into it"},
	{KEY "\n" OTHER "\n", NULL,
	 "holds more than a key; it must be one line of printable ASCII "
	 "without blanks"},
	{KEY " " OTHER, NULL,
	 "holds more than a key; it must be one line of printable ASCII "
	 "without blanks"},
	{KEY "\x01", NULL,
	 "holds more than a key; it must be one line of printable ASCII "
	 "without blanks"},
	{KEY "\x7f", NULL,
	 "holds more than a key; it must be one line of printable ASCII "
	 "without blanks"},
	{KEY "\xc3\xa9", NULL,
	 "holds more than a key; it must be one line of printable ASCII "
	 "without blanks"},
};

START_TEST(key_is_one_line_of_printable_ascii)
{
	struct config *config;

	put("key", contents[_i].content, 0600);
	config = load("api_key_file: @/key");
	if (contents[_i].key) {
		ck_key(config, contents[_i].key);
		return;
	}
	ck_assert_ptr_null(config);
	ck_assert_ptr_null(strstr(buf_str(&errors), KEY));
	ck_assert_ptr_null(strstr(buf_str(&errors), OTHER));
	buf_reset(&text);
	buf_addf(&text, "@/x.yaml:2:24: ingest.api_key_file: @/key %s\n",
		 contents[_i].wrong);
	ck_errors(buf_str(&text));
}
END_TEST

START_TEST(huge_key_file_is_not_read_to_its_end)
{
	struct buf huge;

	buf_init(&huge, 1 << 20);
	for (size_t i = 0; i < 100000; i++)
		buf_add_char(&huge, 'x');
	put("key", buf_str(&huge), 0600);
	ck_assert_ptr_null(load("api_key_file: @/key"));
	ck_errors("@/x.yaml:2:24: ingest.api_key_file: @/key holds more than a "
		  "key: no key is longer than 512 characters\n");
	buf_release(&huge);
}
END_TEST

START_TEST(key_file_must_be_a_file)
{
	char path[256];

	ck_assert_ptr_null(load("api_key_file: @/key"));
	ck_errors("@/x.yaml:2:24: ingest.api_key_file: @/key: No such file or "
		  "directory; write the API key into it\n");
	snprintf(path, sizeof(path), "%s/sub", dir);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_ptr_null(load("api_key_file: @/sub"));
	ck_errors("@/x.yaml:2:24: ingest.api_key_file: @/sub is not a file; "
		  "name the one with the key\n");
	/* Nobody writes to it, and we do not wait for anybody. */
	snprintf(path, sizeof(path), "%s/fifo", dir);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_ptr_null(load("api_key_file: @/fifo"));
	ck_errors("@/x.yaml:2:24: ingest.api_key_file: @/fifo is not a file; "
		  "name the one with the key\n");
}
END_TEST

START_TEST(key_file_that_cannot_be_read_is_reported)
{
	put("key", KEY, 0600);
	fault_arm("pread", 1, EIO);
	ck_assert_ptr_null(load("api_key_file: @/key"));
	fault_disarm();
	ck_errors("@/x.yaml:2:24: ingest.api_key_file: @/key: Input/output "
		  "error\n");
}
END_TEST

START_TEST(missing_default_key_file_is_reported_at_the_top)
{
	ck_assert_ptr_null(load(""));
	ck_errors("@/x.yaml:1:1: ingest.api_key_file: " SYSCONFDIR
		  "/sparktail/api.key: No such file or directory; write the "
		  "API key into it\n");
}
END_TEST

START_TEST(key_comes_from_the_environment)
{
	ck_assert_ptr_null(load("api_key_env: CHECK_CONFIG_KEY"));
	ck_errors("@/x.yaml:2:23: ingest.api_key_env: this environment "
		  "variable is not set\n");
	setenv("CHECK_CONFIG_KEY", "", 1);
	ck_assert_ptr_null(load("api_key_env: CHECK_CONFIG_KEY"));
	ck_errors("@/x.yaml:2:23: ingest.api_key_env: this variable holds no "
		  "key; write the API key into it\n");
	setenv("CHECK_CONFIG_KEY", KEY " " OTHER, 1);
	ck_assert_ptr_null(load("api_key_env: CHECK_CONFIG_KEY"));
	ck_assert_ptr_null(strstr(buf_str(&errors), KEY));
	setenv("CHECK_CONFIG_KEY", KEY "\n", 1);
	ck_key(load("api_key_env: CHECK_CONFIG_KEY"), KEY);
}
END_TEST

START_TEST(environment_then_file_then_credential)
{
	setenv("CHECK_CONFIG_KEY", "from-environment", 1);
	setenv("CREDENTIALS_DIRECTORY", dir, 1);
	put("key", "from-file", 0600);
	put("api.key", "from-credential", 0400);
	ck_key(load("api_key_env: CHECK_CONFIG_KEY, api_key_file: @/key"),
	       "from-environment");
	ck_key(load("api_key_file: @/key"), "from-file");
	ck_key(load(""), "from-credential");
}
END_TEST

START_TEST(credential_that_is_not_there_leaves_the_default)
{
	setenv("CREDENTIALS_DIRECTORY", dir, 1);
	ck_assert_ptr_null(load(""));
	ck_errors("@/x.yaml:1:1: ingest.api_key_file: " SYSCONFDIR
		  "/sparktail/api.key: No such file or directory; write the "
		  "API key into it\n");
	setenv("CREDENTIALS_DIRECTORY", "relative", 1);
	ck_assert_ptr_null(load(""));
}
END_TEST

/* What was configured is meant, not what happens to lie about. */
START_TEST(wrong_key_setting_is_one_mistake)
{
	setenv("CREDENTIALS_DIRECTORY", dir, 1);
	put("api.key", KEY, 0400);
	ck_assert_ptr_null(load("api_key_env: not-a-name"));
	ck_errors("@/x.yaml:2:23: ingest.api_key_env: must be the name of an "
		  "environment variable: letters, digits and _\n");
	ck_assert_ptr_null(load("api_key_file: relative"));
	ck_errors("@/x.yaml:2:24: ingest.api_key_file: must be an absolute "
		  "path; begin it with /\n");
}
END_TEST

START_TEST(key_can_be_read_again_and_a_bad_one_changes_nothing)
{
	struct config *config;
	struct buf why;

	buf_init(&why, 1000);
	put("key", KEY, 0600);
	config = load("api_key_file: @/key");
	ck_assert_ptr_nonnull(config);
	put("key", OTHER, 0600);
	ck_assert_int_eq(config_read_key(config, &why), 0);
	ck_assert_str_eq(config->http.api_key, OTHER);
	put("key", "two words", 0600);
	ck_assert_int_eq(config_read_key(config, &why), -1);
	ck_assert_uint_gt(why.len, 0);
	ck_assert_str_eq(config->http.api_key, OTHER);
	config_free(&config);
	buf_release(&why);
}
END_TEST

START_TEST(reading_needs_no_key_and_no_sources)
{
	struct config *config;
	char path[256];

	put("x.yaml", "node_name: x\n", 0644);
	snprintf(path, sizeof(path), "%s/x.yaml", dir);
	config = config_load(path, CONFIG_FOR_READING, &errors);
	ck_key(config, NULL);
}
END_TEST

START_TEST(ca_file_must_be_readable)
{
	put("key", KEY, 0600);
	put("ca", "x", 0600);
	ck_key(load("api_key_file: @/key, ca_file: @/ca"), KEY);
	ck_assert_ptr_null(load("api_key_file: @/key, ca_file: @/none"));
	ck_assert_ptr_nonnull(strstr(buf_str(&errors), ": ingest.ca_file: /"));
	ck_assert_ptr_nonnull(strstr(buf_str(&errors),
				     "/none: No such file or directory; "
				     "name a file of certificates (PEM)"));
}
END_TEST

START_TEST(file_that_cannot_be_read_is_one_line)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/x.yaml", dir);
	ck_assert_ptr_null(config_load(path, CONFIG_FOR_READING, &errors));
	ck_errors("@/x.yaml: No such file or directory; name the "
		  "configuration with -c\n");
	buf_reset(&errors);
	ck_assert_ptr_null(config_load(dir, CONFIG_FOR_READING, &errors));
	ck_errors("@: Is a directory; name the configuration with -c\n");
}
END_TEST

START_TEST(file_has_a_largest_size)
{
	struct buf huge;
	char path[256];

	buf_init(&huge, CONFIG_MAX + 1);
	while (huge.len < CONFIG_MAX)
		buf_add_str(&huge, "#\n");
	put("x.yaml", buf_str(&huge), 0644);
	snprintf(path, sizeof(path), "%s/x.yaml", dir);
	ck_key(config_load(path, CONFIG_FOR_READING, &errors), NULL);
	buf_add_char(&huge, '#');
	put("x.yaml", buf_str(&huge), 0644);
	ck_assert_ptr_null(config_load(path, CONFIG_FOR_READING, &errors));
	ck_errors("@/x.yaml: larger than 4 MiB; use patterns in mapping\n");
	buf_release(&huge);
}
END_TEST

static TCase *files(void)
{
	TCase *tc = tcase_create("files");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, ca_file_must_be_readable);
	tcase_add_test(tc, file_that_cannot_be_read_is_one_line);
	tcase_add_test(tc, file_has_a_largest_size);
	return tc;
}

Suite *config_key_suite(void)
{
	Suite *s = suite_create("config_key");
	TCase *tc = tcase_create("key");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, key_file_is_closed_to_others, 0, NROF(modes));
	tcase_add_loop_test(tc, key_is_one_line_of_printable_ascii, 0,
			    NROF(contents));
	tcase_add_test(tc, huge_key_file_is_not_read_to_its_end);
	tcase_add_test(tc, key_file_must_be_a_file);
	tcase_add_test(tc, key_file_that_cannot_be_read_is_reported);
	tcase_add_test(tc, missing_default_key_file_is_reported_at_the_top);
	tcase_add_test(tc, key_comes_from_the_environment);
	tcase_add_test(tc, environment_then_file_then_credential);
	tcase_add_test(tc, credential_that_is_not_there_leaves_the_default);
	tcase_add_test(tc, wrong_key_setting_is_one_mistake);
	tcase_add_test(tc, key_can_be_read_again_and_a_bad_one_changes_nothing);
	tcase_add_test(tc, reading_needs_no_key_and_no_sources);
	suite_add_tcase(s, tc);
	suite_add_tcase(s, files());
	return s;
}
