// The processor that the tests run on, as an oracle: single instructions with chosen state, in a child process.
#pragma once
#include <stdint.h>

// Linear addresses of the case's pages, the same in the child and in the simulated machine: below 2 GiB, so that
// 32-bit code and absolute operands reach them.
enum {
  HOST_CODE = 0x20000000,        // HOST_BATCH slots of HOST_SLOT bytes, executable and readable, filled with INT3
  HOST_DATA = 0x20100000,        // two pages read and write
  HOST_READ_ONLY = 0x20102000,   // one page; byte n is 7n; what follows it is not mapped
  HOST_DATA_BYTES = 0x2000,
  HOST_BATCH = 256,
  HOST_SLOT = 256,
  HOST_PATCH = 64,
  HOST_UPPER_BYTES = 256,        // bits 255:128 of YMM0 to YMM15: where a case begins, the end of host_memory
};

// Selectors of code segments. The 16-bit one is in the LDT: base HOST_CODE, limit FFFFH.
enum { HOST_CS64 = 0x33, HOST_CS32 = 0x23, HOST_CS16 = 0x07, HOST_SS = 0x2b, HOST_DS = 0x2b };

// State in which an instruction begins.
typedef struct HostCase {
  uint64_t regs[16];             // RAX RCX RDX RBX RSP RBP RSI RDI R8 to R15
  uint64_t rip, flags, fsBase, gsBase;
  uint32_t cs;
  uint32_t patchAt[2];           // offsets into the data pages, of bytes that differ from the batch's memory
  uint8_t patch[2][HOST_PATCH];
  uint64_t fx[64];               // FXSAVE64 image
} HostCase;

// State after it: at the INT3 behind it, or at the instruction that faulted.
typedef struct HostResult {
  uint64_t regs[16];
  uint64_t rip, flags, fsBase, gsBase;
  uint64_t trap, error, address; // vector, error code, CR2
  uint16_t es, cs, ss, ds, fs, gs;
  uint64_t fx[64];
  uint64_t hasAVX, upper[HOST_UPPER_BYTES / 8]; // bits 255:128 of YMM0 to YMM15, where the host has AVX
  uint8_t memory[HOST_DATA_BYTES];
} HostResult;

// Maps the shared pages and starts the child. Null: *reason says why it cannot be.
typedef struct HostChild HostChild;
HostChild *_Nullable host_start(const char *_Nullable *_Nonnull reason);
void host_stop(HostChild *_Nonnull);

HostCase *_Nonnull host_cases(HostChild *_Nonnull);
const HostResult *_Nonnull host_results(HostChild *_Nonnull);
static inline const uint8_t *_Nonnull host_result_memory(const HostResult *_Nonnull r) { return r->memory; }
// HOST_BATCH * HOST_SLOT bytes of code, and HOST_DATA_BYTES that the data pages hold before each case.
uint8_t *_Nonnull host_code(HostChild *_Nonnull);
uint8_t *_Nonnull host_memory(HostChild *_Nonnull);

// Runs cases 0 to count-1. Less than count: the child did not survive the case of this number; there is a new child.
int host_run(HostChild *_Nonnull, int count);

// CPUID.(EAX=07H,ECX=0):EBX of the host, 0 where there is no such leaf.
uint32_t host_extended_features(void);
