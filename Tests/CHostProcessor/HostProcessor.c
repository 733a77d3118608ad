#define _GNU_SOURCE
#include "HostProcessor.h"

#if defined(__x86_64__) && defined(__linux__)
#include <asm/ldt.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/ucontext.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/seccomp.h>

// Parent and child see one area. The child runs a batch inside its signal handler: every case ends in a signal, whose
// frame is the state after the case; the frame that the handler returns through is the state before the next one.
typedef struct Shared {
  volatile int count, index;
  HostCase cases[HOST_BATCH];
  HostResult results[HOST_BATCH];
  uint8_t memory[HOST_DATA_BYTES];
} Shared;

struct HostChild {
  Shared *shared;
  pid_t child;
  int toChild, fromChild;
};

static Shared *shared;
static int commands, answers;
static uint64_t ownFS, ownGS;
static uint8_t stack[1 << 16] __attribute__((aligned(64)));

static inline uint64_t read_fs_base(void) { uint64_t v; __asm__ volatile("rdfsbase %0" : "=r"(v)); return v; }
static inline uint64_t read_gs_base(void) { uint64_t v; __asm__ volatile("rdgsbase %0" : "=r"(v)); return v; }
static inline void write_fs_base(uint64_t v) { __asm__ volatile("wrfsbase %0" ::"r"(v) : "memory"); }
static inline void write_gs_base(uint64_t v) { __asm__ volatile("wrgsbase %0" ::"r"(v) : "memory"); }

// struct _xstate of the kernel: XCR0's components that the frame has room for, and the header behind the FXSAVE image.
enum { FRAME_MAGIC = 0x46505853, AVX = 4, FRAME_FEATURES = 59, HEADER = 64, UPPER = 72 };
static uint64_t frame_features(const uint64_t *fx) { return (uint32_t)fx[58] == FRAME_MAGIC ? fx[FRAME_FEATURES] : 0; }

// The upper halves of YMM are the end of the batch's memory; what lies beyond AVX is initial.
static void load_extended(uint64_t *fx) {
  uint64_t features = frame_features(fx);
  if (!features) return;
  fx[HEADER] = (fx[HEADER] & ~0xfcull) | 3 | (features & AVX);
  if (features & AVX) memcpy(fx + UPPER, shared->memory + HOST_DATA_BYTES - HOST_UPPER_BYTES, HOST_UPPER_BYTES);
}

static void record_extended(const uint64_t *fx, HostResult *r) {
  r->hasAVX = frame_features(fx) >> 2 & 1;
  if (r->hasAVX && fx[HEADER] & AVX)
    memcpy(r->upper, fx + UPPER, HOST_UPPER_BYTES);
  else
    memset(r->upper, 0, HOST_UPPER_BYTES);
}

static void load(ucontext_t *context) {
  HostCase *c = &shared->cases[shared->index];
  uint8_t *data = (uint8_t *)(uintptr_t)HOST_DATA;
  memcpy(data, shared->memory, HOST_DATA_BYTES);
  for (int n = 0; n < 2; n++) memcpy(data + c->patchAt[n], c->patch[n], HOST_PATCH);
  static const int order[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
  greg_t *g = context->uc_mcontext.gregs;
  for (int n = 0; n < 16; n++) g[order[n]] = (greg_t)c->regs[n];
  g[REG_RIP] = (greg_t)c->rip;
  g[REG_EFL] = (greg_t)c->flags;
  g[REG_CSGSFS] = (greg_t)((uint64_t)c->cs | (uint64_t)HOST_SS << 48);
  // UC_SIGCONTEXT_SS, UC_STRICT_RESTORE_SS: SS as it is in the frame.
  context->uc_flags |= 6;
  uint64_t *fx = (uint64_t *)context->uc_mcontext.fpregs;
  memcpy(fx, c->fx, 416);
  load_extended(fx);
  write_gs_base(c->gsBase);
  write_fs_base(c->fsBase);
}

static void record(ucontext_t *context, HostResult *r) {
  static const int order[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
  greg_t *g = context->uc_mcontext.gregs;
  for (int n = 0; n < 16; n++) r->regs[n] = (uint64_t)g[order[n]];
  r->rip = (uint64_t)g[REG_RIP];
  r->flags = (uint64_t)g[REG_EFL];
  r->trap = (uint64_t)g[REG_TRAPNO];
  r->error = (uint64_t)g[REG_ERR];
  r->address = (uint64_t)g[REG_CR2];
  r->cs = (uint16_t)g[REG_CSGSFS];
  r->ss = (uint16_t)((uint64_t)g[REG_CSGSFS] >> 48);
  memcpy(r->fx, context->uc_mcontext.fpregs, 512);
  record_extended((const uint64_t *)context->uc_mcontext.fpregs, r);
  memcpy(r->memory, (void *)(uintptr_t)HOST_DATA, HOST_DATA_BYTES);
}

static void next_batch(void) {
  char byte = 0;
  if (write(answers, &byte, 1) != 1 || read(commands, &byte, 1) != 1) syscall(SYS_exit, 0);
  shared->index = 0;
}

__attribute__((no_stack_protector)) static void handler(int number, siginfo_t *info, void *context) {
  (void)number;
  (void)info;
  // Until FS is back nothing may touch thread-local storage; AC is off before anything may be misaligned. What
  // sigreturn does not load (ID, NT) must not stay from the case before.
  uint64_t fsBase = read_fs_base(), gsBase = read_gs_base();
  uint16_t es, ds, fs, gs;
  __asm__ volatile("pushfq\n andq $~0x244000, (%%rsp)\n popfq" ::: "memory", "cc");
  __asm__ volatile("mov %%es, %0\n mov %%ds, %1\n mov %%fs, %2\n mov %%gs, %3"
                   : "=r"(es), "=r"(ds), "=r"(fs), "=r"(gs));
  __asm__ volatile("mov %0, %%es\n mov %0, %%ds\n mov %0, %%fs\n mov %0, %%gs" ::"r"(HOST_DS));
  write_fs_base(ownFS);
  write_gs_base(ownGS);
  int index = shared->index;
  if (index >= 0) {
    HostResult *r = &shared->results[index];
    record(context, r);
    r->es = es, r->ds = ds, r->fs = fs, r->gs = gs;
    r->fsBase = fsBase, r->gsBase = gsBase;
    shared->index = index + 1;
  }
  if (shared->index < 0 || shared->index >= shared->count) next_batch();
  load(context);
}

static long set_descriptor(unsigned number, unsigned base, unsigned limit, int contents, int readOnly, int is32) {
  struct user_desc d;
  memset(&d, 0, sizeof d);
  d.entry_number = number;
  d.base_addr = base;
  d.limit = limit;
  d.contents = (unsigned)contents & 3;
  d.read_exec_only = readOnly & 1;
  d.seg_32bit = is32 & 1;
  d.useable = 1;
  return syscall(SYS_modify_ldt, 1, &d, sizeof d);
}

_Noreturn static void child(void) {
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
  uint8_t *data = mmap((void *)(uintptr_t)HOST_DATA, 0x3000, PROT_READ | PROT_WRITE, flags, -1, 0);
  if (data == MAP_FAILED) _exit(1);
  uint8_t *readOnly = data + HOST_DATA_BYTES;
  for (int n = 0; n < 0x1000; n++) readOnly[n] = (uint8_t)(7 * n);
  mprotect(readOnly, 0x1000, PROT_READ);
  if (mprotect((void *)(uintptr_t)HOST_CODE, HOST_BATCH * HOST_SLOT, PROT_READ | PROT_EXEC)) _exit(1);
  if (set_descriptor(0, HOST_CODE, 0xffff, 2, 0, 0)) _exit(1);
  stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
  if (sigaltstack(&alternate, NULL)) _exit(1);
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  static const int signals[] = {SIGSEGV, SIGILL, SIGFPE, SIGTRAP, SIGBUS};
  for (unsigned n = 0; n < sizeof signals / sizeof *signals; n++) sigaction(signals[n], &action, NULL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  ownFS = read_fs_base();
  ownGS = read_gs_base();
  shared->index = -1;
  // What the cases may ask of the kernel: read, write, exit, sigreturn.
  prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
  __asm__ volatile("int3");
  __builtin_unreachable();
}

static int start_child(HostChild *h) {
  int down[2], up[2];
  if (pipe2(down, O_CLOEXEC)) return -1;
  if (pipe2(up, O_CLOEXEC)) return -1;
  shared = h->shared;
  pid_t pid = fork();
  if (pid < 0) return -1;
  if (pid == 0) {
    commands = down[0];
    answers = up[1];
    close(down[1]);
    close(up[0]);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    child();
  }
  close(down[0]);
  close(up[1]);
  h->child = pid;
  h->toChild = down[1];
  h->fromChild = up[0];
  char byte;
  return read(h->fromChild, &byte, 1) == 1 ? 0 : -1;
}

static void end_child(HostChild *h) {
  kill(h->child, SIGKILL);
  waitpid(h->child, NULL, 0);
  close(h->toChild);
  close(h->fromChild);
}

HostChild *host_start(const char **reason) {
  // FSGSBASE is on in user mode (HWCAP2 bit 1): the handler depends on it.
  if (!(getauxval(AT_HWCAP2) & 2)) { *reason = "the kernel does not enable FSGSBASE"; return NULL; }
  const int flags = MAP_SHARED | MAP_ANONYMOUS;
  HostChild *h = calloc(1, sizeof *h);
  if (!h) abort();
  h->shared = mmap(NULL, sizeof(Shared), PROT_READ | PROT_WRITE, flags, -1, 0);
  void *code = mmap((void *)(uintptr_t)HOST_CODE, HOST_BATCH * HOST_SLOT, PROT_READ | PROT_WRITE | PROT_EXEC,
                    flags | MAP_FIXED_NOREPLACE, -1, 0);
  if (h->shared == MAP_FAILED || code == MAP_FAILED) {
    *reason = "the host does not map executable pages at 20000000H";
    return NULL;
  }
  if (start_child(h)) { *reason = "no child process, or it may not set descriptors (modify_ldt)"; return NULL; }
  return h;
}

void host_stop(HostChild *h) {
  end_child(h);
  munmap(h->shared, sizeof(Shared));
  munmap((void *)(uintptr_t)HOST_CODE, HOST_BATCH * HOST_SLOT);
  free(h);
}

HostCase *host_cases(HostChild *h) { return h->shared->cases; }
const HostResult *host_results(HostChild *h) { return h->shared->results; }
uint8_t *host_code(HostChild *h) { (void)h; return (uint8_t *)(uintptr_t)HOST_CODE; }
uint8_t *host_memory(HostChild *h) { return h->shared->memory; }

int host_run(HostChild *h, int count) {
  h->shared->count = count;
  char byte = 0;
  struct pollfd wait = {.fd = h->fromChild, .events = POLLIN};
  if (write(h->toChild, &byte, 1) == 1 && poll(&wait, 1, 60000) == 1 && read(h->fromChild, &byte, 1) == 1) return count;
  int index = h->shared->index;
  end_child(h);
  if (start_child(h)) abort();
  return index;
}

uint32_t host_extended_features(void) {
  uint32_t a = 0, b, c, d;
  __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
  if (a < 7) return 0;
  a = 7, c = 0;
  __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
  return b;
}

#else
#include <stdlib.h>
HostChild *host_start(const char **reason) { *reason = "the host is not x86-64 Linux"; return NULL; }
void host_stop(HostChild *h) { (void)h; }
HostCase *host_cases(HostChild *h) { (void)h; abort(); }
const HostResult *host_results(HostChild *h) { (void)h; abort(); }
uint8_t *host_code(HostChild *h) { (void)h; abort(); }
uint8_t *host_memory(HostChild *h) { (void)h; abort(); }
int host_run(HostChild *h, int count) { (void)h; (void)count; abort(); }
uint32_t host_extended_features(void) { return 0; }
#endif
