/* A disk that keeps what was synced and may lose the rest.

   Preloaded into the program, it writes a journal of all that happens to the files of one folder:
   creations, writes, truncations, renames, removals and syncs. Files on the real disk are written
   as usual; after a kill, disk.py makes of the journal what a disk could hold after a power cut.

     CRASH_FOLDER   the folder that is watched (its files, not those below)
     CRASH_JOURNAL  where the journal is appended to
     CRASH_LIES     syncs are answered and not done: durability is off
     CRASH_CUT      n: the power fails before the n-th sync; -n: right after it
*/
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { OPEN = 1, CREATE, WRITE, TRUNCATE, SYNC_BEGUN, SYNCED, UNLINK, RENAME };
enum { FOLDER = 1, FILES = 512, DESCRIPTORS = 4096 };

struct record { uint32_t kind, file; uint64_t offset, length; };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char folder[4096];
static size_t folder_length;
static int journal = -1, lies;
static long cut, syncs;
/* 0: not watched; FOLDER: the folder itself; else a file. */
static uint32_t of_descriptor[DESCRIPTORS];
static struct { char name[256]; uint32_t file; } names[FILES];
static uint32_t last_file = FOLDER;

__attribute__((constructor)) static void begin(void) {
  const char *watched = getenv("CRASH_FOLDER"), *path = getenv("CRASH_JOURNAL"), *at = getenv("CRASH_CUT");
  if (!watched || !path || strlen(watched) >= sizeof folder) return;
  strcpy(folder, watched);
  folder_length = strlen(folder);
  lies = getenv("CRASH_LIES") != NULL;
  cut = at ? atol(at) : 0;
  journal = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void note(uint32_t kind, uint32_t file, uint64_t offset, const void *bytes, size_t length) {
  struct record record = {kind, file, offset, length};
  struct iovec parts[2] = {{&record, sizeof record}, {(void *)bytes, length}};
  if (syscall(SYS_writev, journal, parts, length ? 2 : 1) < 0) abort();
}

/* The name inside the folder, or NULL if it is elsewhere or never needed after a power cut. */
static const char *inside(const char *path) {
  if (journal < 0 || !path || strncmp(path, folder, folder_length) || path[folder_length] != '/') return NULL;
  const char *name = path + folder_length + 1;
  size_t length = strlen(name);
  if (!length || length > 255 || strchr(name, '/')) return NULL;
  if ((length > 4 && !strcmp(name + length - 4, "-shm")) || strstr(name, ".lock") || strstr(name, ".sock")) return NULL;
  return name;
}

static int slot(const char *name) {
  for (int n = 0; n < FILES; n++)
    if (names[n].file && !strcmp(names[n].name, name)) return n;
  return -1;
}

static uint32_t number(const char *name, int created) {
  int n = slot(name);
  if (n >= 0 && !created) return names[n].file;
  for (int free = 0; n < 0 && free < FILES; free++)
    if (!names[free].file) n = free;
  if (n < 0) abort();
  strcpy(names[n].name, name);
  names[n].file = ++last_file;
  note(created ? CREATE : OPEN, last_file, 0, name, strlen(name));
  return last_file;
}

static int opened(const char *path, int flags, mode_t mode, int at) {
  const char *name = at == AT_FDCWD ? inside(path) : NULL;
  int is_folder = at == AT_FDCWD && journal >= 0 && path && !strcmp(path, folder);
  if (!name && !is_folder) return (int)syscall(SYS_openat, at, path, flags, mode);
  pthread_mutex_lock(&lock);
  struct stat found;
  int created = name && (flags & O_CREAT) && stat(path, &found) != 0;
  int descriptor = (int)syscall(SYS_openat, at, path, flags, mode);
  if (descriptor >= 0 && descriptor < DESCRIPTORS) {
    int is_file = !is_folder && (created || (stat(path, &found) == 0 && S_ISREG(found.st_mode)));
    of_descriptor[descriptor] = is_folder ? FOLDER : is_file ? number(name, created) : 0;
    if (is_file && !created && (flags & O_TRUNC)) note(TRUNCATE, of_descriptor[descriptor], 0, NULL, 0);
  }
  pthread_mutex_unlock(&lock);
  return descriptor;
}

#define OPENS(name)                                    \
  int name(const char *path, int flags, ...) {         \
    va_list more;                                      \
    va_start(more, flags);                             \
    mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0; \
    va_end(more);                                      \
    return opened(path, flags, mode, AT_FDCWD);        \
  }
OPENS(open)
OPENS(open64)

#define OPENS_AT(name)                                 \
  int name(int at, const char *path, int flags, ...) { \
    va_list more;                                      \
    va_start(more, flags);                             \
    mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0; \
    va_end(more);                                      \
    return opened(path, flags, mode, at);              \
  }
OPENS_AT(openat)
OPENS_AT(openat64)

static uint32_t watched(int descriptor) {
  return descriptor >= 0 && descriptor < DESCRIPTORS ? of_descriptor[descriptor] : 0;
}

int close(int descriptor) {
  if (watched(descriptor)) of_descriptor[descriptor] = 0;
  return (int)syscall(SYS_close, descriptor);
}

static ssize_t written(int descriptor, const void *bytes, size_t length, off64_t offset) {
  uint32_t file = watched(descriptor);
  int at_place = offset >= 0;
  if (file <= FOLDER)
    return at_place ? syscall(SYS_pwrite64, descriptor, bytes, length, offset) : syscall(SYS_write, descriptor, bytes, length);
  pthread_mutex_lock(&lock);
  if (!at_place) offset = lseek64(descriptor, 0, SEEK_CUR);
  ssize_t done = at_place ? syscall(SYS_pwrite64, descriptor, bytes, length, offset) : syscall(SYS_write, descriptor, bytes, length);
  if (done > 0) note(WRITE, file, (uint64_t)offset, bytes, (size_t)done);
  pthread_mutex_unlock(&lock);
  return done;
}

ssize_t write(int descriptor, const void *bytes, size_t length) { return written(descriptor, bytes, length, -1); }
ssize_t pwrite(int descriptor, const void *bytes, size_t length, off_t offset) { return written(descriptor, bytes, length, offset); }
ssize_t pwrite64(int descriptor, const void *bytes, size_t length, off64_t offset) { return written(descriptor, bytes, length, offset); }

int ftruncate64(int descriptor, off64_t length) {
  uint32_t file = watched(descriptor);
  pthread_mutex_lock(&lock);
  int done = (int)syscall(SYS_ftruncate, descriptor, length);
  if (!done && file > FOLDER) note(TRUNCATE, file, (uint64_t)length, NULL, 0);
  pthread_mutex_unlock(&lock);
  return done;
}
int ftruncate(int descriptor, off_t length) { return ftruncate64(descriptor, length); }

/* Real disks are slow; this one is too, so that there is something to lose at any moment. */
static int synced(int descriptor, long call) {
  uint32_t file = watched(descriptor);
  if (!file) return (int)syscall(call, descriptor);
  pthread_mutex_lock(&lock);
  long number = ++syncs;
  if (cut > 0 && number == cut) raise(SIGKILL);
  if (!lies) note(SYNC_BEGUN, file, (uint64_t)number, NULL, 0);
  pthread_mutex_unlock(&lock);
  if (!cut && !lies) usleep((useconds_t)(rand() % 1500));
  pthread_mutex_lock(&lock);
  if (!lies) note(SYNCED, file, (uint64_t)number, NULL, 0);
  if (cut < 0 && number == -cut) raise(SIGKILL);
  pthread_mutex_unlock(&lock);
  return 0;
}
int fsync(int descriptor) { return synced(descriptor, SYS_fsync); }
int fdatasync(int descriptor) { return synced(descriptor, SYS_fdatasync); }

int unlink(const char *path) {
  const char *name = inside(path);
  if (!name) return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
  pthread_mutex_lock(&lock);
  int done = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
  if (!done) {
    int n = slot(name);
    if (n >= 0) names[n].file = 0;
    note(UNLINK, 0, 0, name, strlen(name));
  }
  pthread_mutex_unlock(&lock);
  return done;
}

int rename(const char *from, const char *to) {
  const char *old = inside(from), *new = inside(to);
  if (!old || !new) return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
  pthread_mutex_lock(&lock);
  int done = (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
  if (!done) {
    int source = slot(old), target = slot(new);
    if (target >= 0) names[target].file = 0;
    if (source >= 0) strcpy(names[source].name, new);
    char both[512];
    size_t length = strlen(old);
    memcpy(both, old, length + 1);
    strcpy(both + length + 1, new);
    note(RENAME, 0, 0, both, length + 1 + strlen(new));
  }
  pthread_mutex_unlock(&lock);
  return done;
}
