/* Capabilities as a domain sees them (docs/capabilities.md): numbers, and what may be done with what they stand for. */
#ifndef LVD_CAPABILITIES_H
#define LVD_CAPABILITIES_H
#include "types.h"

#define LVD_CAP_READ 1u
#define LVD_CAP_WRITE 2u
#define LVD_CAP_GRANT 4u      /* may be granted on */

/* What a driver in a domain calls; results below 0 are -errno. */
s64 lvd_cap_connect(const char *driver);                          /* the domain of that driver, from which grants are taken from now on */
s64 lvd_cap_memory(u64 pages);                                    /* new memory, with all rights */
s64 lvd_cap_grant(u64 capability, u64 domain, u32 rights);
s64 lvd_cap_receive(void);                                        /* what was granted to this domain; 0: nothing new */
void *lvd_cap_map(u64 capability);                                /* NULL: there is no such memory any more, or no room */
s64 lvd_cap_revoke(u64 capability);                               /* what was derived from it, everywhere; how many there were */
s64 lvd_cap_delete(u64 capability);                               /* it, too */
s64 lvd_cap_rights(u64 capability);                               /* -EBADF: it is gone */
#endif
