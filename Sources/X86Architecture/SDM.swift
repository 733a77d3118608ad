/// The one revision of the manual that citations in this project refer to.
///
/// A citation reads `SDM 3C 28.5.7 "VM Functions"`. Section numbers drift between revisions, titles do not:
/// **the title is the key**, the number is a convenience for readers of this revision.
public enum SDM {
    public static let title: StaticString = "Intel 64 and IA-32 Architectures Software Developer's Manual"
    public static let orderNumber: StaticString = "325462-091US"
    public static let date: StaticString = "March 2026"
}
