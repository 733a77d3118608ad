/* What a driver does with capabilities: requests to the kernel. The driver sees numbers and, once mapped, memory in its own window. */
#include "runtime.h"
#include <lvd/capabilities.h>

static s64 call(enum lvd_syscall number, u64 first, u64 second, u64 third) {
    struct request request;
    request_begin(&request, LVD_CLASS_SYSCALL, number);
    pack(&request.slots, first);
    pack(&request.slots, second);
    pack(&request.slots, third);
    request_call(&request);
    return (s64)unpack(&request.slots);
}

s64 lvd_cap_connect(const char *driver) {
    u64 name[2] = { 0 };
    strscpy((char *)name, driver, sizeof name);
    return call(LVD_SYS_CONNECT, name[0], name[1], 0);
}
s64 lvd_cap_memory(u64 pages) { return call(LVD_SYS_MEMORY, pages, 0, 0); }
s64 lvd_cap_grant(u64 capability, u64 domain, u32 rights) { return call(LVD_SYS_CAP_GRANT, capability, domain, rights); }
s64 lvd_cap_receive(void) { return call(LVD_SYS_CAP_RECEIVE, 0, 0, 0); }
s64 lvd_cap_revoke(u64 capability) { return call(LVD_SYS_CAP_REVOKE, capability, 0, 0); }
s64 lvd_cap_delete(u64 capability) { return call(LVD_SYS_CAP_DELETE, capability, 0, 0); }
s64 lvd_cap_rights(u64 capability) { return call(LVD_SYS_CAP_RIGHTS, capability, 0, 0); }

void *lvd_cap_map(u64 capability) {
    s64 offset = call(LVD_SYS_CAP_MAP, capability, 0, 0);
    return offset < 0 ? NULL : window((u64)offset);
}
