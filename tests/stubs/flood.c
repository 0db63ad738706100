// SPDX-License-Identifier: MIT
/*
 * flood ADDRESS FLOWS PACKETS_PER_SECOND SECONDS sends UDP packets of many flows at a steady rate
 * from one socket. The flows differ in their destination ports and addresses, which count up from
 * ADDRESS. Prints how many packets were sent.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define AT_ONCE	      50
#define PORTS	      50000
#define FIRST_PORT    10000
#define PAYLOAD_BYTES 32

static uint64_t now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void wait_until(uint64_t ns)
{
	struct timespec t = {.tv_sec = (time_t)(ns / 1000000000),
			     .tv_nsec = (long)(ns % 1000000000)};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR) {
	}
}

static uint64_t flood(int fd, in_addr_t base, uint64_t flows, uint64_t rate, uint64_t total)
{
	static const char payload[PAYLOAD_BYTES] = "flood";
	struct iovec iov = {.iov_base = (void *)(uintptr_t)payload, .iov_len = sizeof(payload)};
	struct sockaddr_in to[AT_ONCE];
	struct mmsghdr msgs[AT_ONCE];
	uint64_t begin = now_ns(), sent = 0;

	memset(msgs, 0, sizeof(msgs));
	while (sent < total) {
		unsigned int n = total - sent < AT_ONCE ? (unsigned int)(total - sent) : AT_ONCE;
		int done;

		for (unsigned int i = 0; i < n; i++) {
			uint64_t flow = (sent + i) % flows;

			to[i] = (struct sockaddr_in){
				.sin_family = AF_INET,
				.sin_port = htons((uint16_t)(FIRST_PORT + flow % PORTS)),
				.sin_addr.s_addr = htonl(base + (uint32_t)(flow / PORTS))};
			msgs[i].msg_hdr = (struct msghdr){.msg_name = &to[i],
							  .msg_namelen = sizeof(to[i]),
							  .msg_iov = &iov,
							  .msg_iovlen = 1};
		}
		done = sendmmsg(fd, msgs, n, 0);
		if (done < 0 && errno != EINTR && errno != ENOBUFS && errno != ECONNREFUSED) {
			perror("sendmmsg");
			exit(1);
		}
		sent += done > 0 ? (uint64_t)done : 0;
		wait_until(begin + sent * 1000000000 / rate);
	}
	return sent;
}

int main(int argc, char **argv)
{
	struct in_addr base;
	uint64_t rate = argc > 4 ? strtoull(argv[3], NULL, 10) : 0;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (!rate || !inet_aton(argv[1], &base) || !strtoull(argv[2], NULL, 10) || fd < 0) {
		(void)fprintf(stderr, "usage: flood ADDRESS FLOWS PACKETS_PER_SECOND SECONDS\n");
		return 2;
	}
	printf("%llu\n",
	       (unsigned long long)flood(fd, ntohl(base.s_addr), strtoull(argv[2], NULL, 10), rate,
					 rate * strtoull(argv[4], NULL, 10)));
	return 0;
}
