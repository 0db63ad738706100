// SPDX-License-Identifier: MIT
/*
 * Does to an agent's hooks what other tools do:
 *   hook_stranger front tcx|clsact DEVICE ingress|egress ANSWER   attaches a program before all others
 *   hook_stranger front xdp DEVICE ingress ANSWER                 attaches an XDP program
 *   hook_stranger detach LINK...    detaches links, by id
 *   hook_stranger replace LINK...   puts a program into links
 * front prints the program's id and holds the program until it is killed; with clsact it stays.
 */
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#define TCX_INGRESS 46
#define TCX_EGRESS  47
#define F_BEFORE    (1u << 3)

static void die(const char *what)
{
	(void)fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

static int load(enum bpf_prog_type type, int attach, int answer)
{
	const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = answer},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = (enum bpf_attach_type)attach);
	int fd = bpf_prog_load(type, "stranger", "GPL", insns, 2, &opts);

	if (fd < 0)
		die("load");
	return fd;
}

static uint32_t id_of(int fd, char name[BPF_OBJ_NAME_LEN])
{
	struct bpf_prog_info info = {0};
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		die("info");
	if (name)
		memcpy(name, info.name, BPF_OBJ_NAME_LEN);
	return info.id;
}

static void attach_clsact(int fd, int ifindex, bool egress)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex,
		    .attach_point = egress ? BPF_TC_EGRESS : BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .priority = 1, .prog_fd = fd);

	(void)bpf_tc_hook_create(&hook);
	if (bpf_tc_attach(&hook, &opts))
		die("attach");
}

static void front(const char *how, int ifindex, bool egress, int answer)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts);
	int attach = egress ? TCX_EGRESS : TCX_INGRESS, fd;

	if (!strcmp(how, "xdp")) {
		attach = BPF_XDP;
		opts.flags = XDP_FLAGS_DRV_MODE;
	} else {
		opts.flags = F_BEFORE;
	}
	fd = load(attach == BPF_XDP ? BPF_PROG_TYPE_XDP : BPF_PROG_TYPE_SCHED_CLS, attach, answer);
	if (!strcmp(how, "clsact"))
		attach_clsact(fd, ifindex, egress);
	else if (bpf_link_create(fd, ifindex, (enum bpf_attach_type)attach, &opts) < 0)
		die("attach");
	(void)printf("id %u\n", id_of(fd, NULL));
	(void)fflush(stdout);
	for (;;)
		(void)pause();
}

/* The kernel writes a device's index and, but for XDP, its hook at the same place of the union. */
static void detach(uint32_t id, bool replace)
{
	struct bpf_link_info info = {0};
	__u32 len = sizeof(info);
	int fd = bpf_link_get_fd_by_id(id), attach;

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len))
		die("link");
	attach = info.type == BPF_LINK_TYPE_XDP ? BPF_XDP : (int)((__u32 *)&info.xdp)[1];
	if (!replace && bpf_link_detach(fd))
		die("detach");
	if (replace &&
	    bpf_link_update(fd,
			    load(attach == BPF_XDP ? BPF_PROG_TYPE_XDP : BPF_PROG_TYPE_SCHED_CLS,
				 attach, attach == BPF_XDP ? 2 : -1),
			    NULL))
		die("replace");
	(void)close(fd);
}

int main(int argc, char **argv)
{
	if (argc == 6 && !strcmp(argv[1], "front")) {
		front(argv[2], (int)if_nametoindex(argv[3]), !strcmp(argv[4], "egress"),
		      atoi(argv[5]));
		return 0;
	}
	if (argc < 3 || (strcmp(argv[1], "detach") != 0 && strcmp(argv[1], "replace") != 0))
		return 2;
	for (int i = 2; i < argc; i++)
		detach((uint32_t)atoi(argv[i]), !strcmp(argv[1], "replace"));
	return 0;
}
