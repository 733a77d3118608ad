/* Functions of the network core that only touch the device they are given: the same in the kernel and in a domain. */
#include "ethernet.h"

static const u8 *address_of(void *dev) { return FIELD(dev, const u8 *, net_device, dev_addr); }

void ether_setup(void *dev) {
    FIELD(dev, u16, net_device, type) = 1; /* ARPHRD_ETHER */
    FIELD(dev, u16, net_device, hard_header_len) = 14;
    FIELD(dev, u8, net_device, min_header_len) = 14;
    FIELD(dev, u32, net_device, mtu) = 1500;
    FIELD(dev, u32, net_device, min_mtu) = 68;
    FIELD(dev, u32, net_device, max_mtu) = 1500;
    FIELD(dev, u8, net_device, addr_len) = ETHERNET_ADDRESS;
    FIELD(dev, u32, net_device, tx_queue_len) = 1000;
    FIELD(dev, u32, net_device, flags) = 0x1002; /* IFF_BROADCAST | IFF_MULTICAST */
    memset(FIELD_ADDRESS(dev, net_device, broadcast), 0xff, ETHERNET_ADDRESS);
}

int eth_validate_addr(void *dev) {
    static const u8 zero[ETHERNET_ADDRESS];
    const u8 *address = address_of(dev);
    return (address[0] & 1) || !memcmp(address, zero, sizeof zero) ? -EADDRNOTAVAIL : 0;
}

int eth_mac_addr(void *dev, void *socket_address) {
    dev_addr_mod(dev, 0, (u8 *)socket_address + 2, ETHERNET_ADDRESS); /* struct sockaddr: family, then data */
    return 0;
}

/* The address lives right behind the device; the field the driver sees is a pointer to const. */
void dev_addr_mod(void *dev, unsigned int offset, const void *address, size_t length) {
    u8 *to = (u8 *)address_of(dev);
    if (to && offset + length <= NETDEV_ADDRESS_BYTES)
        memcpy(to + offset, address, length);
}

void dev_lstats_read(void *dev, u64 *packets, u64 *bytes) {
    u64 lstats = FIELD(dev, u64, net_device, lstats);
    *packets = *bytes = 0;
    for (u32 cpu = 0; cpu < (u32)nr_cpu_ids; cpu++) {
        void *one = (void *)(lstats + per_cpu_base(cpu));
        *packets += FIELD(one, u64, pcpu_lstats, packets);
        *bytes += FIELD(one, u64, pcpu_lstats, bytes);
    }
}

/* struct net_device, the driver's private data on a 32-byte boundary, then the hardware address. */
void *netdev_allocate(size_t private_bytes) {
    size_t private_at = ALIGN_UP((size_t)SIZEOF(net_device), 32);
    size_t address_at = ALIGN_UP(private_at + private_bytes, 32);
    u8 *dev = kzalloc(address_at + NETDEV_ADDRESS_BYTES);
    if (dev)
        FIELD(dev, u8 *, net_device, dev_addr) = dev + address_at;
    return dev;
}
