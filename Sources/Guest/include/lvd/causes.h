/* Why a domain was terminated. Set by the monitor (upcall) or by the kernel itself. */
#ifndef LVD_CAUSES_H
#define LVD_CAUSES_H

#define LVD_CAUSES(X)                                                       \
    X(1, EXCEPTION, "raised an exception")                                  \
    X(2, EPT_VIOLATION, "touched memory outside its view")                  \
    X(3, EPT_MISCONFIGURATION, "met a broken EPT entry")                    \
    X(4, VMFUNC, "executed VMFUNC with an invalid function or list entry")  \
    X(5, ABORT, "reached a crossing with the wrong list index")             \
    X(6, CONTROL_REGISTER, "accessed a control register")                   \
    X(7, MSR, "accessed a model-specific register")                         \
    X(8, IO, "accessed an I/O port")                                        \
    X(9, DESCRIPTOR_TABLE, "accessed a descriptor-table register")          \
    X(10, DEBUG_REGISTER, "accessed a debug register")                      \
    X(11, XSETBV, "executed XSETBV")                                        \
    X(12, HYPERCALL, "called the monitor")                                  \
    X(13, NO_PROGRESS, "kept the processor without making progress")        \
    X(14, VMX_INSTRUCTION, "executed a VMX instruction")                    \
    X(15, INTERRUPT_FLAG, "changed the interrupt flag across a crossing")   \
    X(16, STACK_DEPTH, "nested calls until the kernel stack ran short")     \
    X(17, BAD_MESSAGE, "sent a message that makes no sense")                \
    X(18, TRIPLE_FAULT, "caused a triple fault")                            \
    X(19, OTHER_EXIT, "caused an exit that has no business in a domain")    \
    X(20, GAVE_UP, "asked to be terminated")                                \
    X(21, FORGED, "named a capability that nobody was ever given")          \
    X(22, FOREIGN, "named a capability of another domain")                  \
    X(23, STALE, "named a capability that it no longer holds")              \
    X(24, WRONG_TYPE, "named a capability of another type")

#ifdef __ASSEMBLER__
#define LVD_CAUSE_EXCEPTION 1
#else
enum lvd_cause {
    LVD_CAUSE_NONE = 0,
#define X(number, name, text) LVD_CAUSE_##name = number,
    LVD_CAUSES(X)
#undef X
};
#endif
#endif
