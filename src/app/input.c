/* SPDX-License-Identifier: GPL-2.0-only */
#include "app/input.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "app/clock.h"
#include "base/fs.h"
#include "base/log.h"

enum { INPUT_READ = 1 << 20 };

struct input {
	const struct config *config;
	const struct input_hooks *hooks;
	struct account *total;
	struct shape *shape;
	struct buf window;
	const char *name;
	int fd;
	bool ended;
};

/* The columns the configuration gives a file of this name.  Patterns are
 * absolute; on a command line names are often not. */
static const char *input_columns(const struct config *config, const char *path)
{
	char *full = realpath(path, NULL);
	const char *columns = NULL;

	for (size_t i = 0; i < config->sources_count && !columns; i++) {
		const struct source_settings *s = &config->sources[i];

		if (fnmatch(s->path, path, FNM_PATHNAME) == 0 ||
		    (full && fnmatch(s->path, full, FNM_PATHNAME) == 0))
			columns = s->columns;
	}
	free(full);
	if (!columns && config->sources_count == 1)
		columns = config->sources[0].columns;
	return columns;
}

static int input_fill(struct input *in)
{
	ssize_t n;

	if (buf_reserve(&in->window, INPUT_READ) < 0)
		return 0;
	do {
		n = read(in->fd, in->window.p + in->window.len, INPUT_READ);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -1;
	in->window.len += (size_t)n;
	in->ended = n == 0;
	return 0;
}

static void input_say_notes(const struct input *in,
			    const struct shape_batch *batch)
{
	for (size_t i = 0; i < batch->notes_count; i++) {
		if (batch->notes[i].kind == SHAPE_NOTE_UNKNOWN_TYPE)
			log_warnx("%s: rows of unknown type \"%s\" make no "
				  "event: first at offset %lld",
				  in->name, batch->notes[i].text,
				  (long long)batch->notes[i].offset);
		if (batch->notes[i].kind == SHAPE_NOTE_NO_FROM)
			log_warnx("%s: no From header is logged, so filters "
				  "are asked with the bounce domain",
				  in->name);
	}
}

static void input_say_malformed(const struct input *in,
				const struct shape_batch *batch)
{
	struct slice rest = buf_slice(&batch->malformed);
	struct slice offset, reason;

	if (!batch->account.malformed)
		return;
	offset = slice_cut(rest, ',', &rest);
	reason = slice_cut(rest, ',', &rest);
	log_warnx("%s: %llu malformed rows: first at offset %.*s: %.*s",
		  in->name, (unsigned long long)batch->account.malformed,
		  SLICE_ARGS(offset), SLICE_ARGS(reason));
}

/* One block: until the shape is full or the input ends. */
static int input_block(struct input *in, struct shape_file *file,
		       int64_t *offset)
{
	enum shape_status status;
	const struct shape_batch *batch;
	int result = EX_OK;

	shape_begin(in->shape, file, clock_s());
	do {
		size_t consumed;

		if (!in->ended && input_fill(in) < 0) {
			log_error("%s: cannot read", in->name);
			return EX_IOERR;
		}
		status = shape_feed(in->shape, buf_slice(&in->window), *offset,
				    in->ended, &consumed);
		buf_consume(&in->window, consumed);
		*offset += (int64_t)consumed;
	} while (status == SHAPE_MORE && !in->ended);
	batch = shape_end(in->shape);
	input_say_notes(in, batch);
	input_say_malformed(in, batch);
	account_merge(in->total, &batch->account);
	if (in->hooks->json && batch->json.len &&
	    in->hooks->json(in->hooks->ctx, batch->json) < 0)
		result = EX_IOERR;
	shape_file_copy(file, &batch->file);
	if (status == SHAPE_NO_HEADER) {
		log_errorx("%s: rows but no header line \"type,...\"; give the "
			   "file's columns as sources[].columns",
			   in->name);
		result = EX_DATAERR;
	}
	return result;
}

static int input_file(struct input *in)
{
	const char *columns = input_columns(in->config, in->name);
	struct shape_file file;
	int64_t offset = 0;
	int status = EX_OK;

	shape_file_init(&file);
	if (columns)
		shape_file_columns(&file, columns);
	buf_reset(&in->window);
	in->ended = false;
	if (in->hooks->file)
		in->hooks->file(in->hooks->ctx, in->name);
	while (status == EX_OK && (!in->ended || in->window.len))
		status = input_block(in, &file, &offset);
	shape_file_release(&file);
	return status;
}

static int input_named(struct input *in, const char *path)
{
	struct stat st;
	int status;

	in->name = path;
	if (strcmp(path, "-") == 0) {
		in->name = "standard input";
		in->fd = STDIN_FILENO;
		return input_file(in);
	}
	in->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (in->fd < 0) {
		log_error("%s: cannot open", path);
		return EX_DATAERR;
	}
	if (fstat(in->fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		log_errorx("%s: is a directory; name the accounting files in "
			   "it",
			   path);
		status = EX_DATAERR;
	} else {
		status = input_file(in);
	}
	fs_close(&in->fd);
	return status;
}

int input_shape(const struct options *options, const struct config *config,
		const struct input_hooks *hooks, struct account *total)
{
	struct input in = {.config = config, .hooks = hooks, .total = total};
	int status = EX_OK;

	in.shape = shape_new(&config->events);
	if (hooks->row)
		shape_set_trace(in.shape, hooks->row, hooks->ctx);
	buf_init(&in.window, config->events.max_row + 2 * INPUT_READ);
	if (!options->argc)
		status = input_named(&in, "-");
	for (int i = 0; i < options->argc; i++) {
		int one = input_named(&in, options->argv[i]);

		if (one == EX_IOERR) {
			status = one;
			break;
		}
		if (one != EX_OK)
			status = one;
	}
	buf_release(&in.window);
	shape_free(&in.shape);
	return status;
}
