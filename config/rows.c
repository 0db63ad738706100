// SPDX-License-Identifier: MIT
#include "config/rows.h"

#include "config/config.h"

#define MS INT64_C(1000000)
#define S  (1000 * MS)
#define M  (60 * S)
#define H  (60 * M)

#define KIB INT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

#define RELOAD FFFA_OPTION_RELOAD

static const char *const hooks[] = {
	[FFFA_HOOK_AUTO] = "auto", [FFFA_HOOK_XDP] = "xdp", [FFFA_HOOK_TC] = "tc", NULL};
static const char *const directions[] = {[FFFA_DIR_INGRESS] = "ingress",
					 [FFFA_DIR_EGRESS] = "egress",
					 [FFFA_DIR_BOTH] = "both",
					 NULL};
static const char *const tunnel_views[] = {[FFFA_TUNNEL_VIEW_INNER] = "inner",
					   [FFFA_TUNNEL_VIEW_OUTER] = "outer",
					   [FFFA_TUNNEL_VIEW_BOTH] = "both",
					   NULL};
static const char *const switches[] = {
	[FFFA_SW_AUTO] = "auto", [FFFA_SW_ON] = "on", [FFFA_SW_OFF] = "off", NULL};
/* In the order of agent/base/log.h. */
static const char *const log_levels[] = {"error", "warn", "info", "debug", NULL};
static const char *const log_formats[] = {"text", "json", NULL};
/* In the order of agent/base/format.h. */
static const char *const envelopes[] = {"none", "firehose", NULL};
static const char *const ecs_switches[] = {[FFFA_ECS_AUTO] = "auto", [FFFA_ECS_OFF] = "off", NULL};
static const char *const core_dumps[] = {"off", "on", NULL};
static const char *const seccomp[] = {"off", "on", NULL};
static const char *const tunnels[] = {"auto", "geneve", "vxlan", NULL};
static const char *const when_full[] = {[FFFA_WHEN_FULL_DROP_NEWEST] = "drop_newest",
					[FFFA_WHEN_FULL_DROP_OLDEST] = "drop_oldest",
					NULL};
static const char *const never[] = {"never", NULL};
static const char *const static_keys[] = {"account_id",
					  "instance_id",
					  "vpc_id",
					  "subnet_id",
					  "interface_id",
					  "region",
					  "az",
					  "az_id",
					  "sublocation_type",
					  "sublocation_id",
					  "instance_tag",
					  "instance_tag_2",
					  "interface_tag",
					  "interface_tag_2",
					  "asg_tag",
					  "asg_tag_2",
					  NULL};

static const char *const interface_keys[] = {"interface_id", "subnet_id",   "vpc_id",
					     "account_id",   "addresses[]", "subnet_cidrs[]",
					     "vpc_cidrs[]",  NULL};

#define C struct fffa_config

const struct fffa_option fffa_config_rows[] = {
	FFFA_OPT_STRINGS("capture.interfaces", C, capture.interfaces, "[auto]", 1, 64, NULL, RELOAD,
			 "Devices to watch, by name or glob. auto: the host's ENIs; outside EC2 "
			 "the devices that hold a default route."),
	FFFA_OPT_STRINGS("capture.exclude", C, capture.exclude, "[]", 0, 64, NULL, RELOAD,
			 "Devices to leave out, by name or glob."),
	FFFA_OPT_ENUM("capture.hook", C, capture.hook, "auto", hooks, RELOAD,
		      "Where ingress packets are counted. auto never disturbs a link; egress is "
		      "always tc."),
	FFFA_OPT_ENUM("capture.direction", C, capture.direction, "both", directions, RELOAD,
		      "Which packets are counted, as the device sees them."),
	FFFA_OPT_STRINGS(
		"capture.decapsulate", C, capture.decapsulate, "auto", 0, 2, tunnels,
		RELOAD | FFFA_OPTION_WORD,
		"Tunnels whose inner packet is recorded. auto: those that a socket or a tunnel "
		"device of this host receives; in a replay, all."),
	FFFA_OPT_INTS("capture.geneve_ports", C, capture.geneve_ports, "[6081]", 1, 65535, RELOAD,
		      "UDP ports of GENEVE, at most 4."),
	FFFA_OPT_INTS("capture.vxlan_ports", C, capture.vxlan_ports, "[4789]", 1, 65535, RELOAD,
		      "UDP ports of VXLAN, at most 4."),
	FFFA_OPT_ENUM("capture.tunnel_view", C, capture.tunnel_view, "inner", tunnel_views, RELOAD,
		      "Which packet of a tunnelled flow is recorded: the inner one, the outer one, "
		      "or both, each as a flow."),
	FFFA_OPT_INT("capture.max_flows", C, capture.max_flows, "131072", 1024, 16777216, 0,
		     "Entries of the kernel's flow table."),
	FFFA_OPT_SIZE("capture.ring_size", C, capture.ring_size, "4MiB", 64 * KIB, 256 * MIB, 0,
		      "Size of the ring buffer between kernel and agent. Must be a power of two."),
	FFFA_OPT_DURATION(
		"capture.drain_interval", C, capture.drain_interval_ns, "1s", 100 * MS, 10 * S,
		RELOAD,
		"How often the kernel's flow table is collected. At most flows.active_timeout."),
	FFFA_OPT_INT("capture.sample", C, capture.sample, "1", 1, 65536, RELOAD,
		     "Count 1 in N packets. N stands in each record; counts are not multiplied."),
	FFFA_OPT_BOOL("capture.parity_filter", C, capture.parity_filter, "false", RELOAD,
		      "true leaves out the traffic that AWS leaves out: Amazon's DNS resolver, "
		      "IMDS, NTP and Windows activation, DHCP."),
	FFFA_OPT_STRING("capture.filter", C, capture.filter, "", RELOAD,
			"Only flows that it wants become records, in the syntax of pcap-filter(7), "
			"such as \"tcp port 443 or net 10.0.0.0/8\". \"\" wants all."),

	FFFA_OPT_DURATION("flows.idle_timeout", C, flows.idle_timeout_ns, "60s", 100 * MS, 1 * H,
			  RELOAD, "A flow ends after this long without a packet."),
	FFFA_OPT_DURATION("flows.active_timeout", C, flows.active_timeout_ns, "60s", 1 * S, 1 * H,
			  RELOAD,
			  "A flow that goes on is reported this often. AWS: at most 60s on Nitro."),
	FFFA_OPT_INT("flows.max_flows", C, flows.max_flows, "1048576", 1024, 16777216, RELOAD,
		     "Entries of the agent's flow table."),
	FFFA_OPT_BOOL("flows.nodata", C, flows.nodata, "true", RELOAD,
		      "true writes a NODATA record for each interface without traffic during "
		      "flows.active_timeout. Has no effect with capture.sample above 1."),

	FFFA_OPT_ENUM(
		"metadata.imds.enabled", C, metadata.imds.enabled, "auto", switches, RELOAD,
		"Ask the EC2 instance metadata service. auto: only where DMI says Amazon EC2."),
	FFFA_OPT_STRING("metadata.imds.endpoint", C, metadata.imds.endpoint,
			"http://169.254.169.254", RELOAD,
			"URL of the metadata service. Must begin with http://."),
	FFFA_OPT_DURATION("metadata.imds.refresh", C, metadata.imds.refresh_ns, "5m", 10 * S, 6 * H,
			  RELOAD, "How often metadata is read again."),
	FFFA_OPT_DURATION("metadata.imds.timeout", C, metadata.imds.timeout_ns, "1s", 100 * MS,
			  10 * S, RELOAD, "Time limit of one metadata request."),
	FFFA_OPT_STRINGS("metadata.instance_tags", C, metadata.instance_tags, "[]", 0, 2, NULL,
			 RELOAD,
			 "Keys of the instance tags for the fields instance-tag and "
			 "instance-tag-2. The instance must allow tags in its metadata."),
	FFFA_OPT_ENUM("metadata.ecs", C, metadata.ecs, "auto", ecs_switches, RELOAD,
		      "Ask the ECS task metadata endpoint for the ecs fields. auto: where "
		      "ECS_CONTAINER_METADATA_URI_V4 is set. Uses refresh and timeout of imds."),
	FFFA_OPT_STRING("metadata.ip_ranges", C, metadata.ip_ranges, "", RELOAD,
			"Path of a copy of AWS's ip-ranges.json, which names the service of an "
			"address. Checked for changes every imds.refresh."),
	FFFA_OPT_STRING("metadata.networks", C, metadata.networks, "", RELOAD,
			"Path of a CSV file with the columns cidr,name,account_id,vpc_id,subnet_id,"
			"az_id,kind, which names the networks of both ends of a flow. Read again "
			"when it changes."),
	FFFA_OPT_STRING("metadata.host_name", C, metadata.host_name, "", RELOAD,
			"Name of the host in host_name. \"\": the kernel's, also when it changes."),
	FFFA_OPT_MAP("metadata.interfaces", C, metadata.interfaces, "{}", interface_keys,
		     FFFA_OPTION_NESTED | RELOAD,
		     "What IMDS would say, by device name or glob; it wins over IMDS. The first of "
		     "addresses of each family is the primary one. In a replay the entry with the "
		     "packet's own address counts, else the only entry or \"*\"."),
	FFFA_OPT_MAP("metadata.static", C, metadata.fixed, "{}", static_keys, RELOAD,
		     "Fixed values that win over all other sources. Tags are written as they are "
		     "here and percent-encoded in records."),

	FFFA_OPT_STRING("spool_dir", C, spool_dir, "/var/lib/fffa/spool", 0,
			"Directory for state that is kept across restarts."),
	FFFA_OPT_DURATION("shutdown_timeout", C, shutdown_timeout_ns, "10s", 0, 10 * M, RELOAD,
			  "How long delivery goes on after TERM or INT."),
	FFFA_OPT_STRING("status.listen", C, status.listen, "127.0.0.1:9977", RELOAD,
			"Address of the status pages: IPV4:PORT, [IPV6]:PORT or unix:/PATH. \"\" "
			"turns them off."),
	FFFA_OPT_ENUM("log.level", C, log_level, "info", log_levels, RELOAD,
		      "The least severe level that is logged."),
	FFFA_OPT_ENUM("log.format", C, log_format, "text", log_formats, RELOAD,
		      "Format of the log lines on standard error."),
	FFFA_OPT_ENUM(
		"log.core_dumps", C, core_dumps, "off", core_dumps, RELOAD,
		"on lets the kernel write a core dump when the agent crashes. It holds secrets and "
		"records. off sets the soft limit to 0 and leaves the hard one, so that HUP can "
		"allow dumps."),
	FFFA_OPT_STRING("user", C, user, "", 0,
			"User to become at the start, a name or a number. It keeps CAP_BPF and "
			"CAP_NET_ADMIN alone. \"\": the user that starts the agent."),
	FFFA_OPT_ENUM(
		"seccomp", C, seccomp, "on", seccomp, 0,
		"on restricts the system calls of the agent once its programs are loaded. off "
		"is for a C library or a kernel that needs a call that the agent does not know."),
	FFFA_OPT_END,
};

#undef C
#define C struct fffa_sink_common_conf

const struct fffa_option fffa_sink_common_rows[] = {
	FFFA_OPT_STRING(
		"name", C, name, NULL, 0,
		"Name of the sink in logs and metrics. 1 to 32 of a-z A-Z 0-9 _ -, unique."),
	FFFA_OPT_STRING("type", C, type, NULL, 0,
			"Kind of the sink. Each kind has keys of its own."),
	FFFA_OPT_STRING("format", C, format, "vpc", 0,
			"Format of the records: vpc, flowlog, json, msgpack, ocsf (OCSF 4001) or "
			"ecs (Elastic Common Schema)."),
	FFFA_OPT_STRING(
		"fields", C, fields, NULL, FFFA_OPTION_JOIN | FFFA_OPTION_TEMPLATE,
		"Fields of the records. vpc: default, v5, all or \"${version} ${srcaddr} ...\". "
		"json, msgpack: all or a list of names. Other formats have no choice."),
	FFFA_OPT_ENUM("envelope", C, envelope, "none", envelopes, 0,
		      "firehose writes each line of vpc or flowlog as {\"message\": \"...\"}, "
		      "without the header line."),
	FFFA_OPT_STRING("filter", C, filter, "", 0,
			"Only records of flows that it wants, in the syntax of pcap-filter(7). The "
			"sink has a stream of its own then. NODATA and SKIPDATA always pass."),
	FFFA_OPT_BOOL("header", C, header, "true", 0,
		      "vpc: true begins each file or stream with the line of field names."),
	FFFA_OPT_INT("batch.records", C, batch_records, "1000", 1, 1000000, 0,
		     "A batch is sent when it holds this many records."),
	FFFA_OPT_SIZE("batch.bytes", C, batch_bytes, "1MiB", 4 * KIB, 64 * MIB, 0,
		      "A batch is sent when it holds this many bytes."),
	FFFA_OPT_DURATION("batch.age", C, batch_age_ns, "200ms", 10 * MS, 1 * M, 0,
			  "A batch is sent this long after its first record."),
	FFFA_OPT_SIZE("queue.memory", C, queue_memory, "32MiB", 64 * KIB, 4 * GIB, 0,
		      "Memory for records that wait for delivery. At least batch.bytes."),
	FFFA_OPT_SIZE(
		"queue.spool", C, queue_spool, "0", 0, 1024 * GIB, 0,
		"Disk space under spool_dir for records that wait for delivery; they survive a "
		"crash and a restart. 0 turns the spool off. At least four times batch.bytes."),
	FFFA_OPT_ENUM("queue.when_full", C, queue_when_full, "drop_newest", when_full, 0,
		      "Which records are dropped when the queue is full."),
	FFFA_OPT_DURATION("retry.min", C, retry_min_ns, "500ms", 10 * MS, 10 * M, 0,
			  "Wait before the first retry. Each further wait is longer."),
	FFFA_OPT_DURATION("retry.max", C, retry_max_ns, "30s", 10 * MS, 10 * M, 0,
			  "Longest wait before a retry."),
	FFFA_OPT_DURATION_OR("retry.give_up", C, retry_give_up_ns, "never", 1 * S, 720 * H, never,
			     0, "A batch is lost when it is not delivered after this long."),
	FFFA_OPT_END,
};

bool fffa_rows_need_restart(const struct fffa_option *row)
{
	for (const struct fffa_option *o = fffa_config_rows; o->key; o++) {
		if (o == row)
			return !(o->flags & FFFA_OPTION_RELOAD);
	}
	return false;
}
