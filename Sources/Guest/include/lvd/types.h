/* Fixed-width types of the guest system. The monitor's Swift code imports this header too. */
#ifndef LVD_TYPES_H
#define LVD_TYPES_H
#ifndef __ASSEMBLER__
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed char s8;
typedef short s16;
typedef int s32;
typedef long long s64;
#endif
#endif
