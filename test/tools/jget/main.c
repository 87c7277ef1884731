/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * jget FILE PATH: print the values of a JSON file at a path, one a line, so
 * that scripts need no other program.  Paths are those of base/json_read.h:
 * names joined by ".", "[]" for a member of an array.  "-" reads standard
 * input.  Exit 1 when there is no such value, 2 when the file is no JSON.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fs.h"
#include "base/json_read.h"

enum { JGET_MAX = 1 << 28 };

struct jget {
	struct slice path;
	struct buf found;
};

static int visit(void *ctx, struct slice path, enum json_event event,
		 struct slice text)
{
	struct jget *get = ctx;

	if (slice_eq(path, get->path) && event <= JSON_STRING) {
		buf_add_slice(&get->found, text);
		buf_add_char(&get->found, '\n');
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct jget get;
	struct buf file;
	const char *name;
	int status;

	if (argc != 3) {
		fputs("usage: jget FILE PATH\n", stderr);
		return 64;
	}
	buf_init(&file, JGET_MAX);
	buf_init(&get.found, JGET_MAX);
	get.path = slice_str(argv[2]);
	name = strcmp(argv[1], "-") == 0 ? "/dev/stdin" : argv[1];
	if (fs_read_file(AT_FDCWD, name, &file) < 0) {
		perror(name);
		return 2;
	}
	if (json_read(buf_slice(&file), visit, &get) < 0) {
		fprintf(stderr, "jget: %s: not JSON\n", argv[1]);
		return 2;
	}
	fwrite(get.found.p, 1, get.found.len, stdout);
	status = get.found.len ? EXIT_SUCCESS : EXIT_FAILURE;
	buf_release(&file);
	buf_release(&get.found);
	return status;
}
