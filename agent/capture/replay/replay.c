// SPDX-License-Identifier: MIT
#include "agent/capture/replay/replay.h"

#include <errno.h>
#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/capture/replay/capture_file.h"
#include "agent/capture/replay/fragments.h"
#include "agent/capture/replay/frame.h"
#include "agent/capture/replay/link_types.h"
#include "agent/capture/replay/tunnels.h"

#define PACKETS_PER_TURN 4096
#define REFUSED_MAX	 16
#define WAIT_MS		 5		     /* for room downstream */
#define RECLAIM_NS	 (FFFA_NS_PER_S / 4) /* of the captures' time: flows have ended since */

struct fffa_replay {
	struct fffa_replay_conf conf;
	struct fffa_replay_events ev;
	struct fffa_ledger *ledger;
	struct fffa_frame_conf frames;
	struct fffa_tunnels *tunnels;
	uint64_t reclaimed_ns; /* when unused ids were taken back */
	struct fffa_fragments *fragments;
	struct fffa_capture_file *file; /* NULL: between two */
	size_t next_path;
	uv_idle_t turn;
	uv_timer_t wait;
	int handles;
	uint64_t now_ns;   /* newest timestamp so far */
	uint64_t began_ns; /* first timestamp, and the loop's time then: for pacing */
	uint64_t began_loop_ms;
	struct fffa_capture_packet packet;
	bool held;	     /* packet is read but not taken yet */
	bool warned_untimed; /* each is told once */
	bool warned_super;
	uint16_t refused[REFUSED_MAX]; /* link types that were told */
	size_t refused_count;
};

static void on_turn(uv_idle_t *h);

static const char *path_of_file(const struct fffa_replay *r)
{
	return r->conf.paths[r->next_path - 1];
}

static int open_next(struct fffa_replay *r, struct fffa_err *err)
{
	int rc = fffa_capture_file_open(r->conf.paths[r->next_path++], &r->file, err);

	return rc && rc != -ENOMEM ? -EIO : rc; /* the exit code is that of a file's contents */
}

static void finish(struct fffa_replay *r, int error)
{
	(void)uv_idle_stop(&r->turn);
	(void)uv_timer_stop(&r->wait);
	r->ev.ended(r->ev.arg, error);
}

static void count_lost(struct fffa_replay *r, enum fffa_packet_loss why)
{
	uint32_t header = fffa_link_types_header_bytes(r->packet.linktype);
	uint64_t bytes = r->packet.wire > header ? r->packet.wire - header : 0;

	fffa_amount_add(&r->ledger->seen[0], 1, bytes);
	fffa_amount_add(&r->ledger->lost[why], 1, bytes);
}

static uint64_t packet_ns(const struct fffa_replay *r)
{
	return r->packet.timed ? r->packet.unix_ns : r->now_ns;
}

/* The packet as it is to be recorded, with its own time. */
static void account(struct fffa_replay *r, struct fffa_packet *p)
{
	struct fffa_delta d = {
		.packets = p->packets,
		.bytes = p->bytes,
		.flags = p->flags,
		.cookie = p->cookie,
		.first_ns = packet_ns(r),
		.last_ns = packet_ns(r),
		.seen_now = true,
		.untimed = !r->packet.timed,
	};

	if (!fffa_fragments_apply(r->fragments, p, packet_ns(r)))
		r->ledger->no_first_fragment++;
	fffa_amount_add(&r->ledger->seen[p->key.view & FFFA_VIEW_EGRESS ? 1 : 0], p->packets,
			p->bytes);
	d.key = p->key;
	r->ev.delta(r->ev.arg, &d);
}

static enum fffa_parse parse(const struct fffa_replay *r, const struct fffa_frame_conf *c,
			     struct fffa_packet *p, struct fffa_tunnel *t, bool *tunnelled)
{
	return fffa_frame_parse(c, r->packet.bytes, r->packet.captured, r->packet.wire, p, t,
				tunnelled);
}

/* The outer packet of a tunnelled one; false: it cannot be parsed. */
static bool parse_outer(const struct fffa_replay *r, struct fffa_packet *p)
{
	struct fffa_frame_conf closed = r->frames;
	struct fffa_tunnel t;
	bool tunnelled;

	memset(closed.geneve_ports, 0, sizeof(closed.geneve_ports));
	memset(closed.vxlan_ports, 0, sizeof(closed.vxlan_ports));
	return parse(r, &closed, p, &t, &tunnelled) == FFFA_PARSE_OK;
}

static void warn_super(struct fffa_replay *r, const struct fffa_packet *p)
{
	if (r->warned_super || !fffa_frame_is_super(r->packet.bytes, r->packet.captured, p))
		return;
	r->warned_super = true;
	fffa_warn("replay",
		  "%s: has packets that were never on a wire like this (%" PRIu32
		  " bytes): the capturing host had merged their segments (GRO, TSO), so there are "
		  "fewer packets and header bytes than on the wire",
		  path_of_file(r), p->l3_bytes);
}

/* 0: all ids are in use. */
static uint16_t intern_tunnel(struct fffa_replay *r, const struct fffa_tunnel *t)
{
	uint16_t id = fffa_tunnels_intern(r->tunnels, t);

	if (id || r->now_ns - r->reclaimed_ns < RECLAIM_NS)
		return id;
	r->reclaimed_ns = r->now_ns;
	return fffa_tunnels_reclaim(r->tunnels, r->ev.tunnel_used, r->ev.arg)
		       ? fffa_tunnels_intern(r->tunnels, t)
		       : 0;
}

/* One packet of the capture. */
static void take(struct fffa_replay *r)
{
	struct fffa_packet p = {0}, outer = {0};
	struct fffa_tunnel t;
	bool tunnelled;
	int dir;

	r->frames.linktype = r->packet.linktype;
	r->frames.swapped = r->packet.swapped;
	r->frames.way = r->packet.way;
	switch (parse(r, &r->frames, &p, &t, &tunnelled)) {
	case FFFA_PARSE_OK:
		break;
	case FFFA_PARSE_NOT_IP:
		r->ledger->not_ip_frames++;
		fffa_ledger_add_not_ip(r->ledger, p.ether_type, 1);
		return;
	case FFFA_PARSE_TRUNCATED:
		count_lost(r, FFFA_PL_TRUNCATED);
		return;
	default:
		count_lost(r, FFFA_PL_MALFORMED);
		return;
	}
	warn_super(r, &p);
	dir = p.key.view & FFFA_VIEW_EGRESS ? 1 : 0;
	if (r->conf.capture->direction == (dir ? FFFA_DIR_INGRESS : FFFA_DIR_EGRESS))
		return;
	if (tunnelled) {
		p.key.tunnel = intern_tunnel(r, &t);
		if (!p.key.tunnel)
			r->ledger->no_tunnel_id++;
		if ((!p.key.tunnel || r->conf.capture->tunnel_view == FFFA_TUNNEL_VIEW_BOTH) &&
		    parse_outer(r, &outer))
			account(r, &outer);
		if (!p.key.tunnel) /* the packet around it is recorded instead */
			return;
	}
	account(r, &p);
}

static void on_wait(uv_timer_t *h)
{
	struct fffa_replay *r = h->data;

	(void)uv_idle_start(&r->turn, on_turn);
}

static void wait_ms(struct fffa_replay *r, uint64_t ms)
{
	(void)uv_idle_stop(&r->turn);
	(void)uv_timer_start(&r->wait, on_wait, ms, 0);
}

/* Milliseconds until a packet of time ts is due; 0: now. */
static uint64_t due_in_ms(struct fffa_replay *r, uint64_t ts)
{
	uint64_t due, now = uv_now(r->turn.loop);

	if (r->conf.speed <= 0)
		return 0;
	if (!r->began_ns) {
		r->began_ns = ts;
		r->began_loop_ms = now;
	}
	if (ts <= r->began_ns)
		return 0;
	due = r->began_loop_ms + (uint64_t)((double)(ts - r->began_ns) / 1e6 / r->conf.speed);
	return due > now ? due - now : 0;
}

/* True the first time that this link type comes. */
static bool note_refused(struct fffa_replay *r, uint16_t linktype)
{
	for (size_t i = 0; i < r->refused_count; i++) {
		if (r->refused[i] == linktype)
			return false;
	}
	if (r->refused_count == REFUSED_MAX)
		return false;
	r->refused[r->refused_count++] = linktype;
	return true;
}

/*
 * Of a link type that cannot be read: an error, which names it. Where the capture has other
 * interfaces, only this one's packets are passed over.
 */
static int check_packet(struct fffa_replay *r)
{
	char name[64];

	if (!r->packet.timed && !r->warned_untimed) {
		r->warned_untimed = true;
		fffa_warn("replay",
			  "%s: has packets without a time: their start and end are not known",
			  path_of_file(r));
	}
	if (fffa_link_types_has(r->packet.linktype))
		return 1;
	if (r->packet.one_of_many) {
		r->ledger->not_ip_frames++;
		r->held = false;
		if (note_refused(r, r->packet.linktype))
			fffa_warn("replay",
				  "%s: packets of an interface with link type %s are passed over: "
				  "it is not supported",
				  path_of_file(r),
				  fffa_link_types_name(r->packet.linktype, name, sizeof(name)));
		return 1;
	}
	fffa_error("replay", "%s: link type %s is not supported", path_of_file(r),
		   fffa_link_types_name(r->packet.linktype, name, sizeof(name)));
	return -ENOTSUP;
}

/* Reads the next packet. 1: it is held; 0: the last file has ended; -errno. */
static int next_packet(struct fffa_replay *r)
{
	struct fffa_err err;

	while (!r->held) {
		int rc = 0;

		if (!r->file) {
			if (r->next_path == r->conf.path_count)
				return 0;
			rc = open_next(r, &err);
		}
		if (!rc)
			rc = fffa_capture_file_next(r->file, &r->packet, &err);
		if (rc < 0) { /* of a file cut off in a packet, what was whole has been read */
			fffa_error("replay", "%s", err.text);
			return rc;
		}
		if (rc) {
			r->held = true;
			rc = check_packet(r);
			if (rc < 0)
				return rc;
			continue;
		}
		fffa_capture_file_close(r->file);
		r->file = NULL;
	}
	return 1;
}

static void on_turn(uv_idle_t *h)
{
	struct fffa_replay *r = h->data;

	if (!r->ev.has_room(r->ev.arg)) {
		wait_ms(r, WAIT_MS);
		return;
	}
	for (int i = 0; i < PACKETS_PER_TURN; i++) {
		int n = next_packet(r);
		uint64_t ms;

		if (n <= 0) {
			finish(r, n);
			return;
		}
		ms = due_in_ms(r, packet_ns(r));
		if (ms) {
			wait_ms(r, ms);
			return;
		}
		if (packet_ns(r) > r->now_ns)
			r->now_ns = packet_ns(r);
		r->ev.time(r->ev.arg, r->now_ns);
		take(r);
		r->held = false;
	}
}

int fffa_replay_open(uv_loop_t *loop, const struct fffa_replay_conf *conf,
		     struct fffa_ledger *ledger, const struct fffa_replay_events *events,
		     struct fffa_replay **out, struct fffa_err *err)
{
	struct fffa_replay *r = calloc(1, sizeof(*r));
	int rc = 0;

	if (!r)
		return fffa_fail(err, ENOMEM, "no memory");
	r->conf = *conf;
	r->ev = *events;
	r->ledger = ledger;
	fffa_frame_conf_init(&r->frames, conf->capture, conf->local, conf->local_count);
	r->tunnels = fffa_tunnels_new();
	r->fragments = fffa_fragments_new();
	if (!r->tunnels || !r->fragments)
		rc = fffa_fail(err, ENOMEM, "no memory");
	else
		rc = open_next(r, err);
	if (rc) {
		fffa_replay_close(r);
		return rc;
	}
	(void)uv_idle_init(loop, &r->turn);
	(void)uv_timer_init(loop, &r->wait);
	r->turn.data = r->wait.data = r;
	r->handles = 2;
	(void)uv_idle_start(&r->turn, on_turn);
	*out = r;
	return 0;
}

const struct fffa_tunnel *fffa_replay_tunnel(const struct fffa_replay *r, uint16_t id)
{
	return fffa_tunnels_get(r->tunnels, id);
}

static void on_stop(uv_timer_t *h)
{
	finish(h->data, 0);
}

void fffa_replay_stop(struct fffa_replay *r)
{
	(void)uv_idle_stop(&r->turn);
	(void)uv_timer_start(&r->wait, on_stop, 0, 0);
}

static void free_replay(struct fffa_replay *r)
{
	fffa_capture_file_close(r->file);
	fffa_tunnels_free(r->tunnels);
	fffa_fragments_free(r->fragments);
	free(r);
}

static void on_closed(uv_handle_t *h)
{
	struct fffa_replay *r = h->data;

	if (!--r->handles)
		free_replay(r);
}

void fffa_replay_close(struct fffa_replay *r)
{
	if (!r->handles) {
		free_replay(r);
		return;
	}
	uv_close((uv_handle_t *)&r->turn, on_closed);
	uv_close((uv_handle_t *)&r->wait, on_closed);
}

const char *fffa_replay_library(void)
{
	return pcap_lib_version();
}
