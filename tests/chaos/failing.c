/* Makes the n-th call of one kind on the database's files fail, once. Loaded before libc by LD_PRELOAD. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static char wanted[16];
static int left = 0, code = 0;

/* From now on the n-th call of this kind fails with this errno. */
void arm(const char *call, int nth, int error) {
    snprintf(wanted, sizeof wanted, "%s", call);
    left = nth;
    code = error;
}

/* How many calls are still to come before the failure: 0 when it has happened. */
int remaining(void) { return left; }

static int fails(const char *call, int fd) {
    char link[64], path[4096];
    if (left == 0 || strcmp(call, wanted) != 0) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    if (!strstr(path, "gateway.sqlite") || --left > 0) return 0;
    errno = code;
    return 1;
}

int fdatasync(int fd) {
    if (fails("fdatasync", fd)) return -1;
    return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(fd);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset) {
    if (fails("write", fd)) return -1;
    return ((ssize_t (*)(int, const void *, size_t, off64_t))dlsym(RTLD_NEXT, "pwrite64"))(fd, data, size, offset);
}
