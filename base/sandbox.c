/* SPDX-License-Identifier: ISC
 *
 * sandbox: what each process may still do (sandbox.def), and the three walls that hold it to that. The order matters:
 * limits, no_new_privs, Landlock, and seccomp last, for its list holds none of the calls that build the others.
 */
#include "base/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"

/* Rights and fields newer than Debian 12's headers; the kernel's ABI tells which of them it knows. */
#define FS_TRUNCATE (1ULL << 14)  /* ABI 3 */
#define FS_IOCTL_DEV (1ULL << 15) /* ABI 5 */
#define NET_BIND_TCP (1ULL << 0)  /* ABI 4 */
#define NET_CONNECT_TCP (1ULL << 1)
#define SCOPE_ABSTRACT_UNIX_SOCKET (1ULL << 0) /* ABI 6 */
#define SCOPE_SIGNAL (1ULL << 1)
#define FS_ALL_ABI_2 ((1ULL << 14) - 1)
#define FS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define FS_WRITE                                                                                                       \
	(FS_READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |    \
	 LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SYM |                     \
	 LANDLOCK_ACCESS_FS_REFER)
/* REFER (hard links and renames between folders) came with it; without it the store cannot be written beneath Landlock. */
#define LANDLOCK_ABI_MIN 2

#if defined(__SANITIZE_ADDRESS__)
#define UNDER_SANITIZER true
/* LeakSanitizer needs ptrace and /proc, which no profile gives. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}
#else
#define UNDER_SANITIZER false
#endif

struct landlock_ruleset {
	uint64_t fs, net, scoped;
};

/* What every process needs to compute on descriptors, allocate and end. mmap and mprotect are added apart, without PROT_EXEC. */
static const char calls_common[] =
	"read write readv writev close lseek pread64 pwrite64 fcntl fstat munmap mremap brk madvise "
	"futex exit exit_group rt_sigreturn getpid gettid clock_gettime getrandom rt_sigprocmask "
	"rt_sigaction sched_yield recvmsg restart_syscall gettimeofday fsync fdatasync ftruncate "
	"fadvise64 fallocate poll getuid geteuid getgid getegid umask sched_getaffinity rseq "
	"set_robust_list sysinfo uname time getrusage";

/* To its supervisor; the process that hears a network has none, and can send nothing to anybody. */
static const char calls_answer[] = "sendmsg";

/* One bound socket that is only heard, and files: no call that names an address. */
static const char calls_hear[] =
	"recvmmsg setsockopt nanosleep clock_nanosleep sync_file_range mkdirat renameat renameat2 unlinkat fchmod";

/* fstat() of glibc 2.33 and later. Takes a path too, but gives no more than what `ls -l` shows. */
static const char calls_stat[] = "newfstatat statx fstatfs";

static const char calls_read_files[] =
	"openat open openat2 getdents64 readlinkat readlink access faccessat faccessat2 statfs dup";

static const char calls_write_files[] =
	"mkdirat mkdir renameat renameat2 rename linkat symlinkat unlinkat unlink fchmod fchmodat syncfs "
	"utimensat copy_file_range sendfile flock";

/* New files in one flat folder: no link, no folder, no mode, nothing deleted. What a supervisor must be able to clear away. */
static const char calls_put_files[] = "openat renameat renameat2";

static const char calls_thread[] = "clone set_tid_address sched_setaffinity sched_getparam sched_getscheduler tgkill";

static const char calls_network[] =
	"socket connect sendto recvfrom getsockopt setsockopt getsockname getpeername sendmmsg recvmmsg "
	"bind shutdown socketpair pipe2 pipe eventfd2 epoll_create1 epoll_ctl epoll_wait epoll_pwait "
	"ppoll select pselect6 ioctl clock_nanosleep nanosleep prctl getppid prlimit64 sigaltstack "
	"clock_getres alarm setitimer getresuid getresgid";

/* On sockets that were opened and connected before; a file's bytes go straight into many packets. */
static const char calls_send[] = "sendmmsg clock_nanosleep preadv";

static const char calls_terminal[] = "ioctl dup2 dup3 sigaltstack";

/* Secret keys stay out of the swap: libsodium's locked memory. */
static const char calls_secret[] = "mlock munlock";

#if defined(__SANITIZE_ADDRESS__)
static const char calls_sanitizer[] =
	"sigaltstack prctl prlimit64 getrlimit openat readlink tgkill clone set_tid_address ioctl";
#endif

#define THREAD_FLAGS (CLONE_THREAD | CLONE_VM | CLONE_SIGHAND)
#define CALL_LISTS 7

struct profile {
	const char *name;
	const char *calls[CALL_LISTS]; /* beside calls_common; names with blanks between */
	bool network;                  /* TCP connect stays possible; system files stay readable */
	bool only_hears;               /* no call that sends */
	bool may_jit;                  /* mmap and mprotect with PROT_EXEC */
	bool keeps_fsize;              /* no limit on what it writes: its output is a descriptor for people */
	rlim_t address_space;          /* bytes; what the largest legal input needs, with room */
	rlim_t file_size;              /* bytes */
};

#define MIB_ ((rlim_t)1 << 20)
#define GIB_ ((rlim_t)1 << 30)
#define PLAIN_MAX (256 * GIB_) /* LIMIT_PLAIN_SIZE */

#define LIST(...)                                                                                                      \
	{                                                                                                              \
		__VA_ARGS__                                                                                            \
	}
static const struct profile profiles[SANDBOX_N] = {
#define PROFILE(id, title, lists, memory, size, ...)                                                                   \
	[SANDBOX_##id] = {.name = title, .calls = lists, .address_space = memory, .file_size = size, __VA_ARGS__},
#include "base/sandbox.def"
#undef PROFILE
};

static bool opt_test_bench;

void sandbox_set_test_bench(bool test_bench)
{
	opt_test_bench = test_bench;
}

/* A part of the sandbox cannot be had. */
static void lacks(const struct profile *profile, const char *what)
{
	if (!opt_test_bench)
		die("sandbox %s: %s: %s; refusing to start (only a test bench may run without)", profile->name, what,
		    strerror(errno));
	log_warning("sandbox %s: %s: %s; this is a test bench, going on without", profile->name, what, strerror(errno));
}

static long landlock_abi(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

const char *sandbox_missing(void)
{
	if (landlock_abi() < LANDLOCK_ABI_MIN)
		return "Landlock (ABI 2, Linux 5.19 or later, in the kernel's lsm= list)";
	if (prctl(PR_GET_SECCOMP) < 0)
		return "seccomp";
	return NULL;
}

static void limit(const struct profile *profile, int resource, rlim_t value)
{
	if (!sandbox_limit(resource, value))
		lacks(profile, "setrlimit");
}

/* No limit on processes: it counts all of an account, and no profile lists the call that makes one. */
static void enter_limits(const struct profile *profile)
{
	limit(profile, RLIMIT_CORE, 0);
	limit(profile, RLIMIT_NOFILE, 4096);
	if (!profile->keeps_fsize)
		limit(profile, RLIMIT_FSIZE, profile->file_size);
	if (!UNDER_SANITIZER)
		limit(profile, RLIMIT_AS, profile->address_space);
	/* No core, no ptrace by a process of the same account. */
	if (!UNDER_SANITIZER && prctl(PR_SET_DUMPABLE, 0) < 0)
		lacks(profile, "PR_SET_DUMPABLE");
}

static int allow_beneath(int ruleset_fd, int folder_fd, uint64_t rights)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = rights, .parent_fd = folder_fd};

	return (int)syscall(SYS_landlock_add_rule, ruleset_fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

/* What the resolver and TLS read. A folder that is not there needs no rule. */
static void allow_system_files(const struct profile *profile, int ruleset_fd)
{
	static const char *const folders[] = {"/etc",           "/usr", "/lib", "/lib64", "/run/systemd/resolve",
					      "/run/resolvconf"};

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		_cleanup_close_ int fd = open(folders[i], O_PATH | O_CLOEXEC | O_DIRECTORY);

		if (fd >= 0 && allow_beneath(ruleset_fd, fd, FS_READ) < 0)
			lacks(profile, "Landlock rule");
	}
}

static void enter_landlock(const struct profile *profile, const struct sandbox_folder *folders, size_t n_folders)
{
	struct landlock_ruleset ruleset = {.fs = FS_ALL_ABI_2};
	long abi = landlock_abi();
	_cleanup_close_ int fd = -1;

	if (abi < LANDLOCK_ABI_MIN) {
		errno = abi < 0 ? errno : ENOSYS;
		lacks(profile, "Landlock");
		return;
	}
	if (abi >= 3)
		ruleset.fs |= FS_TRUNCATE;
	if (abi >= 5)
		ruleset.fs |= FS_IOCTL_DEV;
	if (abi >= 4)
		ruleset.net = profile->network ? NET_BIND_TCP : NET_BIND_TCP | NET_CONNECT_TCP;
	if (abi >= 6)
		ruleset.scoped = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL;
	fd = (int)syscall(SYS_landlock_create_ruleset, &ruleset, abi >= 6 ? sizeof ruleset : abi >= 4 ? 16UL : 8UL, 0);
	if (fd < 0) {
		lacks(profile, "Landlock ruleset");
		return;
	}
	for (size_t i = 0; i < n_folders; i++) {
		uint64_t rights = folders[i].access == SANDBOX_WRITE ? FS_WRITE | (ruleset.fs & FS_TRUNCATE) : FS_READ;

		if (allow_beneath(fd, folders[i].fd, rights) < 0)
			lacks(profile, "Landlock rule");
	}
	if (profile->network)
		allow_system_files(profile, fd);
	if (syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		lacks(profile, "Landlock");
}

/* Adds a list of calls. One that this machine's libseccomp or architecture does not know is skipped: it stays forbidden. */
static int allow_calls(scmp_filter_ctx filter, const char *names)
{
	char name[32];
	int used;

	for (; sscanf(names, " %31s%n", name, &used) == 1; names += used) {
		int number = seccomp_syscall_resolve_name(name), r;

		if (number == __NR_SCMP_ERROR)
			continue;
		/* An answer on a connection, never to an address. */
		if (number == SCMP_SYS(send))
			r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(sendto), 1, SCMP_A4(SCMP_CMP_EQ, 0, 0));
		/* A thread's name. */
		else if (number == SCMP_SYS(prctl))
			r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 1, SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME, 0));
		/* A thread of this process, never a process. */
		else if (number == SCMP_SYS(clone))
			r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 1,
					     SCMP_A0(SCMP_CMP_MASKED_EQ, THREAD_FLAGS, THREAD_FLAGS));
		else
			r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
		if (r < 0 && r != -EDOM)
			return r;
	}
	return 0;
}

/* Memory is writable or executable, never newly executable; the refusal is an error that dlopen and PCRE2's JIT survive. */
static int allow_memory(scmp_filter_ctx filter, bool may_jit)
{
	const int calls[] = {SCMP_SYS(mmap), SCMP_SYS(mprotect)};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(calls); i++) {
		if (may_jit) {
			r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
			continue;
		}
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
		if (r == 0)
			r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), calls[i], 1,
					     SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC));
	}
	return r;
}

static int build_filter(scmp_filter_ctx filter, const struct profile *profile)
{
	int r = allow_calls(filter, calls_common);

	if (r == 0 && !profile->only_hears)
		r = allow_calls(filter, calls_answer);
	for (size_t i = 0; r == 0 && i < CALL_LISTS && profile->calls[i] != NULL; i++)
		r = allow_calls(filter, profile->calls[i]);
	if (r == 0)
		r = allow_memory(filter, profile->may_jit);
	/* glibc tries clone3 first and falls back on ENOSYS alone. */
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
#if defined(__SANITIZE_ADDRESS__)
	if (r == 0)
		r = allow_calls(filter, calls_sanitizer);
#endif
	return r;
}

static void enter_seccomp(const struct profile *profile)
{
	scmp_filter_ctx filter = seccomp_init(UNDER_SANITIZER ? SCMP_ACT_ERRNO(EACCES) : SCMP_ACT_KILL_PROCESS);
	int r;

	if (filter == NULL)
		die("seccomp_init: out of memory");
	r = build_filter(filter, profile);
	if (r == 0)
		r = seccomp_load(filter);
	seccomp_release(filter);
	if (r < 0) {
		errno = -r;
		lacks(profile, "seccomp");
	}
}

void sandbox_enter(enum sandbox_profile profile_id, const struct sandbox_folder *folders, size_t n_folders)
{
	const struct profile *profile = &profiles[profile_id];

	enter_limits(profile);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		lacks(profile, "no_new_privs");
	enter_landlock(profile, folders, n_folders);
	enter_seccomp(profile);
}
