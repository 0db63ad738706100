// SPDX-License-Identifier: MIT
/*
 * make_frame_seeds DIR: writes each packet of the corpus as a seed of fuzz_frame (link type 0,
 * nothing missing), and one without its Ethernet header as RAW.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/stubs/packets.h"

#define CORPUS_MAX 256

static int write_seed(const char *dir, size_t number, uint8_t linktype, const uint8_t *b,
		      size_t len)
{
	const uint8_t head[2] = {linktype, 0};
	char path[4096];
	FILE *f;
	int bad;

	(void)snprintf(path, sizeof(path), "%s/%u-%02zu", dir, linktype, number);
	f = fopen(path, "wb");
	if (!f)
		return 1;
	bad = fwrite(head, 1, 2, f) != 2 || fwrite(b, 1, len, f) != len;
	return fclose(f) || bad;
}

int main(int argc, char **argv)
{
	struct packet *v = calloc(CORPUS_MAX, sizeof(*v));
	size_t n;
	int bad = 0;

	if (!v || argc != 2) {
		free(v);
		return 2;
	}
	n = packet_corpus(v, CORPUS_MAX);
	for (size_t i = 0; i < n; i++)
		bad |= write_seed(argv[1], i, 0, v[i].b, v[i].len);
	bad |= write_seed(argv[1], 0, 1, v[0].b + 14, v[0].len - 14);
	free(v);
	return bad;
}
