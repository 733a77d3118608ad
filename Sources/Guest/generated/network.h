/*
 * Interface "network" of interfaces/network.idl: what both sides know.
 * Made by `lvdsim idl generate`; change the interface, not this.
 */
#ifndef GLUE_NETWORK_H
#define GLUE_NETWORK_H
#include <lvd/glue.h>
#include <lvd/abi.h>

/* Executed in the kernel. */
#define NETWORK_IN_KERNEL_LIST(X) X(consume_skb) X(netif_carrier_on) X(netif_carrier_off) X(random_bytes) \
    X(network_lock_rtnl) X(network_unlock_rtnl)
#define X(name) NETWORK_IN_KERNEL_##name,
enum { NETWORK_IN_KERNEL_BEFORE = 64 - 1, NETWORK_IN_KERNEL_LIST(X) NETWORK_IN_KERNEL_END };
#undef X

/* Executed in the domain. */
#define NETWORK_IN_DOMAIN_LIST(X) X(ndo_init) X(ndo_uninit) X(ndo_open) X(ndo_stop) X(ndo_set_rx_mode) \
    X(ndo_validate_addr) X(ndo_change_carrier) X(ndo_set_mac_address) X(ndo_start_xmit) X(ndo_get_stats64) \
    X(netdev_release)
#define X(name) NETWORK_IN_DOMAIN_##name,
enum { NETWORK_IN_DOMAIN_BEFORE = 64 - 1, NETWORK_IN_DOMAIN_LIST(X) NETWORK_IN_DOMAIN_END };
#undef X

#define NETWORK_LOCK_rtnl 0u /* interfaces/network.idl:5 */
#define NETWORK_REGION_pool 0u
#define LVD_TYPE_net_device 0x68605333u
#define LVD_TYPE_sk_buff 0xe0292105u
#define LVD_TYPE_rtnl_link_stats64 0x3bae31e0u


typedef int ndo_init_function(void *dev);
typedef void ndo_uninit_function(void *dev);
typedef int ndo_open_function(void *dev);
typedef int ndo_stop_function(void *dev);
typedef void ndo_set_rx_mode_function(void *dev);
typedef int ndo_validate_addr_function(void *dev);
typedef int ndo_change_carrier_function(void *dev, bool on);
typedef int ndo_set_mac_address_function(void *dev, u8 *socket_address);
typedef int ndo_start_xmit_function(void *skb, void *dev);
typedef void ndo_get_stats64_function(void *dev, void *stats);
typedef void netdev_release_function(void *dev);
typedef void consume_skb_function(void *skb);
typedef void netif_carrier_on_function(void *dev);
typedef void netif_carrier_off_function(void *dev);
typedef void random_bytes_function(u8 *to, u32 length);

struct ndo_init_context {
    void *dev;
    int ret_val;
};
struct ndo_uninit_context {
    void *dev;
};
struct ndo_open_context {
    void *dev;
    int ret_val;
};
struct ndo_stop_context {
    void *dev;
    int ret_val;
};
struct ndo_set_rx_mode_context {
    void *dev;
};
struct ndo_validate_addr_context {
    void *dev;
    int ret_val;
};
struct ndo_change_carrier_context {
    void *dev;
    bool on;
    int ret_val;
};
struct ndo_set_mac_address_context {
    void *dev;
    u8 *socket_address;
    int ret_val;
};
struct ndo_start_xmit_context {
    void *skb;
    void *dev;
    int ret_val;
};
struct ndo_get_stats64_context {
    void *dev;
    void *stats;
};
struct netdev_release_context {
    void *dev;
};
struct consume_skb_context {
    void *skb;
};
struct netif_carrier_on_context {
    void *dev;
};
struct netif_carrier_off_context {
    void *dev;
};
struct random_bytes_context {
    u8 *to;
    u32 length;
};
struct network_lock_rtnl_context {
    u8 nothing;
};
struct network_unlock_rtnl_context {
    u8 nothing;
};

/* What the driver calls and the kernel has, or the kernel calls and the driver has. */
int ndo_init(void *dev);
void ndo_uninit(void *dev);
int ndo_open(void *dev);
int ndo_stop(void *dev);
void ndo_set_rx_mode(void *dev);
int ndo_validate_addr(void *dev);
int ndo_change_carrier(void *dev, bool on);
int ndo_set_mac_address(void *dev, u8 *socket_address);
int ndo_start_xmit(void *skb, void *dev);
void ndo_get_stats64(void *dev, void *stats);
void netdev_release(void *dev);
void consume_skb(void *skb);
void netif_carrier_on(void *dev);
void netif_carrier_off(void *dev);
void random_bytes(u8 *to, u32 length);
void network_lock_rtnl(void);
void network_unlock_rtnl(void);

/* Calls into a domain. `target`: the address that the domain gave; the kernel only hands it back. */
int ndo_init_call(struct lvd_peer *peer, void *dev);
void ndo_uninit_call(struct lvd_peer *peer, void *dev);
int ndo_open_call(struct lvd_peer *peer, void *dev);
int ndo_stop_call(struct lvd_peer *peer, void *dev);
void ndo_set_rx_mode_call(struct lvd_peer *peer, void *dev);
int ndo_validate_addr_call(struct lvd_peer *peer, void *dev);
int ndo_change_carrier_call(struct lvd_peer *peer, void *dev, bool on);
int ndo_set_mac_address_call(struct lvd_peer *peer, void *dev, u8 *socket_address);
int ndo_start_xmit_call(struct lvd_peer *peer, void *skb, void *dev);
void ndo_get_stats64_call(struct lvd_peer *peer, void *dev, void *stats);
void netdev_release_call(struct lvd_peer *peer, void *dev);
extern struct lvd_peer *network_peer; /* whom functions without a target are called in */

/* One request: the reply replaces the message. False: no honest peer sends it. */
bool network_kernel_dispatch(struct lvd_peer *peer, struct lvd_message *message);
bool network_domain_dispatch(struct lvd_peer *peer, struct lvd_message *message);
void network_kernel_forget(struct lvd_peer *peer); /* its functions are called no more */
#endif
