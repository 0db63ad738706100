// SPDX-License-Identifier: MIT
/*
 * For LD_PRELOAD. The agent and the tests then load the kernel programs of the object file that
 * FFFA_BPF_OBJECT names instead of their own, with a line on standard error. They end with status 1
 * when that file cannot be read.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <bpf/libbpf.h>

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static const void *map_file(const char *path, size_t *bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *p;

	if (fd < 0 || fstat(fd, &st))
		die(path);
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0); /* until the end */
	if (p == MAP_FAILED)
		die(path);
	*bytes = (size_t)st.st_size;
	return p;
}

/* Called instead of libbpf's function, which it calls. */
int bpf_object__open_skeleton(struct bpf_object_skeleton *s,
			      const struct bpf_object_open_opts *opts)
{
	const char *path = getenv("FFFA_BPF_OBJECT");
	int (*next)(struct bpf_object_skeleton *, const struct bpf_object_open_opts *);

	*(void **)&next = dlsym(RTLD_NEXT, "bpf_object__open_skeleton");
	if (!next)
		die("bpf_object__open_skeleton");
	if (path && !strcmp(s->name, "fffa_bpf")) {
		s->data = map_file(path, &s->data_sz);
		(void)fprintf(stderr, "kernel programs of %s\n", path);
	}
	return next(s, opts);
}
