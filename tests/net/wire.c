/* SPDX-License-Identifier: ISC
 *
 * wire: a fibre between two network name spaces, in user space: what comes out of a TAP in the one is put into a TAP in the other, never
 * the other way, and each frame's fate is drawn from a seed: lost, repeated, late, damaged. Ends with its standard input, or on SIGTERM,
 * and says what it did.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/options.h"
#include "tests/random.h"

/* Jumbo frames, and their Ethernet header. */
#define FRAME_SIZE 9216
/* Frames that are on their way at once: at 100,000 a second a delay of 80 ms. What is more is lost, and counted. */
#define ROAD_MAX 8192
/* A late frame lets up to this many others pass. */
#define LATE_BY 16
/* Who is late goes on when nobody comes any more to be let past. */
#define IDLE_MS 20
/* Frames that are taken at a time before the clock is looked at. */
#define BATCH 256
#define ETHERNET_SIZE 14
#define IPV4_SIZE 20
#define UDP_SIZE 8

static uint64_t opt_out, opt_in, opt_seed = 1, opt_loss, opt_duplicate, opt_reorder, opt_damage, opt_burst,
				 opt_every = 20000, opt_delay;

static const struct option options[] = {
	{"out", 0, OPTION_NUMBER, &opt_out, "PID", "a process in the name space that sends; its TAP is named wo"},
	{"in", 0, OPTION_NUMBER, &opt_in, "PID", "a process in the name space that receives; its TAP is named wi"},
	{"seed", 0, OPTION_NUMBER, &opt_seed, "N", "what chance begins with"},
	{"loss", 0, OPTION_NUMBER, &opt_loss, "N", "lose N frames of a thousand"},
	{"duplicate", 0, OPTION_NUMBER, &opt_duplicate, "N", "repeat N of a thousand, up to 16 frames later"},
	{"reorder", 0, OPTION_NUMBER, &opt_reorder, "N", "hold back N of a thousand until up to 16 others have passed"},
	{"damage", 0, OPTION_NUMBER, &opt_damage, "N",
	 "flip a bit in the payload of N of a thousand, so that UDP does not see it"},
	{"burst", 0, OPTION_NUMBER, &opt_burst, "N", "lose N frames in a row…"},
	{"every", 0, OPTION_NUMBER, &opt_every, "M", "…of every M"},
	{"delay", 0, OPTION_NUMBER, &opt_delay, "MS", "every frame takes so long"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

/* A frame on its way: it leaves when PASSED frames have left before it, and not before DUE. */
struct frame {
	struct frame *next;
	uint64_t passed;
	int64_t due; /* ns, monotonic */
	size_t size;
	unsigned char bytes[];
};

struct wire {
	int out_fd, in_fd;
	uint64_t random;
	struct frame *first, **last; /* in order, waiting for DUE */
	struct frame *late;          /* waiting for PASSED, in any order */
	size_t n_waiting;
	int64_t now;
	/* told at the end */
	uint64_t n_taken, taken_bytes, n_lost, n_repeated, n_late, n_damaged, n_given, given_bytes, n_full, n_back;
};

static volatile sig_atomic_t ended;

static void on_signal(int number)
{
	(void)number;
	ended = 1;
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* A TAP in the name space of process PID, which we enter for good: who may make one there may have no right to come back. */
static int open_tap(uint64_t pid, const char *name)
{
	_cleanup_free_ char *path = xasprintf("/proc/%" PRIu64 "/ns/net", pid);
	_cleanup_close_ int space = open(path, O_RDONLY | O_CLOEXEC);
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
	int fd;

	if (space < 0)
		die_errno("%s", path);
	if (setns(space, CLONE_NEWNET) != 0)
		die_errno("%s: setns", path);
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		die_errno("/dev/net/tun");
	memcpy(request.ifr_name, name, strlen(name) + 1);
	if (ioctl(fd, TUNSETIFF, &request) != 0)
		die_errno("%s: TUNSETIFF", name);
	return fd;
}

static bool chance(struct wire *wire, uint64_t permille)
{
	return random_below(&wire->random, 1000) < permille;
}

static void give(struct wire *wire, const unsigned char *bytes, size_t size)
{
	if (write(wire->in_fd, bytes, size) != (ssize_t)size) {
		wire->n_full++;
		return;
	}
	wire->n_given++;
	wire->given_bytes += size;
}

static struct frame *frame_new(struct wire *wire, const unsigned char *bytes, size_t size)
{
	struct frame *frame;

	if (wire->n_waiting == ROAD_MAX) {
		wire->n_full++;
		return NULL;
	}
	frame = xmalloc(sizeof(*frame) + size);
	frame->next = NULL;
	frame->passed = 0;
	frame->due = wire->now + (int64_t)opt_delay * 1000000;
	frame->size = size;
	memcpy(frame->bytes, bytes, size);
	wire->n_waiting++;
	return frame;
}

/* The end of the road begins here: in order, after the delay. */
static void put_on_road(struct wire *wire, const unsigned char *bytes, size_t size)
{
	struct frame *frame;

	if (opt_delay == 0) {
		give(wire, bytes, size);
		return;
	}
	frame = frame_new(wire, bytes, size);
	if (frame == NULL)
		return;
	*wire->last = frame;
	wire->last = &frame->next;
}

static void leave_road(struct wire *wire)
{
	while (wire->first != NULL && wire->first->due <= wire->now) {
		struct frame *frame = wire->first;

		give(wire, frame->bytes, frame->size);
		wire->first = frame->next;
		if (wire->first == NULL)
			wire->last = &wire->first;
		free(frame);
		wire->n_waiting--;
	}
}

static void put_late(struct wire *wire, const unsigned char *bytes, size_t size)
{
	struct frame *frame = frame_new(wire, bytes, size);

	if (frame == NULL)
		return;
	frame->passed = wire->n_taken + 1 + random_below(&wire->random, LATE_BY);
	frame->next = wire->late;
	wire->late = frame;
}

/* Those whose turn has come; ALL where nobody comes any more. */
static void let_late_go(struct wire *wire, bool all)
{
	for (struct frame **at = &wire->late; *at != NULL;) {
		struct frame *frame = *at;

		if (!all && frame->passed > wire->n_taken) {
			at = &frame->next;
			continue;
		}
		*at = frame->next;
		wire->n_waiting--;
		put_on_road(wire, frame->bytes, frame->size);
		free(frame);
	}
}

/* One bit of what UDP carries. A checksum of zero says that there is none (RFC 768). */
static bool damage(struct wire *wire, unsigned char *bytes, size_t size)
{
	size_t head = ETHERNET_SIZE + IPV4_SIZE + UDP_SIZE;
	size_t bit;

	if (size <= head || bytes[12] != 8 || bytes[13] != 0 || bytes[ETHERNET_SIZE] != 0x45 ||
	    bytes[ETHERNET_SIZE + 9] != 17)
		return false;
	bit = random_below(&wire->random, (size - head) * 8);
	bytes[head + bit / 8] ^= (unsigned char)(1U << bit % 8);
	bytes[head - 2] = bytes[head - 1] = 0;
	return true;
}

/* Each frame draws the same numbers whatever becomes of it, so that one rate more leaves the others' choices alone. */
static void take(struct wire *wire, unsigned char *bytes, size_t size)
{
	bool is_lost = chance(wire, opt_loss), is_damaged = chance(wire, opt_damage);
	bool is_repeated = chance(wire, opt_duplicate), is_late = chance(wire, opt_reorder);

	if (opt_burst > 0 && wire->n_taken % opt_every < opt_burst)
		is_lost = true;
	wire->n_taken++;
	wire->taken_bytes += size;
	if (is_lost) {
		wire->n_lost++;
	} else {
		if (is_damaged && damage(wire, bytes, size))
			wire->n_damaged++;
		if (is_repeated)
			put_late(wire, bytes, size);
		wire->n_repeated += is_repeated;
		wire->n_late += is_late;
		if (is_late)
			put_late(wire, bytes, size);
		else
			put_on_road(wire, bytes, size);
	}
	let_late_go(wire, false);
}

/* The kernel's own answer where nobody listens any more is no try of a program's. */
static bool is_icmp(const unsigned char *bytes, size_t size)
{
	return size >= ETHERNET_SIZE + IPV4_SIZE && bytes[12] == 8 && bytes[13] == 0 && bytes[ETHERNET_SIZE + 9] == 1;
}

/* Returns whether anything came. */
static bool serve(struct wire *wire)
{
	static unsigned char bytes[FRAME_SIZE];
	ssize_t n;
	int count;

	for (count = 0; count < BATCH && (n = read(wire->out_fd, bytes, sizeof(bytes))) > 0; count++)
		take(wire, bytes, (size_t)n);
	while ((n = read(wire->in_fd, bytes, sizeof(bytes))) > 0)
		wire->n_back += !is_icmp(bytes, (size_t)n); /* there is no way back */
	return count > 0;
}

static int run(int argc, char **argv)
{
	struct wire wire = {.random = opt_seed, .last = &wire.first};
	struct sigaction action = {.sa_handler = on_signal};

	(void)argv;
	if (argc > 0 || opt_out == 0 || opt_in == 0 || opt_every == 0)
		die_usage("--out and --in are needed");
	wire.out_fd = open_tap(opt_out, "wo");
	wire.in_fd = open_tap(opt_in, "wi");
	sigaction(SIGTERM, &action, NULL);
	printf("ready\n");
	fflush(stdout);
	while (!ended) {
		struct pollfd fds[] = {{STDIN_FILENO, 0, 0}, {wire.out_fd, POLLIN, 0}, {wire.in_fd, POLLIN, 0}};
		bool came;

		if (poll(fds, ARRAY_SIZE(fds), opt_delay > 0 && wire.first != NULL ? 1 : IDLE_MS) < 0 && errno != EINTR)
			die_errno("poll");
		if ((fds[0].revents & (POLLHUP | POLLERR)) != 0)
			break;
		wire.now = now_ns();
		came = serve(&wire);
		let_late_go(&wire, !came && (wire.first == NULL || opt_delay > IDLE_MS));
		leave_road(&wire);
	}
	printf("taken %" PRIu64 " bytes %" PRIu64 " lost %" PRIu64 " repeated %" PRIu64 " late %" PRIu64
	       " damaged %" PRIu64 " given %" PRIu64 " bytes %" PRIu64 " full %" PRIu64 " back %" PRIu64 "\n",
	       wire.n_taken, wire.taken_bytes, wire.n_lost, wire.n_repeated, wire.n_late, wire.n_damaged, wire.n_given,
	       wire.given_bytes, wire.n_full, wire.n_back);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct program program = {
		"wire",
		"carries frames from one TAP to another, never back, and badly",
		options,
		NULL,
		run,
		NULL,
		"Between the TAPs wo and wi, which it makes in the name spaces of two processes."};

	return program_main(&program, argc, argv);
}
