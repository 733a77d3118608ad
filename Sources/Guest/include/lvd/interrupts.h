/* How external interrupts reach the guest: the paper's way, and two to compare it with. */
#ifndef LVD_INTERRUPTS_H
#define LVD_INTERRUPTS_H

#define LVD_INTERRUPTS_DIRECT 0  /* not intercepted: through the guest's own IDT, whichever view is active */
#define LVD_INTERRUPTS_EXITING 1 /* external-interrupt exiting; the monitor injects each one */
#define LVD_INTERRUPTS_POSTED 2  /* virtual-interrupt delivery; interprocessor interrupts are posted */

#endif
