/*
 * nullnet: the network device of the LVD paper's first benchmark. It accepts packets, counts them per CPU and frees them: one
 * call into the driver and one callback into the kernel per packet (nullnet-2). With keep=0 it leaves the packet to whoever
 * sends it, by the answer "busy", and there is no callback (nullnet-1: workload tx:N:kept=1).
 */
#include <linux/module.h>
#include <linux/netdevice.h>

static int keep = 1;
module_param(keep, int, 0444);
MODULE_PARM_DESC(keep, "1: packets are taken over and freed; 0: left to the sender");

static int nullnet_init_device(struct net_device *dev) {
    dev->lstats = alloc_percpu(struct pcpu_lstats);
    return dev->lstats ? 0 : -ENOMEM;
}

static void nullnet_uninit_device(struct net_device *dev) {
    free_percpu(dev->lstats);
}

static netdev_tx_t nullnet_start_xmit(struct sk_buff *skb, struct net_device *dev) {
    struct pcpu_lstats *stats = this_cpu_ptr(dev->lstats);
    stats->packets += 1;
    stats->bytes += skb->len;
    if (!keep)
        return NETDEV_TX_BUSY;
    consume_skb(skb);
    return NETDEV_TX_OK;
}

static void nullnet_get_stats64(struct net_device *dev, struct rtnl_link_stats64 *stats) {
    dev_lstats_read(dev, &stats->tx_packets, &stats->tx_bytes);
}

static void nullnet_set_rx_mode(struct net_device *dev) {
    (void)dev;
}

static int nullnet_change_carrier(struct net_device *dev, bool on) {
    if (on)
        netif_carrier_on(dev);
    else
        netif_carrier_off(dev);
    return 0;
}

static const struct net_device_ops nullnet_ops = {
    .ndo_init = nullnet_init_device,
    .ndo_uninit = nullnet_uninit_device,
    .ndo_start_xmit = nullnet_start_xmit,
    .ndo_set_rx_mode = nullnet_set_rx_mode,
    .ndo_set_mac_address = eth_mac_addr,
    .ndo_validate_addr = eth_validate_addr,
    .ndo_get_stats64 = nullnet_get_stats64,
    .ndo_change_carrier = nullnet_change_carrier,
};

static void nullnet_setup(struct net_device *dev) {
    unsigned char address[6];

    ether_setup(dev);
    dev->netdev_ops = &nullnet_ops;
    dev->needs_free_netdev = true;
    dev->flags = (dev->flags | IFF_NOARP) & ~IFF_MULTICAST;
    dev->min_mtu = 0;
    dev->max_mtu = 0;
    get_random_bytes(address, sizeof address);
    address[0] = (unsigned char)((address[0] & 0xfe) | 0x02); /* unicast, locally administered */
    dev_addr_mod(dev, 0, address, sizeof address);
}

static struct rtnl_link_ops nullnet_link_ops = {
    .kind = "nullnet",
    .setup = nullnet_setup,
};

static int __init nullnet_start(void) {
    struct net_device *dev;
    int error;

    rtnl_lock();
    error = __rtnl_link_register(&nullnet_link_ops);
    if (error)
        goto out;
    error = -ENOMEM;
    dev = alloc_netdev_mqs(0, "nullnet%d", NET_NAME_ENUM, nullnet_setup, 1, 1);
    if (dev) {
        dev->rtnl_link_ops = &nullnet_link_ops;
        error = register_netdevice(dev);
        if (error)
            free_netdev(dev);
    }
    if (error)
        __rtnl_link_unregister(&nullnet_link_ops);
out:
    rtnl_unlock();
    return error;
}

static void __exit nullnet_stop(void) {
    rtnl_link_unregister(&nullnet_link_ops);
}

module_init(nullnet_start);
module_exit(nullnet_stop);
MODULE_LICENSE("Dual MIT/GPL");
MODULE_DESCRIPTION("Network device that drops what it is given");
DEFINE_MODULE("nullnet");
