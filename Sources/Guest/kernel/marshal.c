/* What generated glue needs of the kernel (lvd/glue.h): the peer is a domain. */
#include "../generated/network.h"
#include "domain.h"

static struct domain *domain_of(struct lvd_peer *peer) { return (struct domain *)peer; }
static struct packet *packet_of(const void *skb) { return (struct packet *)skb - 1; }

void *lvd_alloc(u64 bytes) { return kzalloc(bytes); }
void lvd_free(void *memory) { kfree(memory); }
u64 *lvd_registers(struct lvd_peer *peer) { return domain_of(peer)->register_page[cpu_number()]; }
int lvd_cross(struct lvd_peer *peer, struct lvd_message *message) { return vmfunc_klcd_wrapper(domain_of(peer), message); }
void lvd_refused(struct lvd_peer *peer, u32 rpc) { domain_answered_badly(domain_of(peer), rpc_word(LVD_CLASS_RPC, rpc)); }

/* A device has its reference from its set-up to its end, a packet while the driver has it. */
u64 lvd_reference(struct lvd_peer *peer, const void *object, u32 type) {
    struct domain *domain = domain_of(peer);
    struct packet *packet;
    switch (type) {
    case LVD_TYPE_net_device: return isolated(object)->domain == domain ? isolated(object)->reference : 0;
    case LVD_TYPE_sk_buff:
        packet = packet_of(object);
        if (capability_get(&domain->space, packet->reference, REFERENCE_SKB) != object)
            packet->reference = reference_new(domain, REFERENCE_SKB, (void *)object);
        return packet->reference;
    default: return 0;
    }
}

void *lvd_object(struct lvd_peer *peer, u64 reference, u32 type, u64 bytes) {
    (void)bytes; /* both are as large as their types */
    switch (type) {
    case LVD_TYPE_net_device: return reference_get(domain_of(peer), reference, REFERENCE_NETDEV);
    case LVD_TYPE_sk_buff: return reference_get(domain_of(peer), reference, REFERENCE_SKB);
    default: return NULL;
    }
}

/* Drivers make no objects that the kernel shadows by generated glue. */
void *lvd_shadow(struct lvd_peer *peer, u64 reference, u32 type, u64 bytes, u32 flags, bool once) {
    (void)peer, (void)reference, (void)type, (void)bytes, (void)flags, (void)once;
    return NULL;
}

enum lvd_ending lvd_release(struct lvd_peer *peer, const void *object, u32 type) {
    bool held = type == LVD_TYPE_sk_buff && reference_end(domain_of(peer), packet_of(object)->reference, object);
    return held ? LVD_ENDED : LVD_NO_REFERENCE;
}

bool lvd_region(struct lvd_peer *peer, u32 region, u8 **base, u64 *bytes) {
    struct domain *domain = domain_of(peer);
    const struct memory *memory = capability_get(&domain->space, domain->pool_name, REFERENCE_MEMORY);
    if (!memory || region != NETWORK_REGION_pool)
        return false;
    *base = memory->base;
    *bytes = memory->pages * LVD_PAGE_SIZE;
    return true;
}

bool lvd_lock(struct lvd_peer *peer, u32 lock, void *object) {
    struct domain *domain = domain_of(peer);
    (void)object;
    if (lock != NETWORK_LOCK_rtnl || domain->holds_rtnl)
        return false;
    rtnl_lock();
    domain->holds_rtnl = 1;
    return true;
}
bool lvd_unlock(struct lvd_peer *peer, u32 lock, void *object) {
    struct domain *domain = domain_of(peer);
    (void)object;
    if (lock != NETWORK_LOCK_rtnl || !domain->holds_rtnl)
        return false;
    domain->holds_rtnl = 0;
    rtnl_unlock();
    return true;
}

void random_bytes(u8 *to, u32 length) { get_random_bytes(to, length); }
