#ifndef LVD_ETHERNET_H
#define LVD_ETHERNET_H
#include "lib.h"
#include <lvd/abi.h>

enum { ETHERNET_ADDRESS = 6, NETDEV_ADDRESS_BYTES = 32 };

void ether_setup(void *dev);
int eth_validate_addr(void *dev);
int eth_mac_addr(void *dev, void *socket_address);
void dev_addr_mod(void *dev, unsigned int offset, const void *address, size_t length);
void dev_lstats_read(void *dev, u64 *packets, u64 *bytes);
void *netdev_allocate(size_t private_bytes);

extern u32 nr_cpu_ids;
u64 per_cpu_base(u32 cpu); /* what this_cpu_off holds on that CPU */
#endif
