/* The kernel's environment, and the crossings of both sides: plain calls here, as VMFUNC is not what is tested. */
#include "tests.h"

struct lvd_peer peers[2] = {
    { .domain_objects = { .given_here = LVD_GIVEN_BY_DOMAIN } },
    { .domain_objects = { .given_here = LVD_GIVEN_BY_DOMAIN } },
};
struct lvd_peer *inside = &peers[0]; /* the domain that runs or is called next */
u8 payload[64];
u32 device[16];
bool (*answer)(struct lvd_message *message); /* instead of the domain's own: a hostile one */

bool domain_marshalling_domain_dispatch(struct lvd_peer *peer, struct lvd_message *message);

/* Kernel to domain. */
int lvd_cross(struct lvd_peer *peer, struct lvd_message *message) {
    struct lvd_peer *before = inside;
    bool good;
    if (!peer)
        return -EFAULT;
    inside = peer;
    good = answer ? answer(message) : domain_marshalling_domain_dispatch(NULL, message);
    inside = before;
    return good ? 0 : -EFAULT;
}
u64 *lvd_registers(struct lvd_peer *peer) { return peer->registers; }
void lvd_refused(struct lvd_peer *peer, u32 rpc) {
    (void)rpc;
    peer->refused++;
}
u64 lvd_reference(struct lvd_peer *peer, const void *object, u32 type) {
    return lvd_objects_reference(&peer->objects, object, type);
}
void *lvd_object(struct lvd_peer *peer, u64 reference, u32 type, u64 bytes) {
    return lvd_objects_object(&peer->objects, reference, type, bytes);
}
void *lvd_shadow(struct lvd_peer *peer, u64 reference, u32 type, u64 bytes, u32 flags, bool once) {
    last_flags = flags;
    return lvd_objects_shadow(&peer->objects, reference, type, bytes, once);
}
enum lvd_ending lvd_release(struct lvd_peer *peer, const void *object, u32 type) {
    return lvd_objects_release(&peer->objects, object, type);
}
bool lvd_region(struct lvd_peer *peer, u32 region, u8 **base, u64 *bytes) {
    (void)peer;
    *base = payload;
    *bytes = sizeof payload;
    return region == MARSHALLING_REGION_payload;
}
u64 lvd_copy_from_user(void *to, const void *user, u64 bytes) {
    user_copies++;
    memcpy(to, user, bytes);
    return 0;
}
u64 lvd_copy_to_user(void *user, const void *from, u64 bytes) {
    user_copies++;
    memcpy(user, from, bytes);
    return 0;
}
u64 lvd_window_grant(struct lvd_peer *peer, void *window, u64 *bytes) {
    (void)peer;
    *bytes = sizeof device - ((u64)window - (u64)device);
    return 1 + ((u64)window - (u64)device) / sizeof device[0];
}
void *lvd_window_map(struct lvd_peer *peer, u64 capability, u64 bytes) {
    (void)peer, (void)capability, (void)bytes;
    return NULL;
}
bool lvd_lock(struct lvd_peer *peer, u32 lock, void *object) {
    (void)object;
    if (lock > 1 || peer->holds[lock])
        return false;
    return peer->holds[lock] = true;
}
bool lvd_unlock(struct lvd_peer *peer, u32 lock, void *object) {
    bool held = lock <= 1 && peer->holds[lock];
    (void)object;
    if (held)
        peer->holds[lock] = false;
    return held;
}

/* The domain's. */
int domain_lvd_cross(struct lvd_peer *peer, struct lvd_message *message) {
    (void)peer;
    if (marshalling_kernel_dispatch(inside, message))
        return 0;
    inside->killed++;
    return -EFAULT;
}
u64 *domain_lvd_registers(struct lvd_peer *peer) {
    (void)peer;
    return inside->registers;
}
void domain_lvd_refused(struct lvd_peer *peer, u32 rpc) { (void)peer, (void)rpc; }
u64 domain_lvd_reference(struct lvd_peer *peer, const void *object, u32 type) {
    (void)peer;
    return lvd_objects_reference(&inside->domain_objects, object, type);
}
void *domain_lvd_object(struct lvd_peer *peer, u64 reference, u32 type, u64 bytes) {
    (void)peer;
    return lvd_objects_object(&inside->domain_objects, reference, type, bytes);
}
void *domain_lvd_shadow(struct lvd_peer *peer, u64 reference, u32 type, u64 bytes, u32 flags, bool once) {
    (void)peer, (void)flags;
    return lvd_objects_shadow(&inside->domain_objects, reference, type, bytes, once);
}
enum lvd_ending domain_lvd_release(struct lvd_peer *peer, const void *object, u32 type) {
    (void)peer;
    return lvd_objects_release(&inside->domain_objects, object, type);
}
/* The region and the device are elsewhere in the domain: only distances and capabilities are the same. */
u8 domain_payload[64];
u32 domain_device[16];
bool domain_lvd_region(struct lvd_peer *peer, u32 region, u8 **base, u64 *bytes) {
    (void)peer;
    *base = domain_payload;
    *bytes = sizeof domain_payload;
    return region == MARSHALLING_REGION_payload;
}
u64 domain_lvd_copy_from_user(void *to, const void *user, u64 bytes) { return (void)to, (void)user, bytes; }
u64 domain_lvd_copy_to_user(void *user, const void *from, u64 bytes) { return (void)user, (void)from, bytes; }
u64 domain_lvd_window_grant(struct lvd_peer *peer, void *window, u64 *bytes) { return (void)peer, (void)window, *bytes = 0; }
void *domain_lvd_window_map(struct lvd_peer *peer, u64 capability, u64 bytes) {
    (void)peer;
    return capability <= 16 && bytes <= sizeof domain_device ? &domain_device[capability - 1] : NULL;
}
bool domain_lvd_lock(struct lvd_peer *peer, u32 lock, void *object) { return (void)peer, (void)lock, (void)object, false; }
bool domain_lvd_unlock(struct lvd_peer *peer, u32 lock, void *object) { return (void)peer, (void)lock, (void)object, false; }
