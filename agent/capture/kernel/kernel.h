/* SPDX-License-Identifier: MIT */
/*
 * The kernel side: loaded programs, mapped flow table, ring, counters. attach.h attaches the
 * programs. Loop thread, except where noted.
 */
#ifndef FFFA_AGENT_CAPTURE_KERNEL_KERNEL_H
#define FFFA_AGENT_CAPTURE_KERNEL_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "agent/base/ledger.h"
#include "agent/flow/delta.h"

struct fffa_kernel;

enum fffa_program {
	FFFA_PROGRAM_TC_IN,
	FFFA_PROGRAM_TC_OUT,
	FFFA_PROGRAM_XDP_IN,
	FFFA_PROGRAM_TC_IN_2ND, /* the same again; loaded only where the kernel has TCX */
	FFFA_PROGRAM_TC_OUT_2ND,
	FFFA_PROGRAM_IP_IN, /* TC, for devices whose packets begin with IP */
	FFFA_PROGRAM_IP_OUT,
	FFFA_PROGRAM_IP_IN_2ND,
	FFFA_PROGRAM_IP_OUT_2ND,
	FFFA_PROGRAM_MAX
};

/* What may change while packets pass. */
struct fffa_kernel_settings {
	uint16_t geneve_ports[FFFA_MAX_TUNNEL_PORTS]; /* 0: unused */
	uint16_t vxlan_ports[FFFA_MAX_TUNNEL_PORTS];
	bool ask_receiver; /* opens only a tunnel whose port has a socket or tunnel device here */
	uint32_t sample;   /* 1 in so many packets; 0 and 1: each */
	enum fffa_tunnel_record tunnel_view;
};

struct fffa_kernel_conf {
	uint64_t max_flows;  /* entries of one generation, all CPUs together */
	uint32_t ring_bytes; /* power of two, >= page size */
	uint32_t slices;     /* CPUs with room; 0: those online now */
	struct fffa_kernel_settings settings;
};

/*
 * Loads the programs and maps the tables. -EPERM, -ENOTSUP (the kernel lacks a feature) or another
 * -errno; err says what to do. On failure nothing is left.
 */
int fffa_kernel_open(const struct fffa_kernel_conf *conf, struct fffa_kernel **out,
		     struct fffa_err *err);
/* Loads one of the programs, and lets it go: 0, or what fffa_kernel_open would say. Changes nothing. */
int fffa_kernel_try(struct fffa_err *err);
/* The programs follow from the next packet on; one that runs now may use either. */
void fffa_kernel_change(struct fffa_kernel *k, const struct fffa_kernel_settings *s);
/* NULL is allowed. Programs that are still attached keep running. */
void fffa_kernel_close(struct fffa_kernel *k);

/* The program's descriptor; borrowed. Negative: it is not loaded. Any thread. */
int fffa_kernel_program_fd(const struct fffa_kernel *k, enum fffa_program p);
/* The kernel's id of the program; 0: not known. Any thread. */
uint32_t fffa_kernel_program_id(const struct fffa_kernel *k, enum fffa_program p);
bool fffa_kernel_program_is_egress(enum fffa_program p);
/* The TC program that does the same as TC program p. */
enum fffa_program fffa_kernel_program_twin(enum fffa_program p);
/*
 * From now on TC program p counts nothing on that device, and every other program counts. ifindex
 * 0: all count. Any thread, one at a time.
 */
void fffa_kernel_program_mute(struct fffa_kernel *k, enum fffa_program p, uint32_t ifindex);
/* "jiffies" or "precise": the clock the programs use. */
const char *fffa_kernel_clock_name(const struct fffa_kernel *k);

/* Deltas of one drain. Grows up to the table's size. Zero it before the first use. */
struct fffa_deltas {
	struct fffa_delta *v;
	size_t count;
	size_t capacity;
};
/* Frees the array and empties d. */
void fffa_drain_deltas_fini(struct fffa_deltas *d);

/*
 * Switches the generation, waits until no program can write the old one any more, and moves its
 * entries to the end of out. Blocks for some ms: call it from a worker thread, one call at a time.
 * 0; -ENOMEM: entries without room stay in the table for a later drain; other -errno: there was no
 * grace period and nothing moved.
 */
int fffa_kernel_drain(struct fffa_kernel *k, struct fffa_deltas *out);

/* Readable when the ring has events that must be read. */
int fffa_kernel_ring_fd(const struct fffa_kernel *k);
/*
 * Reads at most budget ring events into fn. Returns how many; events of another layout are counted
 * in *bad_events and dropped.
 */
size_t fffa_kernel_ring_read(struct fffa_kernel *k, size_t budget, fffa_delta_fn fn, void *arg,
			     uint64_t *bad_events);
/* Lets the next connection end wake the reader. */
void fffa_kernel_ring_arm(struct fffa_kernel *k);

/*
 * From now on the programs themselves end the window of an entry before it is longer than this, so
 * that a delta is never older although nobody drains. 0: no bound. Several hours are no bound.
 */
void fffa_kernel_limit_window(struct fffa_kernel *k, uint64_t window_ns);

/* The tunnel of an id from a delta. NULL for 0 and unknown ids. Valid until it is released. */
const struct fffa_tunnel *fffa_kernel_tunnel(const struct fffa_kernel *k, uint16_t id);
/*
 * Takes an id back, in two steps. After retire the programs give its tunnel another id when it comes
 * again; what still has the old one is in the table, in the ring, or on its way there. release frees
 * the id for another tunnel: call it when no delta with it can come any more. retire returns false
 * when the id is not given out.
 */
bool fffa_kernel_tunnels_retire(struct fffa_kernel *k, uint16_t id);
void fffa_kernel_tunnels_release(struct fffa_kernel *k, uint16_t id);
/* From now on the programs look again who receives a tunnel, and which id it has. */
void fffa_kernel_tunnels_ask(struct fffa_kernel *k);
/* Packets in tunnels that were not opened because nobody on this host receives them. */
uint64_t fffa_kernel_tunnels_closed(const struct fffa_kernel *k);

/* What was chosen at the start, for a status page. Texts are static. */
struct fffa_kernel_facts {
	uint64_t table_entries; /* of one generation, all slices together */
	uint32_t slices;
	uint32_t ring_bytes;
	const char *clock;	  /* "jiffies" or "precise" */
	const char *grace_period; /* "membarrier" or "map_in_map" */
};
void fffa_kernel_facts(const struct fffa_kernel *k, struct fffa_kernel_facts *out);

struct fffa_program_runs {
	const char *name;
	uint64_t run_ns; /* both 0 unless kernel.bpf_stats_enabled */
	uint64_t runs;
};
/* One system call. 0 where the kernel gives no number. */
void fffa_kernel_program_runs(const struct fffa_kernel *k, enum fffa_program p,
			      struct fffa_program_runs *out);

/* Ring events by FFFA_EV_*. [0]: events that found no room. */
#define FFFA_RING_EVENT_KINDS 4
void fffa_kernel_ring_events(const struct fffa_kernel *k, uint64_t out[FFFA_RING_EVENT_KINDS]);

/* Writes the hooks' counters into l: seen, not_ip_frames, no_tunnel_id and the kernel's losses. */
void fffa_kernel_read_counts(const struct fffa_kernel *k, struct fffa_ledger *l);

#endif
