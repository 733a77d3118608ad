// What a handler touches, laid out in C because pointer parameters of exported handlers must be C types.
// Storage only: every meaning is in X86Machine.
#pragma once
#include <stdint.h>
#include <stddef.h>

// One step of a translated block. `handler` is the address of a tail-calling function;
// the micro-ops of a block are consecutive, and a terminator is followed by its link slots.
typedef struct MicroOp {
  void *_Nullable handler;  // link slot: the micro-op to continue at, null while unlinked
  uint64_t imm;             // immediate, pointer to the decoded Instruction; link slot: RIP to continue at
  int32_t disp;             // displacement of the memory operand
  uint16_t cost;            // cycles from the block's start up to this instruction; link slot: of the whole block
  uint16_t ripOffset;       // of this instruction, from the block's RIP
  uint8_t dst, src;         // byte offsets of register operands in CPU
  uint8_t base, index;      // byte offsets of address registers in CPU
  uint8_t scale;            // log2; bit 6 set: the operand is in the stack segment (shifts ignore it)
  uint8_t position;         // micro-ops between the block's header and this one
  uint16_t count;           // instructions of the block before this one; link slot: of the whole block
} MicroOp;

// Precedes the micro-ops of a block; as large as two of them.
typedef struct BlockHeader {
  uint64_t rip;             // as in the RIP register
  uint64_t page, offset;    // physical page of the first byte, and where in it
  uint64_t secondPage;      // physical page of the rest, ~0 unless an instruction straddles two pages
  struct BlockHeader *_Nullable nextOfPage, *_Nullable nextOfHash;
  uint64_t key;             // code size, flat segments, single instruction
  uint16_t reach;           // cycles from the block's start to its last instruction
  uint16_t count, bytes;    // instructions, and bytes of them
  uint16_t ops;
} BlockHeader;

// `addend` + linear address = host address. A tag is the linear page number << 12, or ~0 (never matches).
typedef struct TLBEntry { uint64_t read, write, execute, addend; } TLBEntry;
typedef struct JumpEntry { uint64_t rip; MicroOp *_Nonnull op; } JumpEntry;

// The first 256 bytes are addressable by the byte offsets of a MicroOp.
typedef struct CPU {
  uint64_t regs[16];          //   0: RAX RCX RDX RBX RSP RBP RSI RDI R8..R15
  uint64_t zero;              // 128: always 0 ("no base", "no index")
  uint64_t temp[2];           // 136: addresses that one micro-op computes for the next
  uint64_t segmentBase[6];    // 152: ES CS SS DS FS GS (SDM order of the sreg field)
  uint64_t rip;               // 200: exact whenever no handler is running
  // Arithmetic flags, evaluated lazily.
  uint64_t result, a, b, kind, carry, overflow, adjust;
  // Running.
  uint64_t cycles;            // exact whenever no handler is running
  uint64_t nextEvent;         // handlers return to the run loop at the end of a block once cycles >= nextEvent
  uint64_t instructions;      // retired
  uint64_t blockRIP;          // RIP of the block that a slow path interrupted
  uint64_t exitReason;        // why handlers returned to the run loop
  TLBEntry *_Nonnull tlb;     // bank of the current translation context and privilege
  JumpEntry *_Nonnull jumps;  // jump cache of the same bank
  void *_Nullable processor;  // unmanaged Processor, for slow paths only
  uint32_t mxcsr, reserved;
  uint64_t xmm[32];           // 336: XMM0 to XMM15, low and high quadword
} CPU;
_Static_assert(sizeof(MicroOp) == 32, "two per cache line");
_Static_assert(sizeof(BlockHeader) == 64, "two micro-ops");
_Static_assert(offsetof(CPU, rip) == 200, "byte offsets of micro-ops");
_Static_assert(offsetof(CPU, xmm) == 336, "StateOffset.xmm, a multiple of 16");
