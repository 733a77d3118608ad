import X86Architecture

extension EngineCaches {
    /// After a snapshot: no fast write entry may survive, as every page is to be saved again.
    func dropWriteEntries() {}
    /// After a restore: everything derived goes.
    func dropEverything() {}
}
