import X86Architecture

/// The cached translations of one processor, tagged as the SDM tags them (VPID, PCID, EP4TA).
struct TranslationCache {
    init() {}
}
