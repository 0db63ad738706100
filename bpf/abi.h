/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The one header that the kernel programs and the agent share: what lies in mapped memory and in
 * the ring buffer. Fixed widths, explicit padding, host byte order unless the type says __be. Sizes
 * and offsets are asserted below each struct for both compilers. A change of layout bumps FFFA_ABI.
 */
#ifndef FFFA_BPF_ABI_H
#define FFFA_BPF_ABI_H

#include <linux/types.h>

#define FFFA_ABI 4

#define FFFA_ASSERT_SIZE(t, n) _Static_assert(sizeof(t) == (n), "size of " #t)
#define FFFA_ASSERT_OFFSET(t, m, n)                                                                \
	_Static_assert(__builtin_offsetof(t, m) == (n), "offset of " #t "." #m)

/* fffa_key.view */
#define FFFA_VIEW_EGRESS   0x01 /* seen leaving the host on key.ifindex; else arriving */
#define FFFA_VIEW_HOOK_XDP 0x02 /* counted by XDP; else by TC */
#define FFFA_VIEW_IPV6	   0x04 /* an IPv6 packet, also one with v4-mapped addresses */

/*
 * What makes two packets one flow. IPv4 addresses are v4-mapped (::ffff:a.b.c.d); view says which
 * IP version the packet had. Ports are 0 for protocols without ports and for fragments whose first fragment is unknown; for ICMP and ICMPv6
 * sport is 0 and dport holds type << 8 | code (as in NetFlow v9 ICMP_TYPE).
 */
struct fffa_key {
	__u8 src[16];
	__u8 dst[16];
	__be16 sport;
	__be16 dport;
	__u8 proto;    /* IANA protocol number; for IPv6 the upper-layer one */
	__u8 view;     /* FFFA_VIEW_* */
	__u16 tunnel;  /* id of the tunnel in the tunnel table; 0: not encapsulated */
	__u32 ifindex; /* device the packet was seen on */
};
FFFA_ASSERT_SIZE(struct fffa_key, 44);
FFFA_ASSERT_OFFSET(struct fffa_key, ifindex, 40);

/*
 * Flag bits of an entry, OR over its packets. Low byte: the eight TCP flags as on the wire
 * (RFC 9293).
 */
#define FFFA_F_FIN    0x0001
#define FFFA_F_SYN    0x0002
#define FFFA_F_RST    0x0004
#define FFFA_F_PSH    0x0008
#define FFFA_F_ACK    0x0010
#define FFFA_F_URG    0x0020
#define FFFA_F_ECE    0x0040
#define FFFA_F_CWR    0x0080
#define FFFA_F_SYNACK 0x0100 /* one packet carried both SYN and ACK (AWS tcp-flags 18) */

/*
 * One slot of the flow table: one cache line. packets == 0 means free. Times are in clock ticks
 * (see fffa_bpf_conf.clock), low 32 bits: an entry is never older than a few drain intervals.
 */
struct fffa_entry {
	struct fffa_key key;
	__u32 packets;
	__u64 bytes_flags; /* IP bytes in the low 48 bits, FFFA_F_* in the high 16 */
	__u32 first;
	__u32 last;
};
FFFA_ASSERT_SIZE(struct fffa_entry, 64);
FFFA_ASSERT_OFFSET(struct fffa_entry, packets, 44);
FFFA_ASSERT_OFFSET(struct fffa_entry, bytes_flags, 48);

#define FFFA_BYTES_MASK 0x0000ffffffffffffULL
#define FFFA_FLAG_SHIFT 48

#define FFFA_WAYS 4
struct fffa_set {
	struct fffa_entry e[FFFA_WAYS];
};
FFFA_ASSERT_SIZE(struct fffa_set, 256);

/* Beside each set: per slot the AWS flow cookie of its GENEVE flow (0: none). Written only when a
 * slot is filled. */
struct fffa_side {
	__u32 cookie[FFFA_WAYS];
};
FFFA_ASSERT_SIZE(struct fffa_side, 16);

/* fffa_tunnel.type */
#define FFFA_TUNNEL_NONE   0
#define FFFA_TUNNEL_GENEVE 1
#define FFFA_TUNNEL_VXLAN  2
/* fffa_tunnel.has */
#define FFFA_TUNNEL_HAS_GWLBE	   0x01
#define FFFA_TUNNEL_HAS_ATTACHMENT 0x02
#define FFFA_TUNNEL_HAS_COOKIE	   0x04

/* What the id in fffa_key.tunnel stands for. */
struct fffa_tunnel {
	__u8 src[16]; /* outer addresses, v4-mapped */
	__u8 dst[16];
	__u64 gwlbe_id;	     /* GWLB endpoint ENI (option class 0x0108 type 1), when has says so */
	__u64 attachment_id; /* type 2 */
	__u32 vni;
	__u8 type; /* FFFA_TUNNEL_* */
	__u8 has;  /* FFFA_TUNNEL_HAS_* */
	__u8 view; /* FFFA_VIEW_IPV6: the outer packet is IPv6, whatever its addresses */
	__u8 pad0;
};
FFFA_ASSERT_SIZE(struct fffa_tunnel, 56);
FFFA_ASSERT_OFFSET(struct fffa_tunnel, vni, 48);

/* Ids 1..FFFA_TUNNELS_MAX are given out. */
#define FFFA_TUNNELS_MAX 16384

/* A direct-mapped line of the per-CPU cache of tunnel ids. */
#define FFFA_TUNNEL_CACHE_WAYS 64
struct fffa_tunnel_line {
	struct fffa_tunnel tunnel;
	__u32 epoch; /* of fffa_bpf_ctl.tunnel_epoch when it was filled; 0: empty */
	__u16 id;    /* 0: nobody on this host receives the tunnel; it is not opened */
	__u8 way;    /* FFFA_OPEN_WAY */
	__u8 pad0;
};
FFFA_ASSERT_SIZE(struct fffa_tunnel_line, 64);
struct fffa_tunnel_cache {
	struct fffa_tunnel_line line[FFFA_TUNNEL_CACHE_WAYS];
};

/* Ring buffer events. A reader checks abi and len before it reads on. */
#define FFFA_EV_VICTIM 1 /* entry pushed out of a full set */
#define FFFA_EV_END    2 /* entry of a TCP flow that saw FIN or RST */
#define FFFA_EV_AGED   3 /* entry whose window is full, because nobody drained it */
struct fffa_event {
	__u16 abi; /* FFFA_ABI */
	__u16 kind;
	__u32 len; /* of the whole event */
	struct fffa_entry entry;
	__u32 cookie;
	__u32 pad0;
};
FFFA_ASSERT_SIZE(struct fffa_event, 80);
FFFA_ASSERT_OFFSET(struct fffa_event, entry, 8);

/* Why a packet is in no record. Texts are in agent/base/ledger.def, in this order. */
enum fffa_kernel_loss {
	FFFA_KL_MALFORMED,  /* IP or a header below it contradicts itself */
	FFFA_KL_TRUNCATED,  /* the frame ends before its headers do */
	FFFA_KL_TABLE_FULL, /* set full and ring full: the newcomer's packet */
	FFFA_KL_NO_SLICE,   /* the CPU came online after the table was made */
	FFFA_KL_MAX,
};

#define FFFA_NOT_IP_SLOTS 32
#define FFFA_NOT_IP_SHIFT 48

/* One per CPU, in mapped memory, written by that CPU only. Bytes are IP bytes as on the wire. */
struct fffa_counts {
	__u64 seen_packets[2]; /* IP packets, by direction: [0] ingress, [1] egress */
	__u64 seen_bytes[2];
	__u64 lost_packets[FFFA_KL_MAX];
	__u64 lost_bytes[FFFA_KL_MAX];
	__u64 not_ip_frames;	 /* ARP, LLDP, ...: no IP packet, in no other counter */
	__u64 no_tunnel_id;	 /* recorded as the packet around the tunnel: no id was free */
	__u64 ring_events[4];	 /* by kind; [0]: events that found no room */
	__u64 not_sampled;	 /* packets passed over by sampling: in no other counter */
	__u64 no_first_fragment; /* later fragments recorded with ports 0: the first was not seen */
	__u64 no_receiver; /* recorded as the packet around the tunnel: it does not end on this host */
	__u64 not_on_wire_packets; /* of seen: IPsec decrypted them on this host */
	__u64 not_on_wire_bytes;
	__u64 pad0[9];
	/*
	 * not_ip_frames by ether type: the type in the upper 16 bits, frames in the rest; 0: free.
	 * What finds no place is in not_ip_frames alone.
	 */
	__u64 not_ip[FFFA_NOT_IP_SLOTS];
};
FFFA_ASSERT_SIZE(struct fffa_counts, 512);
FFFA_ASSERT_OFFSET(struct fffa_counts, not_ip, 256);

#define FFFA_MAX_TUNNEL_PORTS 4
enum fffa_clock_source {
	FFFA_CLOCK_JIFFIES, /* the kernel's timer ticks, 1 to 10 ms: a load, no call */
	FFFA_CLOCK_PRECISE, /* 2^20 ns of CLOCK_MONOTONIC: costs 25 ns more per packet */
};

/* Which packet of a tunnelled one is recorded. */
enum fffa_tunnel_record {
	FFFA_TUNNEL_RECORD_INNER,
	FFFA_TUNNEL_RECORD_OUTER,
	FFFA_TUNNEL_RECORD_BOTH, /* each counts as a packet seen */
};

/* Read-only for the programs, written before load. */
struct fffa_bpf_conf {
	__u32 sets_per_slice;  /* sets of one CPU in one generation */
	__u32 slices;	       /* CPUs that have room: ids below this */
	__u32 clock;	       /* enum fffa_clock_source */
	__u32 ring_wake_bytes; /* wake the reader when so much is pending */
	__u64 hash_key[4];     /* random, odd: who chooses the packets must not choose the sets */
	__u32 xdp_frags;       /* XDP frames may lie in several buffers (Linux >= 5.18) */
	__u32 fragment_life_ticks; /* a first fragment's ports are good for so long */
	__u32 ipsec_life_ticks;	   /* FFFA_IPSEC_LIFE_S; 0: this kernel is built without IPsec */
	__u32 pad0;
};
FFFA_ASSERT_SIZE(struct fffa_bpf_conf, 64);

#define FFFA_IPSEC_SPIS_MAX 8192
/* A security association of IPsec whose packets come through a device. */
struct fffa_ipsec_spi {
	__u32 spi; /* as on the wire */
	__u32 ifindex;
};
FFFA_ASSERT_SIZE(struct fffa_ipsec_spi, 8);

/* Written by the agent at run time through mapped memory. */
struct fffa_bpf_ctl {
	__u32 generation;   /* 0 or 1: which half of each slice the programs fill */
	__u32 ring_armed;   /* 1: the next end event may wake the reader; the program sets 0 */
	__u32 tunnel_epoch; /* >= 1; when it is raised, all cached ids and answers are void */
	__u32 full_armed;   /* 1: a quarter full ring wakes the reader, and the program sets 0 */
	__u64 muted;  /* FFFA_MUTED of the program that counts nothing on one device; 0: none */
	__u32 sample; /* 1 in so many packets is counted; 0 and 1: each */
	__u16 tunnel_view;  /* enum fffa_tunnel_record */
	__u16 ask_receiver; /* 1: opens only a tunnel whose port has a socket on this host */
	__u64 tunnel_ports; /* bit P % 64 is set for each port P below: most others end here */
	__u16 geneve_ports[FFFA_MAX_TUNNEL_PORTS]; /* host order, 0: unused */
	__u16 vxlan_ports[FFFA_MAX_TUNNEL_PORTS];
	__u32 window_ticks; /* an entry's window ends so long after its first packet; 0: never */
	__u32 ipsec_ticks; /* written by the programs: when an encrypted packet came; 0: none yet */
};
FFFA_ASSERT_SIZE(struct fffa_bpf_ctl, 64); /* one cache line */

/*
 * Each TC program exists twice, so that one can take the other's place while packets pass: the one
 * that is muted passes packets on uncounted. second: 0 or 1. ifindex is above 0.
 */
#define FFFA_MUTED(ifindex, egress, second)                                                        \
	((__u64)(ifindex) << 2 | (__u64)(egress) << 1 | (__u64)(second))

#endif
