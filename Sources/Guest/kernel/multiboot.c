/* What the boot loader says (Multiboot Specification 0.6.96, 3.3 "Boot information format"), copied out of its memory. */
#include "kernel.h"

struct information {
    u32 flags, mem_lower, mem_upper, boot_device, command, module_count, modules, symbols[4], map_length, map;
};
struct module_record { u32 start, end, command, reserved; };
struct map_record { u32 size; u64 base, length; u32 type; } __attribute__((packed));

enum { HAS_MEMORY = 1, HAS_COMMAND = 4, HAS_MODULES = 8, HAS_MAP = 64 };

struct boot_module boot_modules[8];
u32 boot_module_count;
const char *boot_command = "";

static char text[2048];
static size_t text_used;

static const char *keep(const char *from) {
    char *to = text + text_used;
    size_t room = sizeof text - text_used;
    if (room < 2)
        return "";
    strscpy(to, from, room);
    text_used += strlen(to) + 1;
    return to;
}

/* Runs on the boot page tables, which map the first GiB at its physical addresses. */
void multiboot_read(u64 address) {
    const struct information *info = (const void *)address;

    if (info->flags & HAS_MEMORY)
        memory_end = 0x100000 + (u64)info->mem_upper * 1024;
    if (info->flags & HAS_MAP)
        for (u64 at = info->map; at < (u64)info->map + info->map_length;) {
            const struct map_record *record = (const void *)at;
            if (record->type == 1 && record->base + record->length > memory_end)
                memory_end = record->base + record->length;
            at += record->size + 4;
        }
    if (info->flags & HAS_COMMAND)
        boot_command = keep((const char *)(u64)info->command);
    if (info->flags & HAS_MODULES) {
        const struct module_record *modules = (const void *)(u64)info->modules;
        for (u32 i = 0; i < info->module_count && i < ARRAY_SIZE(boot_modules); i++) {
            boot_modules[i] = (struct boot_module){ modules[i].start, modules[i].end, keep((const char *)(u64)modules[i].command) };
            boot_module_count++;
        }
    }
    memory_end &= ~(u64)(LVD_PAGE_SIZE - 1);
}

/* The value of "key=value" among the words after the first. */
bool option_text(const char *command, const char *key, char *value, size_t size) {
    size_t length = strlen(key);
    for (const char *at = command; *at;) {
        while (*at == ' ')
            at++;
        if (!strncmp(at, key, length) && at[length] == '=') {
            size_t n = 0;
            for (at += length + 1; at[n] && at[n] != ' ' && n + 1 < size; n++)
                value[n] = at[n];
            value[n] = 0;
            return true;
        }
        while (*at && *at != ' ')
            at++;
    }
    return false;
}

bool option_number(const char *command, const char *key, u64 *value) {
    char text_value[32];
    if (!option_text(command, key, text_value, sizeof text_value))
        return false;
    const char *at = text_value;
    u64 result = 0, base = 10;
    if (at[0] == '0' && at[1] == 'x') {
        base = 16;
        at += 2;
    }
    for (; *at; at++) {
        u64 digit = *at >= '0' && *at <= '9' ? (u64)(*at - '0') : *at >= 'a' && *at <= 'f' ? (u64)(*at - 'a' + 10) : 99;
        if (digit >= base)
            finish(LVD_STATUS_BAD_BOOT, "command line: %s=%s is not a number", key, text_value);
        result = result * base + digit;
    }
    *value = result;
    return true;
}

/* Whether a word of the module's command line is kind; loaders differ in what they put before it. */
bool module_is(const struct boot_module *module, const char *kind) {
    size_t length = strlen(kind);
    for (const char *at = module->command; *at; at++)
        if ((at == module->command || at[-1] == ' ' || at[-1] == '/') && !strncmp(at, kind, length) && (!at[length] || at[length] == ' '))
            return true;
    return false;
}
