/* What modules import without anything behind it here: hooks, locks that nobody contends. */
#include "lib.h"

unsigned long __cpu_possible_mask[128] = { (1ul << LVD_MAX_CPUS) - 1 };
unsigned long __cpu_online_mask[128] = { 1 }; /* as many as run: whoever starts them */
char pernet_ops_rwsem[64];

void down_write(void *semaphore) { (void)semaphore; }
void up_write(void *semaphore) { (void)semaphore; }
bool skb_clone_tx_timestamp(void *skb) { (void)skb; return false; }
void skb_tstamp_tx(void *skb, void *times) { (void)skb, (void)times; }
int ethtool_op_get_ts_info(void *dev, void *info) { (void)dev, (void)info; return -EOPNOTSUPP; }
