import TestSupport

@testable import DriverImage

extension Toolchain {
    static func elf(_ source: String, language: String = "c", name: String = "test.o") throws -> ELFObject {
        try ELFObject(name: name, bytes: object(source, language: language))
    }

    static func assembly(_ source: String, name: String = "test.o") throws -> ELFObject {
        try elf(source, language: "assembler", name: name)
    }
}

/// The error a body throws, nil when it throws none.
func imageError(_ body: () throws -> Void) -> ImageError? {
    do {
        try body()
        return nil
    } catch {
        return error as? ImageError
    }
}
