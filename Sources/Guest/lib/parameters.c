/* Module parameters: NAME.PARAMETER=VALUE among the kernel's words, set by the functions that the module names in section __param. */
#include "linux.h"
#include <lvd/abi.h>

int kstrtoull(const char *text, u32 base, u64 *value);
int kstrtouint(const char *text, u32 base, u32 *value);
int kstrtoint(const char *text, u32 base, int *value);
int kstrtobool(const char *text, bool *value);

#define ARGUMENT(parameter) FIELD(parameter, void *, kernel_param, arg)
static int set_int(const char *value, const void *parameter) { return kstrtoint(value, 0, ARGUMENT(parameter)); }
static int set_uint(const char *value, const void *parameter) { return kstrtouint(value, 0, ARGUMENT(parameter)); }
static int set_ulong(const char *value, const void *parameter) { return kstrtoull(value, 0, ARGUMENT(parameter)); }
static int set_bool(const char *value, const void *parameter) { return kstrtobool(value, ARGUMENT(parameter)); }
int param_get_int(char *to, const void *parameter) { return snprintf(to, LVD_PAGE_SIZE, "%d\n", *(int *)ARGUMENT(parameter)); }

/* As struct kernel_param_ops; only `set` is ever used, and by us. */
struct { u32 flags; void *set, *get, *free; }
    param_ops_int = { 0, set_int, param_get_int, NULL }, param_ops_uint = { 0, set_uint, NULL, NULL },
    param_ops_ulong = { 0, set_ulong, NULL, NULL }, param_ops_bool = { 0, set_bool, NULL, NULL };

static void *find(void *first, u64 bytes, const char *name, size_t length) {
    for (u64 at = 0; SIZEOF(kernel_param) && at + SIZEOF(kernel_param) <= bytes; at += SIZEOF(kernel_param)) {
        void *parameter = (u8 *)first + at;
        const char *candidate = FIELD(parameter, const char *, kernel_param, name);
        if (!strncmp(candidate, name, length) && !candidate[length])
            return parameter;
    }
    return NULL;
}

/*
 * Sets what words ("irqmode=2 queue_mode=2") say. False: the module has no such parameter or refuses the value; which, has
 * been printed.
 */
bool set_parameters(void *first, u64 bytes, const char *words) {
    int _printk(const char *format, ...);
    while (*words) {
        char name[64], value[64];
        size_t n = 0, v = 0;
        for (; *words && *words != ' ' && *words != '='; words++)
            if (n + 1 < sizeof name)
                name[n++] = *words;
        words += *words == '=';
        for (; *words && *words != ' '; words++)
            if (v + 1 < sizeof value)
                value[v++] = *words;
        words += *words == ' ';
        name[n] = value[v] = 0;

        void *parameter = find(first, bytes, name, n);
        void *ops = parameter ? FIELD(parameter, void *, kernel_param, ops) : NULL;
        int (*set)(const char *value, const void *parameter) = ops ? FIELD(ops, void *, kernel_param_ops, set) : NULL;
        if (!set) {
            _printk("there is no module parameter %s\n", name);
            return false;
        }
        if (set(value, parameter)) {
            _printk("the module parameter %s does not take \"%s\"\n", name, value);
            return false;
        }
    }
    return true;
}
