/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/config_parts.h"
#include "base/fs.h"
#include "base/mem.h"

/*
 * The key is read into an array that is overwritten before it goes, and copied
 * once, to its place in the configuration.  Messages name the file or say that
 * it was the variable; neither a variable's name nor anything that was read is
 * repeated, because somebody may have put the key in the wrong place.
 */

enum { SECRET_MAX = 512, SECRET_FILE_MAX = 4096 };

void config_secret_free(char **secret)
{
	if (*secret)
		explicit_bzero(*secret, strlen(*secret));
	mem_free(*secret);
	*secret = NULL;
}

static int config_secret_take(struct config *config, struct slice text,
			      const char *origin, struct buf *why)
{
	text = slice_trim(text);
	if (!text.len) {
		buf_addf(why, "%s holds no key; write the API key into it",
			 origin);
		return -1;
	}
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] > 0x20 && text.p[i] < 0x7f)
			continue;
		buf_addf(why,
			 "%s holds more than a key; it must be one line of "
			 "printable ASCII without blanks",
			 origin);
		return -1;
	}
	if (text.len > SECRET_MAX) {
		buf_addf(why,
			 "%s holds more than a key: no key is longer than %d "
			 "characters",
			 origin, SECRET_MAX);
		return -1;
	}
	config_secret_free(&config->http.api_key);
	config->http.api_key = mem_str_of(text);
	return 0;
}

static int config_secret_check(const struct stat *st, const char *path,
			       struct buf *why)
{
	if (!S_ISREG(st->st_mode)) {
		buf_addf(why, "%s is not a file; name the one with the key",
			 path);
		return -1;
	}
	if (st->st_mode & S_IRWXO) {
		buf_addf(why,
			 "%s is open to others (mode %04o); run \"chmod o= "
			 "%s\", and replace the key if others may have read it",
			 path, (unsigned int)st->st_mode & 07777u, path);
		return -1;
	}
	return 0;
}

static int config_secret_read(struct config *config, int fd, struct buf *why)
{
	const char *path = config->api_key_file;
	char text[SECRET_FILE_MAX];
	struct stat st;
	ssize_t n;
	int status;

	if (fstat(fd, &st) < 0) {
		buf_addf(why, "%s: %s", path, strerror(errno));
		return -1;
	}
	if (config_secret_check(&st, path, why) < 0)
		return -1;
	n = fs_pread(fd, text, sizeof(text), 0);
	if (n < 0) {
		buf_addf(why, "%s: %s", path, strerror(errno));
		status = -1;
	} else {
		status = config_secret_take(config, slice_of(text, (size_t)n),
					    path, why);
	}
	explicit_bzero(text, sizeof(text));
	return status;
}

int config_read_key(struct config *config, struct buf *why)
{
	int fd, status;

	if (config->api_key_env) {
		const char *text = getenv(config->api_key_env);

		if (text)
			return config_secret_take(config, slice_str(text),
						  "this variable", why);
		buf_add_str(why, "this environment variable is not set");
		return -1;
	}
	/* A fifo must not make us wait. */
	fd = openat(AT_FDCWD, config->api_key_file,
		    O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0) {
		buf_addf(why, "%s: %s; write the API key into it",
			 config->api_key_file, strerror(errno));
		return -1;
	}
	status = config_secret_read(config, fd, why);
	fs_close(&fd);
	return status;
}

/* systemd's LoadCredential=api.key:... counts where no key is configured. */
static void config_secret_credential(struct config *config)
{
	const char *directory = getenv("CREDENTIALS_DIRECTORY");
	struct buf path;

	if (!directory || directory[0] != '/')
		return;
	buf_init(&path, 4095);
	if (buf_addf(&path, "%s/api.key", directory) == 0 &&
	    access(buf_str(&path), F_OK) == 0) {
		mem_free(config->api_key_file);
		config->api_key_file = mem_str(buf_str(&path));
	}
	buf_release(&path);
}

void config_secret_apply(struct config_reader *reader)
{
	struct config *config = reader->config;
	size_t file = config_row_of("ingest.api_key_file");
	size_t env = config_row_of("ingest.api_key_env");
	struct buf why;

	buf_init(&why, MISTAKES_TEXT);
	if (config->http.ca_file && access(config->http.ca_file, R_OK) < 0) {
		buf_addf(&why, "%s: %s; name a file of certificates (PEM)",
			 config->http.ca_file, strerror(errno));
		config_wrong_key(reader, "ingest.ca_file", buf_str(&why));
		buf_reset(&why);
	}
	if (!config->api_key_env && !reader->given[file])
		config_secret_credential(config);
	/* Where one was wrong, another one is not what was meant. */
	if (!reader->wrong[env] && !reader->wrong[file] &&
	    config_read_key(config, &why) < 0)
		config_wrong_key(reader,
				 config->api_key_env ? "ingest.api_key_env"
						     : "ingest.api_key_file",
				 buf_str(&why));
	buf_release(&why);
}
