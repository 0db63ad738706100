// SPDX-License-Identifier: MIT
/*
 * The functions of libmnl that the agent calls, behind libmnl's own header. Debian's package has no
 * static library of it. The layout is that of netlink(7).
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <stdlib.h>
#include <string.h>

struct mnl_socket {
	int fd;
	struct sockaddr_nl addr;
};

struct mnl_socket *mnl_socket_open2(int bus, int flags)
{
	struct mnl_socket *nl = calloc(1, sizeof(*nl));

	if (!nl)
		return NULL;
	nl->fd = socket(AF_NETLINK, SOCK_RAW | flags, bus);
	if (nl->fd >= 0)
		return nl;
	free(nl);
	return NULL;
}

int mnl_socket_bind(struct mnl_socket *nl, unsigned int groups, pid_t pid)
{
	socklen_t len = sizeof(nl->addr);

	nl->addr = (struct sockaddr_nl){
		.nl_family = AF_NETLINK, .nl_groups = groups, .nl_pid = (uint32_t)pid};
	if (bind(nl->fd, (struct sockaddr *)&nl->addr, sizeof(nl->addr)))
		return -1;
	return getsockname(nl->fd, (struct sockaddr *)&nl->addr, &len);
}

int mnl_socket_close(struct mnl_socket *nl)
{
	int rc = close(nl->fd);

	free(nl);
	return rc;
}

int mnl_socket_get_fd(const struct mnl_socket *nl)
{
	return nl->fd;
}

unsigned int mnl_socket_get_portid(const struct mnl_socket *nl)
{
	return nl->addr.nl_pid;
}

ssize_t mnl_socket_sendto(const struct mnl_socket *nl, const void *req, size_t siz)
{
	const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};

	return sendto(nl->fd, req, siz, 0, (const struct sockaddr *)&kernel, sizeof(kernel));
}

ssize_t mnl_socket_recvfrom(const struct mnl_socket *nl, void *buf, size_t siz)
{
	struct sockaddr_nl from;
	struct iovec iov = {.iov_base = buf, .iov_len = siz};
	struct msghdr msg = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n = recvmsg(nl->fd, &msg, 0);

	if (n < 0)
		return n;
	if (msg.msg_flags & MSG_TRUNC) {
		errno = ENOSPC;
		return -1;
	}
	if (msg.msg_namelen != sizeof(from)) {
		errno = EINVAL;
		return -1;
	}
	return n;
}

size_t mnl_nlmsg_get_payload_len(const struct nlmsghdr *nlh)
{
	return nlh->nlmsg_len - MNL_NLMSG_HDRLEN;
}

struct nlmsghdr *mnl_nlmsg_put_header(void *buf)
{
	struct nlmsghdr *nlh = memset(buf, 0, MNL_NLMSG_HDRLEN);

	nlh->nlmsg_len = MNL_NLMSG_HDRLEN;
	return nlh;
}

void *mnl_nlmsg_put_extra_header(struct nlmsghdr *nlh, size_t size)
{
	void *at = (char *)nlh + nlh->nlmsg_len;
	size_t len = MNL_ALIGN(size);

	nlh->nlmsg_len += (uint32_t)len;
	return memset(at, 0, len);
}

static bool is_message(const struct nlmsghdr *nlh, size_t len)
{
	return len >= sizeof(*nlh) && nlh->nlmsg_len >= sizeof(*nlh) && nlh->nlmsg_len <= len;
}

void *mnl_nlmsg_get_payload(const struct nlmsghdr *nlh)
{
	return (char *)nlh + MNL_NLMSG_HDRLEN;
}

void *mnl_nlmsg_get_payload_offset(const struct nlmsghdr *nlh, size_t offset)
{
	return (char *)nlh + MNL_NLMSG_HDRLEN + MNL_ALIGN(offset);
}

void *mnl_nlmsg_get_payload_tail(const struct nlmsghdr *nlh)
{
	return (char *)nlh + MNL_ALIGN(nlh->nlmsg_len);
}

uint16_t mnl_attr_get_type(const struct nlattr *attr)
{
	return attr->nla_type & NLA_TYPE_MASK;
}

uint16_t mnl_attr_get_payload_len(const struct nlattr *attr)
{
	return (uint16_t)(attr->nla_len - MNL_ATTR_HDRLEN);
}

void *mnl_attr_get_payload(const struct nlattr *attr)
{
	return (char *)attr + MNL_ATTR_HDRLEN;
}

#define GET(name, type)                                                                            \
	type name(const struct nlattr *attr)                                                       \
	{                                                                                          \
		type v;                                                                            \
                                                                                                   \
		memcpy(&v, mnl_attr_get_payload(attr), sizeof(v));                                 \
		return v;                                                                          \
	}

GET(mnl_attr_get_u8, uint8_t)
GET(mnl_attr_get_u16, uint16_t)
GET(mnl_attr_get_u32, uint32_t)
GET(mnl_attr_get_u64, uint64_t)

const char *mnl_attr_get_str(const struct nlattr *attr)
{
	return mnl_attr_get_payload(attr);
}

void mnl_attr_put(struct nlmsghdr *nlh, uint16_t type, size_t len, const void *data)
{
	struct nlattr *attr = mnl_nlmsg_get_payload_tail(nlh);
	size_t whole = MNL_ATTR_HDRLEN + len;

	attr->nla_type = type;
	attr->nla_len = (uint16_t)whole;
	memcpy(mnl_attr_get_payload(attr), data, len);
	memset((char *)attr + whole, 0, MNL_ALIGN(whole) - whole);
	nlh->nlmsg_len += (uint32_t)MNL_ALIGN(whole);
}

#define PUT(name, type)                                                                            \
	void name(struct nlmsghdr *nlh, uint16_t kind, type data)                                  \
	{                                                                                          \
		mnl_attr_put(nlh, kind, sizeof(data), &data);                                      \
	}

PUT(mnl_attr_put_u8, uint8_t)
PUT(mnl_attr_put_u16, uint16_t)
PUT(mnl_attr_put_u32, uint32_t)
PUT(mnl_attr_put_u64, uint64_t)

void mnl_attr_put_strz(struct nlmsghdr *nlh, uint16_t type, const char *data)
{
	mnl_attr_put(nlh, type, strlen(data) + 1, data);
}

bool mnl_attr_ok(const struct nlattr *attr, int len)
{
	return len >= (int)sizeof(*attr) && attr->nla_len >= sizeof(*attr) && attr->nla_len <= len;
}

struct nlattr *mnl_attr_next(const struct nlattr *attr)
{
	return (struct nlattr *)((char *)attr + MNL_ALIGN(attr->nla_len));
}

int mnl_attr_validate(const struct nlattr *attr, enum mnl_attr_data_type type)
{
	static const uint16_t exact[MNL_TYPE_MAX] = {[MNL_TYPE_U8] = 1,
						     [MNL_TYPE_U16] = 2,
						     [MNL_TYPE_U32] = 4,
						     [MNL_TYPE_U64] = 8,
						     [MNL_TYPE_MSECS] = 8};
	uint16_t len = mnl_attr_get_payload_len(attr);
	const char *text = mnl_attr_get_payload(attr);
	bool ok = type < MNL_TYPE_MAX && len >= exact[type];

	if (type == MNL_TYPE_FLAG)
		ok = len == 0;
	else if (type == MNL_TYPE_NUL_STRING)
		ok = len > 0 && text[len - 1] == '\0';
	else if (type == MNL_TYPE_STRING)
		ok = len > 0;
	else if (type == MNL_TYPE_NESTED)
		ok = len == 0 || len >= MNL_ATTR_HDRLEN;
	if (ok)
		return 0;
	errno = ERANGE;
	return -1;
}

/* NLMSG_ERROR: 0 is an acknowledgement. */
static int take_error(const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);

	if (nlh->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof(*e)) {
		errno = EBADMSG;
		return MNL_CB_ERROR;
	}
	if (!e->error)
		return MNL_CB_STOP;
	errno = e->error < 0 ? -e->error : e->error;
	return MNL_CB_ERROR;
}

static int take_message(const struct nlmsghdr *nlh, unsigned int seq, unsigned int portid,
			mnl_cb_t cb, void *data)
{
	if (nlh->nlmsg_pid && portid && nlh->nlmsg_pid != portid) {
		errno = ESRCH;
		return MNL_CB_ERROR;
	}
	if (nlh->nlmsg_seq && seq && nlh->nlmsg_seq != seq) {
		errno = EPROTO;
		return MNL_CB_ERROR;
	}
	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR) {
		errno = EINTR;
		return MNL_CB_ERROR;
	}
	if (nlh->nlmsg_type >= NLMSG_MIN_TYPE)
		return cb ? cb(nlh, data) : MNL_CB_OK;
	if (nlh->nlmsg_type == NLMSG_ERROR)
		return take_error(nlh);
	return nlh->nlmsg_type == NLMSG_DONE ? MNL_CB_STOP : MNL_CB_OK;
}

int mnl_cb_run(const void *buf, size_t numbytes, unsigned int seq, unsigned int portid, mnl_cb_t cb,
	       void *data)
{
	const struct nlmsghdr *nlh = buf;
	int rc = MNL_CB_OK;

	while (rc > MNL_CB_STOP && is_message(nlh, numbytes)) {
		size_t len = MNL_ALIGN(nlh->nlmsg_len);

		rc = take_message(nlh, seq, portid, cb, data);
		nlh = (const struct nlmsghdr *)((const char *)nlh + len);
		numbytes -= len < numbytes ? len : numbytes;
	}
	return rc;
}
