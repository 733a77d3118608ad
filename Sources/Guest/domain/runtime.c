/* Memory, text, requests to the kernel, and the first C function of each call into the domain. */
#include "../generated/network.h"
#include "../lib/linux.h"
#include "runtime.h"

int vmfunc_springboard_entry(struct lvd_message *message);

u32 nr_cpu_ids = 1;

void request_begin(struct request *request, u32 class, u32 number) {
    request->message.words[0] = rpc_word(class, number);
    request->message.words[1] = 0;
    request->slots = slots_begin(&request->message, register_page());
}

void request_call(struct request *request) {
    vmfunc_springboard_entry(&request->message);
    request->slots = slots_open(&request->message, register_page());
}

void give_up(u64 why) {
    struct request request;
    request_begin(&request, LVD_CLASS_SYSCALL, LVD_SYS_EXIT);
    pack(&request.slots, why);
    request_call(&request); /* the kernel does not come back */
    for (;;)
        ;
}

void __stack_chk_fail(void) { give_up(1); }

/* -- heap: the part of the window that the kernel has backed so far ------------------------------------------------------ */

enum { HEAP_PAGES = (LVD_WINDOW_HEAP_END - LVD_WINDOW_HEAP) / LVD_PAGE_SIZE, GROW_PAGES = 16 };

static u8 page_class[HEAP_PAGES], page_used[HEAP_PAGES];
static u32 page_run[HEAP_PAGES];
static size_t heap_pages;

static bool grow(size_t pages) {
    struct request request;
    pages = ALIGN_UP(pages, GROW_PAGES);
    request_begin(&request, LVD_CLASS_SYSCALL, LVD_SYS_ALLOC_PAGES);
    pack(&request.slots, pages);
    request_call(&request);
    if (!unpack(&request.slots))
        return false;
    heap_pages += pages;
    return true;
}

static void *get_pages(size_t count) {
    for (size_t first = 0;; first++) {
        size_t run = 0;
        while (first + count > heap_pages)
            if (!grow(first + count - heap_pages))
                return NULL;
        while (run < count && !page_used[first + run])
            run++;
        if (run == count) {
            memset(&page_used[first], 1, count);
            return window(LVD_WINDOW_HEAP) + first * LVD_PAGE_SIZE;
        }
        first += run;
    }
}

static void put_pages(void *pages, size_t count) {
    memset(&page_used[(size_t)((u8 *)pages - window(LVD_WINDOW_HEAP)) / LVD_PAGE_SIZE], 0, count);
}

static struct heap heap = { .page_class = page_class, .page_run = page_run, .get_pages = get_pages, .put_pages = put_pages };

void *kmalloc(size_t size) { return heap_alloc(&heap, size); }
void *kzalloc(size_t size) {
    void *block = kmalloc(size);
    return block ? memset(block, 0, size) : NULL;
}
void kfree(const void *block) { heap_free(&heap, (void *)block); }

void runtime_init(u32 cpus, u64 heap_bytes) {
    heap.base = window(LVD_WINDOW_HEAP);
    heap_pages = heap_bytes / LVD_PAGE_SIZE;
    nr_cpu_ids = cpus;
}

/* -- per-CPU memory ------------------------------------------------------------------------------------------------------ */

u64 per_cpu_base(u32 cpu) { return (u64)window(LVD_WINDOW_PERCPU + cpu * LVD_PERCPU_STRIDE); }

static u64 percpu_next = LVD_PERCPU_DYNAMIC;

/* Offsets, as in the kernel; freed ones are not used again. */
void *__alloc_percpu_gfp(size_t size, size_t align, gfp_t gfp) {
    u64 offset = ALIGN_UP(percpu_next, align ? align : 8);
    (void)gfp;
    if (offset + size > LVD_PERCPU_MAPPED)
        return NULL;
    percpu_next = offset + size;
    return (void *)offset;
}
void free_percpu(void *pointer) { (void)pointer; }

/* -- messages ------------------------------------------------------------------------------------------------------------ */

int _printk(const char *format, ...) {
    struct request request;
    __builtin_va_list arguments;
    int length;
    if (format[0] == 1 && format[1]) /* KERN_SOH and a level */
        format += 2;
    __builtin_va_start(arguments, format);
    length = format_text((char *)register_page(), 256, format, arguments);
    __builtin_va_end(arguments);
    request_begin(&request, LVD_CLASS_SYSCALL, LVD_SYS_PUTCHARS);
    pack(&request.slots, length < 256 ? (u64)length : 255);
    request_call(&request);
    return length;
}

/* In pieces that a message holds. */
void get_random_bytes(void *to, size_t length) {
    while (length) {
        u32 n = length < LVD_PAGE_SIZE / 2 ? (u32)length : LVD_PAGE_SIZE / 2;
        random_bytes(to, n);
        to = (u8 *)to + n;
        length -= n;
    }
}

/* -- calls from the kernel ----------------------------------------------------------------------------------------------- */

/* Parameters first: their words lie in the register page, behind the slots. */
static int start_module(int (*init)(void), struct slots *in) {
    static char words[LVD_PARAMETER_BYTES];
    u64 first = unpack(in), bytes = unpack(in), length = unpack(in);
    memcpy(words, register_page() + LVD_MESSAGE_SLOTS, length < sizeof words ? length : sizeof words - 1);
    if (!set_parameters((void *)first, bytes, words))
        return -EINVAL;
    return init ? init() : 0;
}

void domain_handle(struct lvd_message *message) {
    struct lvd_message reply = { { message->words[0] } };
    struct slots in = slots_open(message, register_page()), out = slots_begin(&reply, register_page());
    u64 cpus, heap_bytes, function;

    if (message->words[0] >> 32 != LVD_CLASS_RPC)
        give_up(2);
    if ((u32)message->words[0] > NETWORK_IN_DOMAIN_BEFORE) {
        if (!network_domain_dispatch(NULL, message))
            give_up(3);
        return;
    }
    switch ((u32)message->words[0]) {
    case LVD_RPC_MODULE_INIT:
        cpus = unpack(&in);
        heap_bytes = unpack(&in);
        runtime_init((u32)cpus, heap_bytes);
        function = unpack(&in);
        pack(&out, (u64)(s64)start_module((int (*)(void))function, &in));
        break;
    case LVD_RPC_MODULE_EXIT:
        function = unpack(&in);
        if (function)
            ((void (*)(void))function)();
        break;
    case LVD_RPC_NETDEV_SETUP:
        if (!network_setup(&in, &out))
            give_up(3);
        break;
    default:
        if (!block_call((u32)message->words[0], &in, &out))
            give_up(3);
    }
    *message = reply;
}
