// SPDX-License-Identifier: MIT
/* DMI, machine id and the files of a container, below a root directory that the test makes. */
#include "tests/stubs/cmocka_all.h"

#include <errno.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "agent/enrich/dmi.h"
#include "agent/enrich/machine.h"

#define DMI "/sys/class/dmi/id/"

static int make_root(void **state)
{
	char *root = strdup("/tmp/fffa-root-XXXXXX");

	if (!root || !mkdtemp(root)) {
		free(root);
		return -1;
	}
	*state = root;
	(void)unsetenv("KUBERNETES_SERVICE_HOST");
	(void)unsetenv("container");
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int remove_root(void **state)
{
	int rc = nftw(*state, remove_one, 8, FTW_DEPTH | FTW_PHYS);

	free(*state);
	return rc;
}

/* Writes root/path and makes the directories above it. */
static void write_file(const char *root, const char *path, const char *text)
{
	char full[256];
	FILE *f;

	assert_true(snprintf(full, sizeof(full), "%s%s", root, path) < (int)sizeof(full));
	for (char *p = full + strlen(root) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		assert_true(mkdir(full, 0755) == 0 || errno == EEXIST);
		*p = '/';
	}
	f = fopen(full, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

struct file {
	const char *path, *text;
};

static void check_dmi(void **state, const struct file *files, bool is_ec2, const char *id)
{
	struct fffa_dmi dmi;

	memset(&dmi, 0x5a, sizeof(dmi));
	for (; files->path; files++)
		write_file(*state, files->path, files->text);
	fffa_dmi_read(*state, &dmi);
	assert_int_equal(dmi.is_ec2, is_ec2);
	assert_string_equal(dmi.instance_id, id);
}

static void test_nothing_there(void **state)
{
	check_dmi(state, (const struct file[]){{NULL, NULL}}, false, "");
}

static void test_nitro(void **state)
{
	check_dmi(state,
		  (const struct file[]){{DMI "sys_vendor", "Amazon EC2\n"},
					{DMI "board_asset_tag", "i-0123456789abcdef0\n"},
					{NULL, NULL}},
		  true, "i-0123456789abcdef0");
}

static void test_bios_vendor_alone(void **state)
{
	check_dmi(state,
		  (const struct file[]){{DMI "bios_vendor", "Amazon EC2\n"},
					{DMI "board_asset_tag", "i-01234567\n"},
					{NULL, NULL}},
		  true, "i-01234567");
}

static void test_bad_asset_tags(void **state)
{
	static const char *const tags[] = {"Not Specified\n",	    "i-\n",
					   "i-0123456789ABCDEF0\n", "i-0123456789abcdef01\n",
					   "i-012345678 abcdef0\n", ""};

	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
		check_dmi(state,
			  (const struct file[]){{DMI "sys_vendor", "Amazon EC2\n"},
						{DMI "board_asset_tag", tags[i]},
						{NULL, NULL}},
			  true, "");
}

static void test_xen_uuid(void **state)
{
	check_dmi(state,
		  (const struct file[]){
			  {DMI "sys_vendor", "Xen\n"},
			  {DMI "product_uuid", "EC2E1916-9099-7CAF-FD21-012345ABCDEF\n"},
			  {NULL, NULL}},
		  true, "");
}

static void test_xen_uuid_reversed(void **state)
{
	check_dmi(state,
		  (const struct file[]){
			  {DMI "bios_version", "4.11.amazon\n"},
			  {DMI "product_uuid", "45e12aec-dcd1-b213-94ed-012345abcdef\n"},
			  {NULL, NULL}},
		  true, "");
}

static void test_xen_hypervisor_uuid(void **state)
{
	check_dmi(state,
		  (const struct file[]){
			  {"/sys/hypervisor/type", "xen\n"},
			  {"/sys/hypervisor/uuid", "ec2e1916-9099-7caf-fd21-012345abcdef\n"},
			  {NULL, NULL}},
		  true, "");
}

static void test_uuid_without_hypervisor(void **state)
{
	/* One in 4096 of all machines has such a UUID. */
	check_dmi(state,
		  (const struct file[]){
			  {DMI "sys_vendor", "Dell Inc.\n"},
			  {DMI "product_uuid", "EC2E1916-9099-7CAF-FD21-012345ABCDEF\n"},
			  {NULL, NULL}},
		  false, "");
}

static void test_others(void **state)
{
	static const char *const vendors[] = {"QEMU\n",	      "Google\n", "Amazon EC2 clone\n",
					      "amazon ec2\n", "Xen\n",	  ""};

	for (size_t i = 0; i < sizeof(vendors) / sizeof(vendors[0]); i++)
		check_dmi(state,
			  (const struct file[]){
				  {DMI "sys_vendor", vendors[i]},
				  {DMI "board_asset_tag", "i-0123456789abcdef0\n"},
				  {DMI "product_uuid", "ab2E1916-9099-7CAF-FD21-012345ABCDEF\n"},
				  {NULL, NULL}},
			  false, "");
}

static void test_read_line(void **state)
{
	char dst[8];

	memset(dst, 'x', sizeof(dst));
	write_file(*state, "/a", "one");
	assert_int_equal(fffa_machine_read_line(*state, "/a", dst, sizeof(dst)), 3);
	assert_string_equal(dst, "one");
	memset(dst, 'x', sizeof(dst));
	write_file(*state, "/a", "one\ntwo\n");
	assert_int_equal(fffa_machine_read_line(*state, "/a", dst, sizeof(dst)), 3);
	assert_string_equal(dst, "one");
	write_file(*state, "/a", "0123456789");
	assert_int_equal(fffa_machine_read_line(*state, "/a", dst, sizeof(dst)), 7);
	assert_string_equal(dst, "0123456");
	assert_int_equal(fffa_machine_read_line(*state, "/none", dst, sizeof(dst)), -ENOENT);
	assert_string_equal(dst, "");
	write_file(*state, "/d/x", "");
	assert_int_equal(fffa_machine_read_line(*state, "/d", dst, sizeof(dst)), -EISDIR);
	assert_string_equal(dst, "");
}

static void test_machine_id(void **state)
{
	static const char *const bad[] = {"uninitialized\n", "", "0123\n",
					  "0123456789abcdef0123456789abcde\"\n"};
	struct utsname uts;
	char id[64];

	write_file(*state, "/etc/machine-id", "0123456789abcdef0123456789abcdef\n");
	fffa_machine_id(*state, id, sizeof(id));
	assert_string_equal(id, "0123456789abcdef0123456789abcdef");
	assert_int_equal(uname(&uts), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		write_file(*state, "/etc/machine-id", bad[i]);
		fffa_machine_id(*state, id, sizeof(id));
		assert_string_equal(id, uts.nodename);
	}
}

static void test_container(void **state)
{
	assert_false(fffa_machine_in_container(*state));
	write_file(*state, "/.dockerenv", "");
	assert_true(fffa_machine_in_container(*state));
}

static void test_container_podman(void **state)
{
	write_file(*state, "/run/.containerenv", "");
	assert_true(fffa_machine_in_container(*state));
}

static void test_container_kubernetes(void **state)
{
	assert_int_equal(setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1", 1), 0);
	assert_true(fffa_machine_in_container(*state));
	assert_int_equal(unsetenv("KUBERNETES_SERVICE_HOST"), 0);
}

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void expect_container(const char *root, const char *mounts, const char *want)
{
	char id[16] = "old";

	write_file(root, "/proc/self/mountinfo", mounts);
	fffa_machine_container_id(root, id, sizeof(id));
	assert_string_equal(id, want);
}

static void test_container_id(void **state)
{
	char id[16] = "old";

	fffa_machine_container_id(*state, id, sizeof(id));
	assert_string_equal(id, ""); /* there is no such file */
	/* Docker; containerd below Kubernetes; the name of the last folder. */
	expect_container(*state,
			 "1 0 8:1 / / rw - ext4 /dev/sda rw\n"
			 "2 1 8:1 /var/lib/docker/containers/" ID
			 "/hostname /etc/hostname rw - ext4 d rw\n",
			 "0123456789ab");
	expect_container(*state,
			 "2 1 8:1 /var/lib/containerd/io.cri/sandboxes/" ID
			 "/resolv.conf /etc/resolv.conf rw - ext4 d rw\n",
			 "0123456789ab");
	expect_container(*state, "2 1 8:1 /x/" ID " /etc/hosts rw - ext4 d rw\n", "0123456789ab");
	/* The host itself sees the mounts of its containers; other names are no ids. */
	expect_container(
		*state,
		"2 1 0:5 / /var/lib/docker/containers/" ID "/mounts/shm rw - tmpfs shm rw\n", "");
	expect_container(*state, "2 1 8:1 /x/" ID "0/hosts /etc/hosts rw - ext4 d rw\n", "");
	expect_container(*state, "2 1 8:1 /x/0123456789abcdef/hosts /etc/hosts rw - ext4 d rw\n",
			 "");
	expect_container(*state, "2 1 8:1\n", "");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, make_root, remove_root)
	const struct CMUnitTest tests[] = {
		T(test_nothing_there),
		T(test_nitro),
		T(test_bios_vendor_alone),
		T(test_bad_asset_tags),
		T(test_xen_uuid),
		T(test_xen_uuid_reversed),
		T(test_xen_hypervisor_uuid),
		T(test_uuid_without_hypervisor),
		T(test_others),
		T(test_read_line),
		T(test_machine_id),
		T(test_container),
		T(test_container_id),
		T(test_container_podman),
		T(test_container_kubernetes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
