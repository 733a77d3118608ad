// Data movement between registers and memory; no flags.

/// SDM 2B "MOV-Move".
@inline(__always) func mov<W: Width>(_ a: W) -> W { a }
/// SDM 2B "MOVZX-Move With Zero-Extend".
@inline(__always) func movzx<W: Width, V: Width>(_ a: V) -> W { W(truncatingIfNeeded: a) }
/// SDM 2B "MOVSX/MOVSXD-Move With Sign-Extension".
@inline(__always) func movsx<W: Width, V: Width>(_ a: V) -> W { W(truncatingIfNeeded: a.signExtended) }
/// SDM 2B "MOVBE-Move Data After Swapping Bytes".
@inline(__always) func movbe<W: Width>(_ a: W) -> W { a.byteSwapped }
