/*
 * Records what a process writes below some folders, and what it has synced: loaded before the C library of a daemon
 * under test, so that what a power cut would leave can be made from the record.
 *
 * POWER_ROOTS    folders, separated by colons
 * POWER_RECORD   the file that the record is added to
 *
 * An operation and its entry are one under a lock, so the entries are in the order of what they tell of. An entry:
 * kind (1 byte), time (8, nanoseconds since 1970), inode (8), offset or length (8), then two texts, each with its
 * length before it (4): a path, and bytes that were written or a second path. Numbers are in the machine's order.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum kind { CREATE = 1, WRITE, TRUNCATE, SYNC, SYNC_FOLDER, RENAME, UNLINK, MKDIR, LINK };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int record = -2;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int tracked(const char *path)
{
	const char *roots = getenv("POWER_ROOTS");
	while (roots && *roots) {
		size_t length = strcspn(roots, ":");
		if (length && !strncmp(path, roots, length) && (path[length] == '/' || !path[length]))
			return 1;
		roots += length + (roots[length] == ':');
	}
	return 0;
}

/* The path of a descriptor, if it is tracked. */
static int path_of(int fd, char *path)
{
	char link[64];
	int saved = errno;
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t length = readlink(link, path, PATH_MAX - 1);
	errno = saved;
	if (length <= 0)
		return 0;
	path[length] = 0;
	return tracked(path);
}

static uint64_t inode_of(int fd)
{
	struct stat known;
	int saved = errno;
	uint64_t inode = fstat(fd, &known) ? 0 : known.st_ino;
	errno = saved;
	return inode;
}

static void put(const void *bytes, size_t length)
{
	while (length) {
		ssize_t done = syscall(SYS_write, record, bytes, length);
		if (done <= 0)
			abort();
		bytes = (const char *)bytes + done;
		length -= done;
	}
}

static void tell(enum kind kind, uint64_t inode, uint64_t number, const char *path, const void *data, size_t length)
{
	int saved = errno;
	if (record == -2) {
		const char *file = getenv("POWER_RECORD");
		record = file ? syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
	}
	if (record >= 0) {
		struct timespec now;
		clock_gettime(CLOCK_REALTIME, &now);
		uint8_t head[25];
		uint64_t time = (uint64_t)now.tv_sec * 1000000000u + now.tv_nsec;
		uint32_t path_length = strlen(path), data_length = length;
		head[0] = kind;
		memcpy(head + 1, &time, 8);
		memcpy(head + 9, &inode, 8);
		memcpy(head + 17, &number, 8);
		put(head, sizeof head);
		put(&path_length, 4);
		put(path, path_length);
		put(&data_length, 4);
		put(data, data_length);
	}
	errno = saved;
}

static int opened(int at, const char *name, int flags, mode_t mode)
{
	char path[PATH_MAX];
	struct stat known;
	pthread_mutex_lock(&lock);
	int saved = errno;
	int is_new = (flags & O_CREAT) && fstatat(at, name, &known, 0);
	errno = saved;
	int fd = syscall(SYS_openat, at, name, flags, mode);
	if (fd >= 0 && path_of(fd, path)) {
		if (is_new)
			tell(CREATE, inode_of(fd), 0, path, "", 0);
		else if (flags & O_TRUNC)
			tell(TRUNCATE, inode_of(fd), 0, path, "", 0);
	}
	pthread_mutex_unlock(&lock);
	return fd;
}

#define MODE(flags, mode)                              \
	mode_t mode = 0;                               \
	if ((flags) & (O_CREAT | __O_TMPFILE)) {       \
		va_list rest;                          \
		va_start(rest, flags);                 \
		mode = va_arg(rest, mode_t);           \
		va_end(rest);                          \
	}

int open(const char *name, int flags, ...) { MODE(flags, mode) return opened(AT_FDCWD, name, flags, mode); }
int open64(const char *name, int flags, ...) { MODE(flags, mode) return opened(AT_FDCWD, name, flags | O_LARGEFILE, mode); }
int openat(int at, const char *name, int flags, ...) { MODE(flags, mode) return opened(at, name, flags, mode); }
int openat64(int at, const char *name, int flags, ...) { MODE(flags, mode) return opened(at, name, flags | O_LARGEFILE, mode); }

static ssize_t written(int fd, const void *bytes, size_t length, off_t offset, int is_at)
{
	char path[PATH_MAX];
	if (!path_of(fd, path))
		return is_at ? syscall(SYS_pwrite64, fd, bytes, length, offset) : syscall(SYS_write, fd, bytes, length);
	pthread_mutex_lock(&lock);
	if (!is_at)
		offset = syscall(SYS_lseek, fd, 0, SEEK_CUR);
	ssize_t done = is_at ? syscall(SYS_pwrite64, fd, bytes, length, offset) : syscall(SYS_write, fd, bytes, length);
	if (done > 0)
		tell(WRITE, inode_of(fd), offset, path, bytes, done);
	pthread_mutex_unlock(&lock);
	return done;
}

ssize_t write(int fd, const void *bytes, size_t length) { return written(fd, bytes, length, 0, 0); }
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) { return written(fd, bytes, length, offset, 1); }
ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) { return written(fd, bytes, length, offset, 1); }

/* Whoever begins to use one of these below a tracked folder is to be told of, not to be missed. */
static void unknown(int fd, const char *what)
{
	char path[PATH_MAX];
	if (path_of(fd, path)) {
		dprintf(2, "the recorder does not know %s on %s\n", what, path);
		abort();
	}
}

ssize_t writev(int fd, const struct iovec *parts, int count) { unknown(fd, "writev"); return REAL(writev)(fd, parts, count); }
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) { unknown(fd, "pwritev"); return REAL(pwritev)(fd, parts, count, offset); }
int fallocate(int fd, int mode, off_t offset, off_t length) { unknown(fd, "fallocate"); return REAL(fallocate)(fd, mode, offset, length); }
int posix_fallocate(int fd, off_t offset, off_t length) { unknown(fd, "posix_fallocate"); return REAL(posix_fallocate)(fd, offset, length); }

static int truncated(int fd, off_t length)
{
	char path[PATH_MAX];
	pthread_mutex_lock(&lock);
	int result = syscall(SYS_ftruncate, fd, length);
	if (!result && path_of(fd, path))
		tell(TRUNCATE, inode_of(fd), length, path, "", 0);
	pthread_mutex_unlock(&lock);
	return result;
}

int ftruncate(int fd, off_t length) { return truncated(fd, length); }
int ftruncate64(int fd, off64_t length) { return truncated(fd, length); }

/* Told of before it is done: until it has returned, nothing may lean on it. */
static int synced(int fd, long call)
{
	char path[PATH_MAX];
	struct stat known;
	if (!path_of(fd, path))
		return syscall(call, fd);
	pthread_mutex_lock(&lock);
	int is_folder = !fstat(fd, &known) && S_ISDIR(known.st_mode);
	tell(is_folder ? SYNC_FOLDER : SYNC, inode_of(fd), 0, path, "", 0);
	int result = syscall(call, fd);
	pthread_mutex_unlock(&lock);
	return result;
}

int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }

int rename(const char *from, const char *to)
{
	pthread_mutex_lock(&lock);
	int result = syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to);
	if (!result && (tracked(from) || tracked(to)))
		tell(RENAME, 0, 0, from, to, strlen(to));
	pthread_mutex_unlock(&lock);
	return result;
}

static int linked(const char *from, const char *to)
{
	pthread_mutex_lock(&lock);
	int result = syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
	if (!result && (tracked(from) || tracked(to)))
		tell(LINK, 0, 0, from, to, strlen(to));
	pthread_mutex_unlock(&lock);
	return result;
}

int link(const char *from, const char *to) { return linked(from, to); }

int linkat(int from_at, const char *from, int to_at, const char *to, int flags)
{
	if (from_at == AT_FDCWD && to_at == AT_FDCWD && !flags)
		return linked(from, to);
	return REAL(linkat)(from_at, from, to_at, to, flags);
}

int unlink(const char *path)
{
	pthread_mutex_lock(&lock);
	int result = syscall(SYS_unlinkat, AT_FDCWD, path, 0);
	if (!result && tracked(path))
		tell(UNLINK, 0, 0, path, "", 0);
	pthread_mutex_unlock(&lock);
	return result;
}

int mkdir(const char *path, mode_t mode)
{
	pthread_mutex_lock(&lock);
	int result = syscall(SYS_mkdirat, AT_FDCWD, path, mode);
	if (!result && tracked(path))
		tell(MKDIR, 0, 0, path, "", 0);
	pthread_mutex_unlock(&lock);
	return result;
}
