// SPDX-License-Identifier: MIT
/*
 * Follows a program over the packets that flows stand for, one of each IP version and protocol. Of
 * such a packet a few bytes are known, others are any, and the rest a flow does not define. Jumps
 * of a program without loops lead forwards, so one pass is enough.
 */
#include <errno.h>
#include <stdlib.h>

#include "agent/filter/filter_internal.h"

struct value {
	bool known;
	uint32_t v;
};

/* What A, X and the memory hold before an instruction. */
struct state {
	bool reached;
	struct value a, x, m[BPF_MEMWORDS];
};

struct walk {
	const struct bpf_program *p;
	struct state *states;
	bool v6;
	uint8_t proto;
	struct fffa_filter_reads *reads;
};

static const struct value any = {false, 0};

static struct value known(uint32_t v)
{
	return (struct value){true, v};
}

static bool has_ports(uint8_t proto)
{
	return proto == 6 || proto == 17 || proto == 33 || proto == 132 || proto == 136;
}

/* A byte behind the IP header. False: a flow does not define it. */
static bool read_l4(struct walk *w, uint32_t at, struct value *out)
{
	*out = any;
	if (w->proto == 6 && at == FFFA_FILTER_FLAGS_AT) {
		w->reads->flags = true;
		return true;
	}
	if (w->v6 && w->proto == 44 && !at) { /* libpcap looks behind a fragment header */
		*out = known(0);
		return true;
	}
	return at < (has_ports(w->proto) ? 4 : w->proto == 1 || w->proto == 58 ? 2 : 0);
}

/* A byte of the packet. False: a flow does not define it. */
static bool read_byte(struct walk *w, uint32_t at, struct value *out)
{
	uint32_t header = w->v6 ? FFFA_FILTER_IPV6_BYTES : FFFA_FILTER_IPV4_BYTES;

	*out = any;
	if (at >= header)
		return read_l4(w, at - header, out);
	if (at == (w->v6 ? 6 : 9)) {
		*out = known(w->proto);
		return true;
	}
	if (!w->v6 && (at == 6 || at == 7)) {
		w->reads->fragment = true;
		*out = known(0);
		return true;
	}
	if (at >= (w->v6 ? 8 : 12))
		return true;
	w->reads->header = true;
	return false;
}

/* The first byte: only its upper half, the version, is a flow's. */
static bool is_version(const struct walk *w, size_t pc)
{
	const struct bpf_insn *i = &w->p->bf_insns[pc];

	return i->code == (BPF_LD | BPF_B | BPF_ABS) && !i->k && pc + 1 < w->p->bf_len &&
	       i[1].code == (BPF_ALU | BPF_AND | BPF_K) && i[1].k == 0xf0;
}

static struct value read_packet(struct walk *w, size_t pc, const struct state *s)
{
	const struct bpf_insn *i = &w->p->bf_insns[pc];
	uint32_t n = BPF_SIZE(i->code) == BPF_W ? 4 : BPF_SIZE(i->code) == BPF_H ? 2 : 1;
	struct value sum = known(0);
	uint64_t at = i->k;

	if (is_version(w, pc))
		return known(w->v6 ? 0x60 : 0x45);
	if (BPF_MODE(i->code) == BPF_IND)
		at += s->x.v;
	if ((BPF_MODE(i->code) == BPF_IND && !s->x.known) || at > UINT16_MAX) {
		w->reads->undefined = true;
		return any;
	}
	for (uint32_t k = 0; k < n; k++) {
		struct value byte;

		if (!read_byte(w, (uint32_t)at + k, &byte))
			w->reads->undefined = true;
		sum.known &= byte.known;
		sum.v = sum.v << 8 | byte.v;
	}
	return sum;
}

static struct value load(struct walk *w, size_t pc, const struct state *s)
{
	const struct bpf_insn *i = &w->p->bf_insns[pc];

	switch (BPF_MODE(i->code)) {
	case BPF_IMM:
		return known(i->k);
	case BPF_MEM:
		return i->k < BPF_MEMWORDS ? s->m[i->k] : any;
	case BPF_ABS:
	case BPF_IND:
		return read_packet(w, pc, s);
	case BPF_MSH: /* of an IPv4 header's length only */
		if (!i->k && !w->v6)
			return known(FFFA_FILTER_IPV4_BYTES);
		break;
	default: /* BPF_LEN */
		break;
	}
	w->reads->undefined = true;
	return any;
}

static struct value compute(const struct bpf_insn *i, const struct state *s)
{
	struct value b = BPF_SRC(i->code) == BPF_X ? s->x : known(i->k);

	if (BPF_OP(i->code) == BPF_NEG)
		return s->a.known ? known(0 - s->a.v) : any;
	if (!s->a.known || !b.known)
		return any;
	switch (BPF_OP(i->code)) {
	case BPF_ADD:
		return known(s->a.v + b.v);
	case BPF_SUB:
		return known(s->a.v - b.v);
	case BPF_MUL:
		return known(s->a.v * b.v);
	case BPF_OR:
		return known(s->a.v | b.v);
	case BPF_AND:
		return known(s->a.v & b.v);
	case BPF_XOR:
		return known(s->a.v ^ b.v);
	case BPF_LSH:
		return known(b.v < 32 ? s->a.v << b.v : 0);
	case BPF_RSH:
		return known(b.v < 32 ? s->a.v >> b.v : 0);
	default: /* a division; nothing that reads a flow needs its result */
		return any;
	}
}

static void merge(struct value *into, struct value v)
{
	if (!v.known || !into->known || into->v != v.v)
		*into = any;
}

/* Instruction pc may be next, with this state. */
static void reach(struct walk *w, size_t pc, const struct state *s)
{
	struct state *to;

	if (pc >= w->p->bf_len)
		return;
	to = &w->states[pc];
	if (!to->reached) {
		*to = *s; /* which is reached */
		return;
	}
	merge(&to->a, s->a);
	merge(&to->x, s->x);
	for (size_t k = 0; k < BPF_MEMWORDS; k++)
		merge(&to->m[k], s->m[k]);
}

static bool compare(const struct bpf_insn *i, uint32_t a, uint32_t b)
{
	switch (BPF_OP(i->code)) {
	case BPF_JEQ:
		return a == b;
	case BPF_JGT:
		return a > b;
	case BPF_JGE:
		return a >= b;
	default: /* BPF_JSET */
		return a & b;
	}
}

static void jump(struct walk *w, size_t pc, const struct state *s)
{
	const struct bpf_insn *i = &w->p->bf_insns[pc];
	struct value b = BPF_SRC(i->code) == BPF_X ? s->x : known(i->k);
	bool decided = s->a.known && b.known;

	if (BPF_OP(i->code) == BPF_JA) {
		reach(w, pc + 1 + i->k, s);
		return;
	}
	if (!decided || compare(i, s->a.v, b.v))
		reach(w, pc + 1 + i->jt, s);
	if (!decided || !compare(i, s->a.v, b.v))
		reach(w, pc + 1 + i->jf, s);
}

static void step(struct walk *w, size_t pc)
{
	const struct bpf_insn *i = &w->p->bf_insns[pc];
	struct state s = w->states[pc];

	switch (BPF_CLASS(i->code)) {
	case BPF_LD:
		s.a = load(w, pc, &s);
		break;
	case BPF_LDX:
		s.x = load(w, pc, &s);
		break;
	case BPF_ST:
	case BPF_STX:
		if (i->k < BPF_MEMWORDS)
			s.m[i->k] = BPF_CLASS(i->code) == BPF_ST ? s.a : s.x;
		break;
	case BPF_ALU:
		s.a = compute(i, &s);
		break;
	case BPF_MISC:
		if (BPF_MISCOP(i->code) == BPF_TAX)
			s.x = s.a;
		else
			s.a = s.x;
		break;
	case BPF_JMP:
		jump(w, pc, &s);
		return;
	default: /* BPF_RET */
		return;
	}
	reach(w, pc + 1, &s);
}

static void follow(struct walk *w)
{
	const struct state first = {.reached = true};

	for (size_t pc = 0; pc < w->p->bf_len; pc++)
		w->states[pc].reached = false;
	reach(w, 0, &first);
	for (size_t pc = 0; pc < w->p->bf_len; pc++) {
		if (w->states[pc].reached)
			step(w, pc);
	}
}

int fffa_filter__reads(const struct bpf_program *p, struct fffa_filter_reads *out)
{
	struct walk w = {.p = p, .reads = out};

	*out = (struct fffa_filter_reads){.undefined = false};
	w.states = calloc(p->bf_len, sizeof(*w.states));
	if (!w.states)
		return -ENOMEM;
	for (unsigned int n = 0; n < 512 && !out->undefined; n++) {
		w.v6 = n >= 256;
		w.proto = (uint8_t)n;
		follow(&w);
	}
	free(w.states);
	return 0;
}
