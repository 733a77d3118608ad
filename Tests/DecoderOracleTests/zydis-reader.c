// Answers the decoder's oracle test with what Zydis reads in the same bytes.
//   zydis-reader names            mnemonics, one per line, in the order of their numbers
//   zydis-reader INPUT OUTPUT     queries of 16 bytes {bits, 15 instruction bytes}, answers of `struct answer`
#include <Zydis/Zydis.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { visible = 5, none = 0xff, ip = 0x10 };
struct operand {
  uint8_t type;     // 0 absent, 1 register, 2 memory, 3 far pointer, 4 immediate, 5 relative
  uint8_t a, b, c;  // register: class, number; memory: base, index, scale
  uint8_t segment;  // memory: 0 ES to 5 GS
  uint8_t pad;
  uint16_t size;    // bits
  int64_t value;    // displacement, immediate, offset | selector << 32
};
struct answer {
  uint8_t length;   // 0: not an instruction
  uint8_t operandWidth, addressWidth, count;
  uint16_t mnemonic;
  uint16_t pad;
  struct operand operands[visible];
};

static uint8_t number(ZydisRegister r) {
  if (r == ZYDIS_REGISTER_NONE) return none;
  if (r == ZYDIS_REGISTER_RIP || r == ZYDIS_REGISTER_EIP || r == ZYDIS_REGISTER_IP) return ip;
  return (uint8_t)ZydisRegisterGetId(r);
}

static void describe(const ZydisDecodedOperand *from, struct operand *to) {
  to->size = from->size;
  switch (from->type) {
  case ZYDIS_OPERAND_TYPE_REGISTER:
    to->type = 1;
    to->a = (uint8_t)ZydisRegisterGetClass(from->reg.value);
    to->b = number(from->reg.value);
    break;
  case ZYDIS_OPERAND_TYPE_MEMORY:
    to->type = 2;
    to->a = number(from->mem.base);
    to->b = number(from->mem.index);
    to->c = from->mem.scale;
    to->segment = number(from->mem.segment);
    to->value = from->mem.disp.has_displacement ? from->mem.disp.value : 0;
    break;
  case ZYDIS_OPERAND_TYPE_POINTER:
    to->type = 3;
    to->value = (int64_t)from->ptr.offset | (int64_t)from->ptr.segment << 32;
    break;
  default:
    to->type = from->imm.is_relative ? 5 : 4;
    to->value = from->imm.value.s;
  }
}

int main(int argc, char **argv) {
  if (argc == 2 && !strcmp(argv[1], "names")) {
    for (int m = 0; m <= ZYDIS_MNEMONIC_MAX_VALUE; m++) puts(ZydisMnemonicGetString((ZydisMnemonic)m));
    return 0;
  }
  FILE *in = argc == 3 ? fopen(argv[1], "rb") : 0, *out = argc == 3 ? fopen(argv[2], "wb") : 0;
  if (!in || !out) return 2;
  ZydisDecoder decoders[3];
  ZydisDecoderInit(&decoders[0], ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16);
  ZydisDecoderInit(&decoders[1], ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32);
  ZydisDecoderInit(&decoders[2], ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
  for (int d = 0; d < 3; d++) {
    ZydisDecoderEnableMode(&decoders[d], ZYDIS_DECODER_MODE_MPX, ZYAN_FALSE);
    ZydisDecoderEnableMode(&decoders[d], ZYDIS_DECODER_MODE_WBNOINVD, ZYAN_TRUE);
  }
  uint8_t query[16];
  while (fread(query, sizeof query, 1, in) == 1) {
    struct answer answer;
    memset(&answer, 0, sizeof answer);
    ZydisDecodedInstruction i;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
    const ZydisDecoder *decoder = &decoders[query[0] == 16 ? 0 : query[0] == 32 ? 1 : 2];
    if (ZYAN_SUCCESS(ZydisDecoderDecodeFull(decoder, query + 1, 15, &i, operands))) {
      answer.length = i.length;
      answer.operandWidth = i.operand_width;
      answer.addressWidth = i.address_width;
      answer.mnemonic = (uint16_t)i.mnemonic;
      for (int n = 0; n < i.operand_count && answer.count < visible; n++)
        if (operands[n].visibility != ZYDIS_OPERAND_VISIBILITY_HIDDEN)
          describe(&operands[n], &answer.operands[answer.count++]);
    }
    fwrite(&answer, sizeof answer, 1, out);
  }
  return fclose(out) ? 2 : 0;
}
