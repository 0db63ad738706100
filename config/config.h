/* SPDX-License-Identifier: MIT */
/* The configuration as the agent uses it: defaults, then the YAML file; see config/README.md. */
#ifndef FFFA_CONFIG_CONFIG_H
#define FFFA_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "config/option.h"
#include "config/yaml/report.h"

enum fffa_hook { FFFA_HOOK_AUTO, FFFA_HOOK_XDP, FFFA_HOOK_TC };
enum fffa_direction { FFFA_DIR_INGRESS, FFFA_DIR_EGRESS, FFFA_DIR_BOTH };
enum fffa_tunnel_view { FFFA_TUNNEL_VIEW_INNER, FFFA_TUNNEL_VIEW_OUTER, FFFA_TUNNEL_VIEW_BOTH };
enum fffa_when_full { FFFA_WHEN_FULL_DROP_NEWEST, FFFA_WHEN_FULL_DROP_OLDEST };
enum fffa_ecs_switch { FFFA_ECS_AUTO, FFFA_ECS_OFF };
enum fffa_switch { FFFA_SW_AUTO, FFFA_SW_ON, FFFA_SW_OFF };

struct fffa_capture_conf {
	struct fffa_strings interfaces;
	struct fffa_strings exclude;
	int hook;			 /* enum fffa_hook */
	int direction;			 /* enum fffa_direction */
	struct fffa_strings decapsulate; /* "geneve", "vxlan" */
	struct fffa_ints geneve_ports;
	struct fffa_ints vxlan_ports;
	int64_t max_flows;
	int64_t ring_size; /* bytes */
	int64_t drain_interval_ns;
	int tunnel_view; /* enum fffa_tunnel_view */
	int64_t sample;	 /* 1 in N packets */
	bool parity_filter;
	char *filter; /* for fffa_filter_new; empty: none */
};

struct fffa_flows_conf {
	int64_t idle_timeout_ns;
	int64_t active_timeout_ns;
	int64_t max_flows;
	bool nodata;
};

struct fffa_metadata_conf {
	struct {
		int enabled; /* enum fffa_switch: auto on off */
		char *endpoint;
		int64_t refresh_ns;
		int64_t timeout_ns;
	} imds;
	int ecs;			   /* enum fffa_ecs_switch */
	char *ip_ranges;		   /* path; empty: off */
	char *networks;			   /* path; empty: off */
	char *host_name;		   /* empty: the kernel's */
	struct fffa_strings instance_tags; /* keys, at most 2 */
	struct fffa_pairs interfaces;	   /* "DEVICE.interface_id", "DEVICE.addresses[]", ... */
	struct fffa_pairs fixed;	   /* metadata.static: account_id, instance_id, ... */
	bool of_capture;		   /* a replay: packets have no device; set by the daemon */
};

struct fffa_sink_common_conf {
	char *name;
	char *type;
	char *format;
	char *fields; /* as fffa_encoder_new takes it; NULL: the format's default */
	int envelope; /* enum fffa_envelope of agent/base/format.h: none firehose */
	char *filter; /* for fffa_filter_new; empty: none */
	bool header;  /* vpc: begin each file or stream with the header line */
	int64_t batch_records;
	int64_t batch_bytes;
	int64_t batch_age_ns;
	int64_t queue_memory; /* bytes */
	int64_t queue_spool;  /* bytes on disk, 0: none */
	int queue_when_full;  /* enum fffa_when_full */
	int64_t retry_min_ns;
	int64_t retry_max_ns;
	int64_t retry_give_up_ns; /* 0: never */
};

struct fffa_sink_ops; /* sinks/sink.h */

struct fffa_sink_conf {
	struct fffa_sink_common_conf common;
	const struct fffa_sink_ops *ops; /* found by type */
	const struct fffa_option *opts;	 /* the rows of own, from the schema */
	const char *output; /* the file that only this sink may write to, in own; NULL: none */
	void *own;	    /* the sink's own struct, filled from opts */
};

struct fffa_config {
	struct fffa_capture_conf capture;
	struct fffa_flows_conf flows;
	struct fffa_metadata_conf metadata;
	struct fffa_sink_conf *sinks;
	size_t sink_count;
	struct {
		char *listen; /* as fffa_address_parse takes it; empty: off */
	} status;
	char *spool_dir; /* state that is kept across restarts; empty: none is kept */
	int64_t shutdown_timeout_ns;
	int log_level;		      /* enum fffa_log_level */
	int log_format;		      /* enum fffa_log_format */
	int core_dumps;		      /* 0: off, 1: on */
	char *user;		      /* to become, a name or a number; empty: none */
	int seccomp;		      /* 0: off, 1: on */
	struct fffa_strings drop_ins; /* files of conf.d that were read, in order */
};

/*
 * What the reader must know of a sink type. The daemon supplies it, so that config includes
 * no sink.
 */
struct fffa_sink_schema {
	const struct fffa_sink_ops *ops;
	const char *name;
	size_t conf_size;
	const struct fffa_option *opts;
	/*
	 * Rules across fields, may be NULL: 0, or -EINVAL with err. A text that begins with "KEY: "
	 * (one of the sink's keys) is reported at that key's line.
	 */
	int (*check)(const void *conf, struct fffa_err *err);
	/*
	 * -EINVAL with err when the sink, configured by own, cannot take the format or the format
	 * cannot take the fields or the envelope; may be NULL. A text that begins with "fields: ",
	 * "envelope: " or "format: " is reported at that key's line.
	 */
	int (*check_format)(const struct fffa_sink_ops *ops, const struct fffa_sink_common_conf *c,
			    const void *own, struct fffa_err *err);
	/*
	 * What of this host would end the start: as check, a line for each problem. "warning: "
	 * before the key: it is shown and is no problem. NULL: nobody looks.
	 */
	int (*probe)(const void *conf, struct fffa_err *err);
	/* The file that only this sink may write to; NULL: there is none. May be NULL. */
	const char *(*output)(const void *own);
};

/* Caps on what is read; reaching one is a problem, never a cut. */
#define FFFA_CONFIG_SECRET_BYTES_MAX (64 * 1024)
#define FFFA_CONFIG_SINKS_MAX	     16

/* Whether path stands for standard input: "-" or /dev/stdin. */
bool fffa_config_is_stdin(const char *path);

/*
 * Reads path (NULL: defaults only: interfaces auto, vpc text on standard output) into *out; only a
 * regular file, or standard input.
 * The files conf.d/NAME.yaml beside it win over it, in order; see config/README.md. Every
 * problem is reported through problem, not only the first. Returns 0; -EINVAL when there were
 * problems; -errno when the file cannot be read (reported too). schema ends with a row whose name
 * is NULL. On success the caller frees with fffa_config_free; on failure *out is empty.
 */
int fffa_config_load(const char *path, const struct fffa_sink_schema *schema,
		     struct fffa_config *out, fffa_problem_fn problem, void *arg);
/* The same from memory. name is the file's in messages. For tests and fuzzing. */
int fffa_config_load_text(const char *name, const char *text, size_t len,
			  const struct fffa_sink_schema *schema, struct fffa_config *out,
			  fffa_problem_fn problem, void *arg);

/* What the text of a configuration may refer to outside itself. */
struct fffa_config_environment {
	/* Value of an environment variable, borrowed until the next call; NULL: not set. */
	const char *(*env)(void *arg, const char *name);
	/*
	 * Reads a whole file of at most cap bytes: 0 and *text (malloc, *len bytes and a NUL,
	 * caller frees); -EFBIG when larger; -errno.
	 */
	int (*read_file)(void *arg, const char *path, size_t cap, char **text, size_t *len);
	void *arg;
};

/* The process's environment and file system; what the two functions above use. */
extern const struct fffa_config_environment fffa_config_environment_system;

/* fffa_config_load_text with an environment of the caller, for tests and for fuzzing. */
int fffa_config_load_in(const struct fffa_config_environment *environment, const char *name,
			const char *text, size_t len, const struct fffa_sink_schema *schema,
			struct fffa_config *out, fffa_problem_fn problem, void *arg);

/* Frees what one sink holds and wipes its secrets, not c itself. A zeroed c is allowed. */
void fffa_config_free_sink(struct fffa_sink_conf *c);

/* Frees what c holds, wipes its secrets and leaves it empty. An empty or zeroed c is allowed. */
void fffa_config_free(struct fffa_config *c);

#endif
