/* Drivers from boot module to end: in a domain of their own, or in the kernel itself with the rights of their segments. */
#include "domain.h"
#include "network.h"
#include "../lib/linux.h"
#include "../lib/message.h"

static struct { const struct boot_module *module; const struct lvd_domain_header *native; } drivers[LVD_MAX_DOMAINS];
u32 driver_starting;

static u32 image_id(const struct lvd_domain_header *header) { return (u32)((header->base - LVD_DOMAIN_BASE) / LVD_DOMAIN_STRIDE); }

/* The module's bytes as an image, after checking every number in its header. */
const struct lvd_domain_header *image_header(const struct boot_module *module) {
    const struct lvd_domain_header *header = direct(module->start);
    u64 size = module->end - module->start;

    if (size < sizeof *header || header->magic != LVD_DOMAIN_MAGIC || header->version != LVD_DOMAIN_VERSION
        || header->header_bytes != sizeof *header || header->segment_count > LVD_MAX_SEGMENTS)
        finish(LVD_STATUS_BAD_BOOT, "module \"%s\" is not an image of this version", module->command);
    if (header->base < LVD_DOMAIN_BASE || (header->base - LVD_DOMAIN_BASE) % LVD_DOMAIN_STRIDE
        || (header->base - LVD_DOMAIN_BASE) / LVD_DOMAIN_STRIDE >= LVD_MAX_DOMAINS || header->memory_bytes > LVD_WINDOW_IMAGE_END)
        finish(LVD_STATUS_BAD_BOOT, "image %s: base %llx, %llu bytes", header->name, header->base, header->memory_bytes);
    for (u32 i = 0; i < header->segment_count; i++) {
        const struct lvd_segment *s = &header->segments[i];
        if (s->offset % LVD_PAGE_SIZE || s->offset > header->memory_bytes || s->memory_bytes > header->memory_bytes - s->offset
            || s->file_bytes > s->memory_bytes || s->file_offset > size || s->file_bytes > size - s->file_offset
            || (s->permissions & (LVD_WRITE | LVD_EXECUTE)) == (LVD_WRITE | LVD_EXECUTE))
            finish(LVD_STATUS_BAD_BOOT, "image %s: segment %u makes no sense", header->name, i);
    }
    return header;
}

static void load_native(const struct lvd_domain_header *header) {
    for (u32 i = 0; i < header->segment_count; i++) {
        const struct lvd_segment *s = &header->segments[i];
        u64 pages = ALIGN_UP(s->memory_bytes, LVD_PAGE_SIZE) / LVD_PAGE_SIZE;
        if (!pages)
            continue;
        u8 *memory = pages_alloc(pages);
        memcpy(memory, (const u8 *)header + s->file_offset, s->file_bytes);
        for (u64 page = 0; page < pages; page++)
            map_page(kernel_cr3, header->base + s->offset + page * LVD_PAGE_SIZE,
                     physical(memory) + page * LVD_PAGE_SIZE, permissions_to_pte(s->permissions));
    }
    drivers[image_id(header)].native = header;
}

/* Every driver among the boot modules: all isolated, or all native. */
void drivers_load(void) {
    for (u32 i = 0; i < boot_module_count; i++) {
        const struct boot_module *module = &boot_modules[i];
        bool isolated = module_is(module, "domain");
        if (!isolated && !module_is(module, "driver"))
            continue;
        if (isolated != monitor_running)
            finish(LVD_STATUS_BAD_BOOT, "modules: either monitor and domains, or drivers");
        const struct lvd_domain_header *header = image_header(module);
        u32 id = image_id(header);
        if (drivers[id].module)
            finish(LVD_STATUS_BAD_BOOT, "two drivers at %llx", header->base);
        drivers[id].module = module;
        strscpy(lvd_results.drivers[id].name, header->name, sizeof lvd_results.drivers[id].name);
        if (id >= lvd_results.driver_count)
            lvd_results.driver_count = id + 1;
        if (isolated)
            domain_load(module);
        else
            load_native(header);
    }
    if (!lvd_results.driver_count)
        finish(LVD_STATUS_BAD_BOOT, "modules: either monitor and domains, or drivers");
}

/* The kernel's words NAME.PARAMETER=VALUE about one driver, without its name. The length. */
static size_t parameters_of(const char *name, char *to) {
    size_t length = strlen(name), used = 0;
    for (const char *at = boot_command; *at;) {
        bool mine = !strncmp(at, name, length) && at[length] == '.';
        if (mine) {
            if (used)
                to[used++] = ' ';
            at += length + 1;
        }
        for (; *at && *at != ' '; at++)
            if (mine && used + 2 < LVD_PARAMETER_BYTES)
                to[used++] = *at;
        while (*at == ' ')
            at++;
    }
    to[used] = 0;
    return used;
}

/* 0, or what init_module returned. A domain gets the addresses of its driver's functions; only the domain calls them. */
int driver_start(u32 id) {
    struct domain *domain = domains[id];
    const struct lvd_domain_header *native = drivers[id].native;
    char words[LVD_PARAMETER_BYTES];
    u64 first = 0, bytes = 0;
    size_t length = parameters_of(lvd_results.drivers[id].name, words);
    option_number(drivers[id].module->command, "parameters", &first);
    option_number(drivers[id].module->command, "parameter_bytes", &bytes);
    if (domain) {
        struct lvd_message message = {
            { rpc_word(LVD_CLASS_RPC, LVD_RPC_MODULE_INIT), 6, nr_cpu_ids, domain->heap_mapped, domain->init_module, first, bytes, length },
        };
        memcpy(domain->register_page[cpu_number()] + LVD_MESSAGE_SLOTS, words, length);
        int error = vmfunc_klcd_wrapper(domain, &message);
        return error ? error : (int)message.words[2];
    }
    driver_starting = id;
    if (native && !set_parameters((void *)first, bytes, words))
        return -EINVAL;
    return native && native->init_module ? ((int (*)(void))native->init_module)() : native ? 0 : -ENODEV;
}

void driver_stop(u32 id) {
    struct domain *domain = domains[id];
    const struct lvd_domain_header *native = drivers[id].native;
    if (domain) {
        struct lvd_message message = { { rpc_word(LVD_CLASS_RPC, LVD_RPC_MODULE_EXIT), 1, domain->cleanup_module } };
        if (!domain->dead)
            vmfunc_klcd_wrapper(domain, &message);
        domain_destroy(domain);
    } else if (native && native->cleanup_module) {
        ((void (*)(void))native->cleanup_module)();
    }
}

/* A driver in the kernel starts over where it is, with its image as it was. */
static void restore_native(const struct lvd_domain_header *header) {
    for (u32 i = 0; i < header->segment_count; i++) {
        const struct lvd_segment *s = &header->segments[i];
        for (u64 at = 0; at < s->memory_bytes; at += LVD_PAGE_SIZE) {
            u8 *page = direct(*page_entry(kernel_cr3, header->base + s->offset + at) & PTE_ADDRESS);
            u64 n = at >= s->file_bytes ? 0 : s->file_bytes - at < LVD_PAGE_SIZE ? s->file_bytes - at : LVD_PAGE_SIZE;
            memcpy(page, (const u8 *)header + s->file_offset + at, n);
            memset(page + n, 0, LVD_PAGE_SIZE - n);
        }
    }
}

/* Unloads the driver and loads it again. */
int driver_reload(u32 id) {
    bool isolated = domains[id] != NULL;
    driver_stop(id);
    if (isolated)
        domain_load(drivers[id].module);
    else
        restore_native(drivers[id].native);
    return driver_start(id);
}

/* Its domain has been terminated and nobody is inside: everything it had goes, and the same image starts over. */
int driver_restart(u32 id) {
    domain_destroy(domains[id]);
    lvd_results.drivers[id].restarts++;
    domain_load(drivers[id].module);
    return driver_start(id);
}
