#ifndef _LINUX_NETDEVICE_H
#define _LINUX_NETDEVICE_H
#include <linux/errno.h>
#include <linux/percpu.h>
#include <linux/skbuff.h>

struct rtnl_link_stats64 {
    u64 rx_packets, tx_packets, rx_bytes, tx_bytes;
};

struct pcpu_lstats {
    u64 packets, bytes;
} __attribute__((aligned(16)));

typedef int netdev_tx_t;
#define NETDEV_TX_OK 0
#define NETDEV_TX_BUSY 16

/* Our own layout; code outside drivers reaches the fields through lvd/abi.h. */
struct net_device_ops {
    int (*ndo_init)(struct net_device *);
    void (*ndo_uninit)(struct net_device *);
    int (*ndo_open)(struct net_device *);
    int (*ndo_stop)(struct net_device *);
    netdev_tx_t (*ndo_start_xmit)(struct sk_buff *, struct net_device *);
    void (*ndo_set_rx_mode)(struct net_device *);
    int (*ndo_set_mac_address)(struct net_device *, void *);
    int (*ndo_validate_addr)(struct net_device *);
    void (*ndo_get_stats64)(struct net_device *, struct rtnl_link_stats64 *);
    int (*ndo_change_carrier)(struct net_device *, bool);
};

struct rtnl_link_ops {
    const char *kind;
    size_t priv_size;
    void (*setup)(struct net_device *);
    int (*validate)(void *tb[], void *data[], void *extack);
    void (*dellink)(struct net_device *, void *head);
};

struct net_device {
    char name[16];
    unsigned long state;
    unsigned int flags;
    u64 priv_flags;
    netdev_features_t features, hw_features, hw_enc_features;
    const struct net_device_ops *netdev_ops;
    const void *ethtool_ops;
    const struct rtnl_link_ops *rtnl_link_ops;
    int ifindex;
    u16 type, hard_header_len;
    u8 min_header_len, addr_len, addr_assign_type;
    bool needs_free_netdev;
    unsigned int mtu, min_mtu, max_mtu, tx_queue_len, num_tx_queues;
    const unsigned char *dev_addr;
    unsigned char broadcast[32];
    void (*priv_destructor)(struct net_device *);
    struct pcpu_lstats __percpu *lstats;
};

#define IFF_NOARP 0x80u
#define IFF_MULTICAST 0x1000u
#define NET_NAME_ENUM 1
#define NETDEV_ALIGN 32

struct net_device *alloc_netdev_mqs(int sizeof_priv, const char *name, unsigned char name_assign_type,
                                    void (*setup)(struct net_device *), unsigned int txqs, unsigned int rxqs);
void free_netdev(struct net_device *dev);
int register_netdevice(struct net_device *dev);
void unregister_netdevice_queue(struct net_device *dev, void *head);
void netif_carrier_on(struct net_device *dev);
void netif_carrier_off(struct net_device *dev);
void dev_lstats_read(struct net_device *dev, u64 *packets, u64 *bytes);

int __rtnl_link_register(struct rtnl_link_ops *ops);
void __rtnl_link_unregister(struct rtnl_link_ops *ops);
void rtnl_link_unregister(struct rtnl_link_ops *ops);
void rtnl_lock(void);
void rtnl_unlock(void);

void ether_setup(struct net_device *dev);
int eth_mac_addr(struct net_device *dev, void *address);
int eth_validate_addr(struct net_device *dev);
void dev_addr_mod(struct net_device *dev, unsigned int offset, const void *address, size_t length);
void get_random_bytes(void *buffer, size_t length);

int _printk(const char *format, ...) __attribute__((format(printf, 1, 2)));
#define printk _printk
#endif
