// SPDX-License-Identifier: MIT
#include "agent/enrich/dmi.h"

#include <string.h>
#include <strings.h>

#include "agent/enrich/input/ident_text.h"
#include "agent/enrich/machine.h"

#define DMI "/sys/class/dmi/id/"

static bool line_is(const char *root, const char *path, const char *want)
{
	char line[128];

	return fffa_machine_read_line(root, path, line, sizeof(line)) > 0 &&
	       strcmp(line, want) == 0;
}

static bool line_has(const char *root, const char *path, const char *text)
{
	char line[128];

	return fffa_machine_read_line(root, path, line, sizeof(line)) > 0 &&
	       strcasestr(line, text) != NULL;
}

static bool uuid_is_ec2(const char *root, const char *path)
{
	char uuid[64];

	if (fffa_machine_read_line(root, path, uuid, sizeof(uuid)) != 36)
		return false;
	if (strncasecmp(uuid, "ec2", 3) == 0)
		return true;
	/* SMBIOS 2.4 may reverse the bytes of the first field: 45E12AEC for EC2AE145. */
	return strncasecmp(uuid + 6, "ec", 2) == 0 && uuid[4] == '2';
}

static bool has_hypervisor(const char *root)
{
	return line_is(root, "/sys/hypervisor/type", "xen") ||
	       line_is(root, DMI "sys_vendor", "Xen") ||
	       line_has(root, DMI "bios_version", "amazon");
}

static void read_instance_id(const char *root, struct fffa_dmi *out)
{
	char tag[64];
	int n = fffa_machine_read_line(root, DMI "board_asset_tag", tag, sizeof(tag));

	/* i- and 8 or 17 hexadecimal digits. */
	if ((n != 10 && n != 19) || strncmp(tag, "i-", 2) != 0 ||
	    strspn(tag + 2, "0123456789abcdef") != (size_t)n - 2)
		return;
	(void)fffa_ident_text_set(out->instance_id, sizeof(out->instance_id), tag, (size_t)n);
}

void fffa_dmi_read(const char *root, struct fffa_dmi *out)
{
	memset(out, 0, sizeof(*out));
	if (line_is(root, DMI "sys_vendor", "Amazon EC2") ||
	    line_is(root, DMI "bios_vendor", "Amazon EC2"))
		out->is_ec2 = true;
	else if (uuid_is_ec2(root, DMI "product_uuid") || uuid_is_ec2(root, "/sys/hypervisor/uuid"))
		out->is_ec2 = has_hypervisor(root);
	if (out->is_ec2)
		read_instance_id(root, out);
}
