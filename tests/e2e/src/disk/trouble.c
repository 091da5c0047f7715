/*
 * A disk that can be made to fail under a running process: loaded before the C library of a daemon under test.
 *
 * DISK_ROOT      the folder whose disk it is
 * DISK_TROUBLE   a file: while it is there, what would change that disk fails with the number in it, an errno
 *
 * A file system that its kernel has made read-only answers like this with EROFS, a broken disk with EIO: to files that
 * were opened for writing before, too.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int is_on_disk(const char *path)
{
	const char *root = getenv("DISK_ROOT");
	size_t length = root ? strlen(root) : 0;
	return length && !strncmp(path, root, length) && (path[length] == '/' || !path[length]);
}

/* What is wrong; 0 while all is well. */
static int trouble(void)
{
	const char *name = getenv("DISK_TROUBLE");
	char text[16] = "";
	int saved = errno;
	int file = name ? syscall(SYS_openat, AT_FDCWD, name, O_RDONLY | O_CLOEXEC) : -1;
	if (file >= 0) {
		ssize_t length = syscall(SYS_read, file, text, sizeof text - 1);
		syscall(SYS_close, file);
		text[length > 0 ? length : 0] = 0;
	}
	errno = saved;
	return atoi(text);
}

static int refuses_path(const char *path)
{
	int number = is_on_disk(path) ? trouble() : 0;
	if (number)
		errno = number;
	return number;
}

static int refuses(int fd)
{
	char link[64], path[PATH_MAX];
	int saved = errno;
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t length = readlink(link, path, sizeof path - 1);
	errno = saved;
	if (length <= 0)
		return 0;
	path[length] = 0;
	return refuses_path(path);
}

static int opened(int at, const char *name, int flags, mode_t mode)
{
	struct stat known;
	int saved = errno;
	int writes = (flags & O_ACCMODE) != O_RDONLY, makes = (flags & O_CREAT) && fstatat(at, name, &known, 0);
	errno = saved;
	/* A broken disk opens what is there, and fails when it is written to. */
	if ((makes || (writes && ((flags & O_TRUNC) || trouble() == EROFS))) && refuses_path(name))
		return -1;
	return syscall(SYS_openat, at, name, flags, mode);
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

ssize_t write(int fd, const void *bytes, size_t length) { return refuses(fd) ? -1 : syscall(SYS_write, fd, bytes, length); }
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) { return refuses(fd) ? -1 : syscall(SYS_pwrite64, fd, bytes, length, offset); }
ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) { return refuses(fd) ? -1 : syscall(SYS_pwrite64, fd, bytes, length, offset); }

int ftruncate(int fd, off_t length) { return refuses(fd) ? -1 : syscall(SYS_ftruncate, fd, length); }
int ftruncate64(int fd, off64_t length) { return refuses(fd) ? -1 : syscall(SYS_ftruncate, fd, length); }

/* A read-only disk has nothing left to write; a broken one says so here at the latest. */
static int refuses_sync(int fd) { return trouble() == EIO && refuses(fd); }
int fsync(int fd) { return refuses_sync(fd) ? -1 : syscall(SYS_fsync, fd); }
int fdatasync(int fd) { return refuses_sync(fd) ? -1 : syscall(SYS_fdatasync, fd); }
int fallocate(int fd, int mode, off_t offset, off_t length) { return refuses(fd) ? -1 : syscall(SYS_fallocate, fd, mode, offset, length); }

int rename(const char *from, const char *to) { return refuses_path(from) || refuses_path(to) ? -1 : syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to); }
int link(const char *from, const char *to) { return refuses_path(to) ? -1 : syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0); }
int unlink(const char *path) { return refuses_path(path) ? -1 : syscall(SYS_unlinkat, AT_FDCWD, path, 0); }
int mkdir(const char *path, mode_t mode) { return refuses_path(path) ? -1 : syscall(SYS_mkdirat, AT_FDCWD, path, mode); }
