// SPDX-License-Identifier: MIT
#include "config/yaml/drop_ins.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/io.h"
#include "config/yaml/tree.h"

#define FOLDER "conf.d"
#define ENDING ".yaml"

/* DIR/conf.d, where DIR/NAME is path. NULL: no memory. */
static char *name_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	int n = slash ? (int)(slash - path + 1) : 0;
	char *folder;

	return asprintf(&folder, "%.*s" FOLDER, n, path) < 0 ? NULL : folder;
}

static int is_drop_in(const struct dirent *e)
{
	size_t n = strlen(e->d_name), tail = strlen(ENDING);

	return e->d_name[0] != '.' && n > tail && !strcmp(e->d_name + n - tail, ENDING);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int read_one(struct fffa_drop_ins *d, char *name, struct fffa_report *rep)
{
	struct fffa_report own = *rep;
	size_t i = d->n;
	int rc = fffa_io_read_regular(name, FFFA_TREE_FILE_BYTES_MAX, &d->texts[i], &d->lens[i]);

	own.file = name;
	if (!rc) {
		d->n++;
		d->names[i] = name;
		if (strspn(d->texts[i], " \t\r\n") != d->lens[i])
			return 0;
		rc = -EINVAL;
		fffa_report_problem(&own, 0, "", "is empty; remove it, or write a key");
	} else if (rc == -EFBIG) {
		fffa_report_problem(&own, 0, "", "too large; at most 1MiB");
	} else {
		fffa_report_problem(&own, 0, "", "cannot be read: %s", fffa_io_strerror(rc));
	}
	rep->count = own.count;
	return rc;
}

static int read_all(struct fffa_drop_ins *d, const char *folder, struct dirent **list, int n,
		    struct fffa_report *rep)
{
	int rc = 0, one;

	if (n > FFFA_DROP_INS_MAX) {
		fffa_report_problem(rep, 0, "", "%s holds %d files; allowed: %d", folder, n,
				    FFFA_DROP_INS_MAX);
		return -EINVAL;
	}
	for (int i = 0; i < n && rc != -ENOMEM; i++) {
		char *name;

		if (asprintf(&name, "%s/%s", folder, list[i]->d_name) < 0)
			return fffa_report_nomem(rep);
		one = read_one(d, name, rep);
		if (!d->n || d->names[d->n - 1] != name)
			free(name);
		rc = one ? one : rc;
	}
	return rc;
}

int fffa_drop_ins_read(struct fffa_drop_ins *d, const char *path, struct fffa_report *rep)
{
	char *folder = name_folder(path);
	struct dirent **list = NULL;
	int n, rc = 0;

	if (!folder)
		return fffa_report_nomem(rep);
	n = scandir(folder, &list, is_drop_in, by_name);
	if (n < 0 && errno != ENOENT && errno != ENOTDIR) {
		rc = errno == ENOMEM ? fffa_report_nomem(rep) : -errno;
		if (rc != -ENOMEM)
			fffa_report_problem(rep, 0, "", "%s cannot be read: %s", folder,
					    fffa_io_strerror(rc));
	}
	if (n > 0)
		rc = read_all(d, folder, list, n, rep);
	for (int i = 0; i < n; i++)
		free(list[i]);
	free(list);
	free(folder);
	return rc;
}

void fffa_drop_ins_free(struct fffa_drop_ins *d)
{
	for (size_t i = 0; i < d->n; i++) {
		explicit_bzero(d->texts[i], d->lens[i]);
		free(d->texts[i]);
		free(d->names[i]);
	}
	d->n = 0;
}
