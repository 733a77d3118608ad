/* A driver that runs in the kernel itself: its image mapped with the rights of its segments, its init and cleanup called. */
#include "domain.h"
#include "network.h"
#include "../lib/message.h"

static const struct lvd_domain_header *native;

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

void driver_load(const struct boot_module *module) {
    const struct lvd_domain_header *header = image_header(module);
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
    native = header;
}

/* 0, or what init_module returned. A domain gets the addresses of its driver's functions; only the domain calls them. */
int driver_start(void) {
    struct domain *domain = domains[0];
    if (domain) {
        struct lvd_message message = {
            { rpc_word(LVD_CLASS_RPC, LVD_RPC_MODULE_INIT), 3, nr_cpu_ids, domain->heap_mapped, domain->init_module },
        };
        int error = vmfunc_klcd_wrapper(domain, &message);
        return error ? error : (int)message.words[2];
    }
    return native && native->init_module ? ((int (*)(void))native->init_module)() : native ? 0 : -ENODEV;
}

void driver_stop(void) {
    struct domain *domain = domains[0];
    if (domain) {
        struct lvd_message message = { { rpc_word(LVD_CLASS_RPC, LVD_RPC_MODULE_EXIT), 1, domain->cleanup_module } };
        if (!domain->dead)
            vmfunc_klcd_wrapper(domain, &message);
        domain_destroy(domain);
    } else if (native && native->cleanup_module) {
        ((void (*)(void))native->cleanup_module)();
    }
}
