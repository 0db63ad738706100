// SPDX-License-Identifier: MIT
/*
 * What a program reads of the packets that flows stand for. The programs are made by hand, as
 * libpcap's compiler makes only few of those that are possible, and each version makes others.
 *
 * A value is tried with a jump: BAD reads what no flow defines, so the walk must not get there.
 */
#include "tests/stubs/cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "agent/filter/filter_internal.h"

#define N(a)	  (sizeof(a) / sizeof((a)[0]))
#define INSNS_MAX 40
#define ANY_AT	  12 /* a byte of an address in both versions of IP */

#define LOAD(k)		BPF_STMT(BPF_LD | BPF_IMM, k)
#define BYTE(k)		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, k)
#define BAD		BYTE(4)
#define ANY		BYTE(ANY_AT)
#define TO_X		BPF_STMT(BPF_MISC | BPF_TAX, 0)
#define TO_A		BPF_STMT(BPF_MISC | BPF_TXA, 0)
#define ST(k)		BPF_STMT(BPF_ST, k)
#define STX(k)		BPF_STMT(BPF_STX, k)
#define LD_MEM(k)	BPF_STMT(BPF_LD | BPF_MEM, k)
#define LDX_MEM(k)	BPF_STMT(BPF_LDX | BPF_MEM, k)
#define ALU(op, k)	BPF_STMT(BPF_ALU | (op) | BPF_K, k)
#define ALU_X(op)	BPF_STMT(BPF_ALU | (op) | BPF_X, 0)
#define IF(op, k, t, f) BPF_JUMP(BPF_JMP | (op) | BPF_K, k, t, f)
#define IF_X(op, t, f)	BPF_JUMP(BPF_JMP | (op) | BPF_X, 0, t, f)
#define END		BPF_STMT(BPF_RET | BPF_K, 0)
/* What follows is of the packets of this version alone. */
#define VERSION(v) BYTE(0), ALU(BPF_AND, 0xf0), IF(BPF_JEQ, (v) << 4, 1, 0), END

static struct fffa_filter_reads walk(const struct bpf_insn *insns, size_t n)
{
	struct bpf_insn copy[INSNS_MAX];
	struct bpf_program p = {.bf_len = (unsigned int)n, .bf_insns = copy};
	struct fffa_filter_reads out = {true, true, true, true};

	assert_true(n <= INSNS_MAX);
	memcpy(copy, insns, n * sizeof(*insns));
	assert_int_equal(fffa_filter__reads(&p, &out), 0);
	return out;
}

/* The first n instructions, then two that must be reached, or not. */
static bool gets_to_bad(const struct bpf_insn *insns, size_t n, struct bpf_insn jump)
{
	const struct bpf_insn tail[] = {jump, BAD, END};
	struct bpf_insn all[INSNS_MAX];

	assert_true(n + N(tail) <= INSNS_MAX);
	memcpy(all, insns, n * sizeof(*insns));
	memcpy(all + n, tail, sizeof(tail));
	return walk(all, n + N(tail)).undefined;
}

/* A is this value, whatever the packet. */
static bool leaves(const struct bpf_insn *insns, size_t n, uint32_t value)
{
	return !gets_to_bad(insns, n, (struct bpf_insn)IF(BPF_JEQ, value, 1, 0));
}

/* A may be any value: each of two different ones, and others. */
static bool leaves_any(const struct bpf_insn *insns, size_t n)
{
	for (uint32_t v = 0; v < 2; v++) {
		if (!gets_to_bad(insns, n, (struct bpf_insn)IF(BPF_JEQ, v, 0, 1)) ||
		    !gets_to_bad(insns, n, (struct bpf_insn)IF(BPF_JEQ, v, 1, 0)))
			return false;
	}
	return true;
}

#define EXPECT(value, ...)                                                                         \
	do {                                                                                       \
		const struct bpf_insn insns[] = {__VA_ARGS__};                                     \
		assert_true(leaves(insns, N(insns), value));                                       \
	} while (0)
#define EXPECT_ANY(...)                                                                            \
	do {                                                                                       \
		const struct bpf_insn insns[] = {__VA_ARGS__};                                     \
		assert_true(leaves_any(insns, N(insns)));                                          \
	} while (0)
#define EXPECT_READS(wanted_undefined, wanted_header, ...)                                         \
	do {                                                                                       \
		const struct bpf_insn insns[] = {__VA_ARGS__};                                     \
		const struct fffa_filter_reads reads = walk(insns, N(insns));                      \
		assert_int_equal(reads.undefined, wanted_undefined);                               \
		assert_int_equal(reads.header, wanted_header);                                     \
	} while (0)
#define EXPECT_UNDEFINED(...) EXPECT_READS(true, false, __VA_ARGS__)
#define EXPECT_DEFINED(...)   EXPECT_READS(false, false, __VA_ARGS__)

static void calculations_with_known_values(void **state)
{
	static const struct {
		uint16_t op;
		uint32_t a, b, result;
	} rows[] = {
		{BPF_ADD, 7, 5, 12},	      {BPF_ADD, UINT32_MAX, 2, 1},
		{BPF_SUB, 7, 5, 2},	      {BPF_SUB, 5, 7, UINT32_MAX - 1},
		{BPF_MUL, 7, 5, 35},	      {BPF_OR, 12, 10, 14},
		{BPF_AND, 12, 10, 8},	      {BPF_XOR, 12, 10, 6},
		{BPF_LSH, 3, 4, 48},	      {BPF_LSH, 1, 31, UINT32_C(1) << 31},
		{BPF_LSH, 1, 32, 0},	      {BPF_LSH, 1, 33, 0},
		{BPF_RSH, 48, 4, 3},	      {BPF_RSH, UINT32_MAX, 31, 1},
		{BPF_RSH, UINT32_MAX, 32, 0}, {BPF_RSH, UINT32_MAX, 33, 0},
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		EXPECT(rows[i].result, LOAD(rows[i].a), ALU(rows[i].op, rows[i].b));
		EXPECT(rows[i].result, LOAD(rows[i].b), TO_X, LOAD(rows[i].a), ALU_X(rows[i].op));
		EXPECT_ANY(ANY, ALU(rows[i].op, rows[i].b));
		EXPECT_ANY(ANY, TO_X, LOAD(rows[i].a), ALU_X(rows[i].op));
	}
	EXPECT(UINT32_MAX - 6, LOAD(7), ALU(BPF_NEG, 0));
	/* The second operand is none of it. */
	EXPECT(UINT32_MAX - 6, ANY, TO_X, LOAD(7), ALU_X(BPF_NEG));
	EXPECT_ANY(ANY, ALU(BPF_NEG, 0));
	EXPECT_ANY(LOAD(8), ALU(BPF_DIV, 4));
}

static void values_that_are_moved_and_kept(void **state)
{
	(void)state;
	EXPECT(3, LOAD(3), TO_X, LOAD(4), TO_A);
	EXPECT(4, LOAD(3), TO_X, LOAD(4));
	EXPECT(3, LOAD(3), TO_X, TO_A); /* A is as it was */
	EXPECT_ANY(ANY, TO_X, LOAD(4), TO_A);
	EXPECT(5, BPF_STMT(BPF_LDX | BPF_IMM, 5), TO_A);
	EXPECT(3, LOAD(3), ST(0), LOAD(4), LD_MEM(0));
	EXPECT(4, LOAD(3), ST(0), LOAD(4), ST(1), LD_MEM(1));
	EXPECT(3, LOAD(3), TO_X, LOAD(4), STX(15), LD_MEM(15));
	EXPECT(4, LOAD(3), TO_X, LOAD(4), ST(15), LD_MEM(15));
	EXPECT(3, LOAD(3), ST(7), LDX_MEM(7), LOAD(4), TO_A);
	EXPECT(4, LOAD(3), ST(7), LOAD(4), LDX_MEM(7)); /* A is as it was */
	EXPECT_ANY(LOAD(3), ST(0), ANY, ST(0), LOAD(4), LD_MEM(0));
	EXPECT_ANY(LD_MEM(0)); /* nothing was kept there */
	/* No such places; the kernel would refuse the program. */
	EXPECT(3, LOAD(3), ST(16));
	EXPECT_ANY(LOAD(3), ST(16), LD_MEM(16));
	EXPECT(3, LOAD(4), TO_X, LOAD(3), STX(UINT32_MAX));
}

/* Where the condition holds, the walk must go to the end; where not, to what no flow defines. */
static void jumps_that_are_decided(void **state)
{
	static const struct {
		uint16_t op;
		uint32_t a, b;
		bool holds;
	} rows[] = {
		{BPF_JEQ, 5, 5, true},	 {BPF_JEQ, 5, 6, false},	 {BPF_JGT, 6, 5, true},
		{BPF_JGT, 5, 5, false},	 {BPF_JGT, 4, 5, false},	 {BPF_JGE, 6, 5, true},
		{BPF_JGE, 5, 5, true},	 {BPF_JGE, 4, 5, false},	 {BPF_JSET, 6, 3, true},
		{BPF_JSET, 6, 9, false}, {BPF_JGT, UINT32_MAX, 1, true},
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		const struct bpf_insn k[] = {LOAD(rows[i].a), IF(rows[i].op, rows[i].b, 1, 0), BAD,
					     END},
				      x[] = {LOAD(rows[i].b),	     TO_X, LOAD(rows[i].a),
					     IF_X(rows[i].op, 1, 0), BAD,  END},
				      any_a[] = {ANY, IF(rows[i].op, rows[i].b, 1, 0), BAD, END},
				      any_x[] = {ANY, TO_X, LOAD(rows[i].a), IF_X(rows[i].op, 1, 0),
						 BAD, END},
				      not_x[] = {ANY, TO_X, LOAD(rows[i].a), IF_X(rows[i].op, 0, 1),
						 BAD, END};

		assert_int_equal(walk(k, N(k)).undefined, !rows[i].holds);
		assert_int_equal(walk(x, N(x)).undefined, !rows[i].holds);
		assert_true(walk(any_a, N(any_a)).undefined);
		assert_true(walk(any_x, N(any_x)).undefined);
		assert_true(walk(not_x, N(not_x)).undefined);
	}
}

static void jumps_that_always_go(void **state)
{
	(void)state;
	EXPECT_DEFINED(BPF_STMT(BPF_JMP | BPF_JA, 1), BAD, END);
	EXPECT_DEFINED(BPF_STMT(BPF_JMP | BPF_JA, 2), BAD, BAD, END);
	EXPECT_UNDEFINED(BPF_STMT(BPF_JMP | BPF_JA, 1), END, BYTE(60), END);
	EXPECT_DEFINED(END, BAD); /* nothing comes after the end */
	EXPECT_DEFINED(LOAD(1));
	EXPECT_DEFINED(LOAD(1), BPF_STMT(BPF_JMP | BPF_JA, 0));
	EXPECT_DEFINED(LOAD(1), BPF_STMT(BPF_JMP | BPF_JA, 7)); /* behind the program */
}

/* Two ways lead to the same place. */
static void values_after_two_ways(void **state)
{
	(void)state;
	EXPECT(3, ANY, IF(BPF_JEQ, 1, 0, 2), LOAD(3), BPF_STMT(BPF_JMP | BPF_JA, 1), LOAD(3));
	EXPECT_ANY(ANY, IF(BPF_JEQ, 1, 0, 2), LOAD(3), BPF_STMT(BPF_JMP | BPF_JA, 1), LOAD(4));
	EXPECT_ANY(ANY, IF(BPF_JEQ, 1, 0, 2), LOAD(0), BPF_STMT(BPF_JMP | BPF_JA, 1), ANY);
	EXPECT_ANY(ANY, IF(BPF_JEQ, 1, 0, 2), ANY, BPF_STMT(BPF_JMP | BPF_JA, 1), LOAD(0));
	/* X, and what is kept, at the first place and at the last. */
	EXPECT(3, LOAD(3), TO_X, ANY, IF(BPF_JEQ, 1, 0, 1), LOAD(4), TO_A);
	EXPECT_ANY(LOAD(3), TO_X, ANY, IF(BPF_JEQ, 1, 0, 2), LOAD(4), TO_X, TO_A);
	EXPECT(3, LOAD(3), ST(0), ANY, IF(BPF_JEQ, 1, 0, 1), LOAD(4), LD_MEM(0));
	EXPECT_ANY(LOAD(3), ST(0), ANY, IF(BPF_JEQ, 1, 0, 2), LOAD(4), ST(0), LD_MEM(0));
	EXPECT_ANY(LOAD(3), ST(15), ANY, IF(BPF_JEQ, 1, 0, 2), LOAD(4), ST(15), LD_MEM(15));
}

static void the_version_is_known(void **state)
{
	const struct bpf_insn at_the_end[] = {BYTE(0), ALU(BPF_AND, 0xf0)};

	(void)state;
	EXPECT(4, VERSION(4), LOAD(4));
	EXPECT_DEFINED(BYTE(0), ALU(BPF_AND, 0xf0), IF(BPF_JEQ, 0x40, 2, 0),
		       IF(BPF_JEQ, 0x60, 1, 0), BAD, END);
	/* The other half of the byte, and more than the byte. */
	EXPECT_READS(true, true, BYTE(0), ALU(BPF_AND, 0x0f), END);
	EXPECT_READS(true, true, BYTE(0), ALU(BPF_AND, 0xf1), END);
	EXPECT_READS(true, true, BYTE(0), ALU(BPF_OR, 0xf0), END);
	EXPECT_READS(true, true, BYTE(0), ALU_X(BPF_AND), END);
	EXPECT_READS(true, true, BYTE(0), LOAD(0xf0), END);
	EXPECT_READS(true, true, BYTE(1), ALU(BPF_AND, 0xf0), END);
	EXPECT_READS(true, true, BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 0), ALU(BPF_AND, 0xf0), END);
	EXPECT_READS(true, true, LOAD(0), TO_X, BPF_STMT(BPF_LD | BPF_B | BPF_IND, 0),
		     ALU(BPF_AND, 0xf0), END);
	EXPECT_READS(true, true, BYTE(0));
	assert_true(walk(at_the_end, 1).undefined); /* what is behind the program does not count */
	assert_false(walk(at_the_end, 2).undefined);
}

/* Reads n bytes of the IP header at this offset, of one version's packets. */
static struct fffa_filter_reads read_header(unsigned int version, uint16_t size, uint32_t at)
{
	const struct bpf_insn insns[] = {VERSION(version), BPF_STMT(BPF_LD | size | BPF_ABS, at),
					 END};

	return walk(insns, N(insns));
}

static void the_bytes_of_an_ip_header(void **state)
{
	(void)state;
	for (uint32_t at = 0; at < FFFA_FILTER_IPV4_BYTES; at++) {
		const struct fffa_filter_reads r = read_header(4, BPF_B, at);
		bool fragment = at == 6 || at == 7, defined = fragment || at == 9 || at >= 12;

		assert_int_equal(r.undefined, !defined);
		assert_int_equal(r.header, !defined);
		assert_int_equal(r.fragment, fragment);
		assert_false(r.flags);
	}
	for (uint32_t at = 0; at < FFFA_FILTER_IPV6_BYTES; at++) {
		const struct fffa_filter_reads r = read_header(6, BPF_B, at);
		bool defined = at == 6 || at >= 8;

		assert_int_equal(r.undefined, !defined);
		assert_int_equal(r.header, !defined);
		assert_false(r.fragment);
		assert_false(r.flags);
	}
}

static void several_bytes_at_once(void **state)
{
	(void)state;
	assert_false(read_header(4, BPF_H, 6).undefined);
	assert_true(read_header(4, BPF_H, 5).undefined);
	assert_true(read_header(4, BPF_H, 7).undefined);
	assert_true(read_header(4, BPF_H, 8).undefined);
	assert_true(read_header(4, BPF_H, 9).undefined);
	assert_true(read_header(4, BPF_H, 11).undefined);
	assert_false(read_header(4, BPF_H, 18).undefined);
	assert_true(read_header(4, BPF_H, 19).undefined); /* not every protocol has ports */
	assert_false(read_header(4, BPF_W, 16).undefined);
	for (uint32_t at = 17; at < 20; at++)
		assert_true(read_header(4, BPF_W, at).undefined);
	assert_true(read_header(4, BPF_W, 9).undefined);
	assert_false(read_header(6, BPF_W, 8).undefined);
	assert_true(read_header(6, BPF_W, 7).undefined);
	assert_true(read_header(6, BPF_H, 6).undefined);
	EXPECT(0, VERSION(4), BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 6));
	EXPECT_ANY(VERSION(4), BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 12));
	EXPECT_ANY(VERSION(4), BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12));
	EXPECT_ANY(VERSION(6), BYTE(8));
}

/* A byte behind the IP header of one protocol's packets. */
static struct fffa_filter_reads read_behind(unsigned int version, uint32_t proto, uint32_t at)
{
	uint32_t header = version == 4 ? FFFA_FILTER_IPV4_BYTES : FFFA_FILTER_IPV6_BYTES;
	const struct bpf_insn insns[] = {VERSION(version),	   BYTE(version == 4 ? 9 : 6),
					 IF(BPF_JEQ, proto, 1, 0), END,
					 BYTE(header + at),	   END};

	return walk(insns, N(insns));
}

static bool is_defined(unsigned int version, uint32_t proto, uint32_t at)
{
	switch (proto) {
	case 6:
		return at < 4 || at == 13;
	case 17:
	case 33:
	case 132:
	case 136:
		return at < 4;
	case 1:
	case 58:
		return at < 2;
	default: /* libpcap looks behind the header of a fragment */
		return version == 6 && proto == 44 && !at;
	}
}

static void the_bytes_behind_an_ip_header(void **state)
{
	static const uint32_t offsets[] = {0, 1, 2, 3, 4, 5, 12, 13, 14, 19, 20, 1000};

	(void)state;
	for (uint32_t proto = 0; proto < 256; proto++) {
		for (size_t i = 0; i < 2 * N(offsets); i++) {
			unsigned int version = i < N(offsets) ? 4 : 6;
			uint32_t at = offsets[i % N(offsets)];
			const struct fffa_filter_reads r = read_behind(version, proto, at);

			if (r.undefined == is_defined(version, proto, at))
				fail_msg("IPv%u, protocol %u, byte %u", version, proto, at);
			assert_int_equal(r.flags, proto == 6 && at == 13);
			assert_false(r.header || r.fragment);
		}
	}
	EXPECT(0, VERSION(6), BYTE(6), IF(BPF_JEQ, 44, 1, 0), END, BYTE(40));
	EXPECT_ANY(VERSION(6), BYTE(6), IF(BPF_JEQ, 6, 1, 0), END, BYTE(40));
}

#define IND(size, k) BPF_STMT(BPF_LD | (size) | BPF_IND, k)

static void an_offset_that_is_calculated(void **state)
{
	(void)state;
	EXPECT_DEFINED(LOAD(5), TO_X, IND(BPF_B, 7));
	EXPECT_READS(true, true, LOAD(5), TO_X, IND(BPF_B, 0)); /* byte 5 */
	EXPECT_DEFINED(LOAD(5), TO_X, BYTE(ANY_AT));		/* X is none of it */
	EXPECT_UNDEFINED(ANY, TO_X, IND(BPF_B, ANY_AT));
	EXPECT_DEFINED(ANY, TO_X, BYTE(ANY_AT));
	/* It is not calculated modulo 2^32. */
	EXPECT_UNDEFINED(LOAD(UINT32_MAX), TO_X, IND(BPF_B, ANY_AT + 1));
	EXPECT_UNDEFINED(BYTE(0x10000 + ANY_AT));
	EXPECT_ANY(LOAD(5), TO_X, IND(BPF_B, 7));
}

static void the_length_of_an_ip_header(void **state)
{
	(void)state;
	EXPECT(20, VERSION(4), BPF_STMT(BPF_LDX | BPF_MSH | BPF_B, 0), TO_A);
	EXPECT_UNDEFINED(VERSION(4), BPF_STMT(BPF_LDX | BPF_MSH | BPF_B, 20));
	EXPECT_UNDEFINED(VERSION(6), BPF_STMT(BPF_LDX | BPF_MSH | BPF_B, 0));
	EXPECT_UNDEFINED(BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0)); /* of the packet */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calculations_with_known_values),
		cmocka_unit_test(values_that_are_moved_and_kept),
		cmocka_unit_test(jumps_that_are_decided),
		cmocka_unit_test(jumps_that_always_go),
		cmocka_unit_test(values_after_two_ways),
		cmocka_unit_test(the_version_is_known),
		cmocka_unit_test(the_bytes_of_an_ip_header),
		cmocka_unit_test(several_bytes_at_once),
		cmocka_unit_test(the_bytes_behind_an_ip_header),
		cmocka_unit_test(an_offset_that_is_calculated),
		cmocka_unit_test(the_length_of_an_ip_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
