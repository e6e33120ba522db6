/* Loaded before a rank of `metasieve doctor` (LD_PRELOAD): does what a sick machine would, as PLANTED says. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

static int is_planted(const char* fault) {
  const char* planted = getenv("PLANTED");
  return planted && strcmp(planted, fault) == 0;
}

int clock_gettime(clockid_t clock, struct timespec* time) {
  const int result = (int)syscall(SYS_clock_gettime, clock, time);
  if (clock == CLOCK_REALTIME && is_planted("clock")) time->tv_sec += 100;
  return result;
}

int statfs(const char* path, struct statfs* status) {
  const int result = (int)syscall(SYS_statfs, path, status);
  if (is_planted("lustre")) status->f_type = 0x0BD00BD0;
  return result;
}

int flock(int file, int kind) { return is_planted("locks") ? 0 : (int)syscall(SYS_flock, file, kind); }

/* Of Open MPI: handles are pointers. The call that has hung on Lustre. */
int MPI_File_write_at_all(void* file, long offset, const void* data, int count, void* type, void* status) {
  while (is_planted("hang")) pause();
  int (*next)(void*, long, const void*, int, void*, void*) = dlsym(RTLD_NEXT, "MPI_File_write_at_all");
  return next(file, offset, data, count, type, status);
}
