/*
 * References between two sides, as a table: what lvd/glue.h asks of an environment in the simplest form. Each side has one table per
 * peer, so that a reference of another peer is none here. Whoever first sends an object gives it its number; the top bit
 * says who did.
 */
#ifndef LVD_OBJECTS_H
#define LVD_OBJECTS_H
#include <lvd/glue.h>

enum { LVD_MOST_OBJECTS = 64 };
#define LVD_GIVEN_BY_DOMAIN (1ULL << 63)

struct lvd_objects {
    u64 given_here; /* LVD_GIVEN_BY_DOMAIN in a domain, 0 in the kernel */
    u64 next;
    struct lvd_object_entry {
        void *object;
        u64 reference, bytes;
        u32 type;
        bool is_shadow;
    } list[LVD_MOST_OBJECTS];
};

static inline struct lvd_object_entry *lvd_objects_free(struct lvd_objects *objects) {
    for (u32 n = 0; n < LVD_MOST_OBJECTS; n++)
        if (!objects->list[n].object)
            return &objects->list[n];
    return NULL;
}
static inline struct lvd_object_entry *lvd_objects_find(struct lvd_objects *objects, u64 reference) {
    for (u32 n = 0; n < LVD_MOST_OBJECTS; n++)
        if (objects->list[n].object && objects->list[n].reference == reference)
            return &objects->list[n];
    return NULL;
}
static inline struct lvd_object_entry *lvd_objects_of(struct lvd_objects *objects, const void *object, u32 type) {
    for (u32 n = 0; n < LVD_MOST_OBJECTS; n++)
        if (objects->list[n].object == object && objects->list[n].type == type)
            return &objects->list[n];
    return NULL;
}

static inline u64 lvd_objects_reference(struct lvd_objects *objects, const void *object, u32 type) {
    struct lvd_object_entry *entry = lvd_objects_of(objects, object, type);
    if (!entry && (entry = lvd_objects_free(objects)))
        *entry = (struct lvd_object_entry){ (void *)object, ++objects->next | objects->given_here, LVD_MOST_BYTES, type, false };
    return entry ? entry->reference : 0;
}

static inline void *lvd_objects_object(struct lvd_objects *objects, u64 reference, u32 type, u64 bytes) {
    struct lvd_object_entry *entry = lvd_objects_find(objects, reference);
    return entry && entry->type == type && bytes <= entry->bytes ? entry->object : NULL;
}

static inline void *lvd_objects_shadow(struct lvd_objects *objects, u64 reference, u32 type, u64 bytes, bool once) {
    struct lvd_object_entry *entry = lvd_objects_find(objects, reference);
    if (entry) /* a second shadow of one object would leave the first without a name */
        return once && entry->type == type && bytes <= entry->bytes ? entry->object : NULL;
    entry = lvd_objects_free(objects);
    if (!entry || !reference || (reference & LVD_GIVEN_BY_DOMAIN) == objects->given_here)
        return NULL; /* a number of this side's that it did not give */
    *entry = (struct lvd_object_entry){ lvd_alloc(bytes), reference, bytes, type, true };
    return entry->object;
}

static inline enum lvd_ending lvd_objects_release(struct lvd_objects *objects, const void *object, u32 type) {
    struct lvd_object_entry *entry = lvd_objects_of(objects, object, type);
    if (!entry)
        return LVD_NO_REFERENCE;
    entry->object = NULL;
    return entry->is_shadow ? LVD_ENDED_SHADOW : LVD_ENDED;
}
#endif
