/* Enough of a module's shape that any loader recognises it: .modinfo strings and the this_module structure. */
#ifndef _LINUX_MODULE_H
#define _LINUX_MODULE_H
#include <linux/types.h>

struct module {
    int state;
    struct { void *next, *prev; } list;
    char name[64 - sizeof(unsigned long)];
    int (*init)(void);
    void (*exit)(void);
} __attribute__((aligned(64)));

/* What module_param leaves for the loader: one entry of section __param each. */
struct kernel_param;
struct kernel_param_ops {
    unsigned int flags;
    int (*set)(const char *value, const struct kernel_param *parameter);
    int (*get)(char *buffer, const struct kernel_param *parameter);
    void (*free)(void *argument);
};
struct kernel_param {
    const char *name;
    const struct kernel_param_ops *ops;
    void *arg;
};
extern const struct kernel_param_ops param_ops_bool, param_ops_int, param_ops_uint, param_ops_ulong;
#define module_param(variable, type, permissions)                                           \
    static const struct kernel_param __param_##variable                                     \
        __attribute__((used, section("__param"))) = { #variable, &param_ops_##type, &variable }; \
    MODULE_INFO(parmtype, #variable ":" #type)

extern struct module __this_module;
int init_module(void);
void cleanup_module(void);

#define THIS_MODULE (&__this_module)
#define __MODINFO_NAME2(line) __modinfo_##line
#define __MODINFO_NAME(line) __MODINFO_NAME2(line)
#define MODULE_INFO(tag, text)                                                              \
    static const char __MODINFO_NAME(__COUNTER__)[]                                         \
        __attribute__((used, section(".modinfo"), aligned(1))) = #tag "=" text
#define MODULE_LICENSE(text) MODULE_INFO(license, text)
#define MODULE_DESCRIPTION(text) MODULE_INFO(description, text)
#define MODULE_PARM_DESC(variable, text) MODULE_INFO(parm, #variable ":" text)
#define MODULE_ALIAS(text) MODULE_INFO(alias, text)

#define module_init(function) int init_module(void) __attribute__((alias(#function)))
#define module_exit(function) void cleanup_module(void) __attribute__((alias(#function)))

/* Once per module, as modpost writes it. */
#define DEFINE_MODULE(text)                                                                 \
    MODULE_INFO(name, text);                                                                \
    MODULE_INFO(vermagic, "lvdsim");                                                        \
    struct module __this_module __attribute__((section(".gnu.linkonce.this_module"))) = {   \
        .name = text, .init = init_module, .exit = cleanup_module,                          \
    }
#endif
