import DriverImage
import Simulation

/// `--param`: a word of the guest kernel's command line, `DRIVER.NAME=VALUE`, for a parameter that the module has.
enum ModuleParameter {
    static func word(_ text: String, drivers: [String]) throws -> String {
        let sides = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let names = sides[0].split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard sides.count == 2, !sides[1].isEmpty, names.allSatisfy({ !$0.isEmpty }),
            text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f })
        else { throw UserError(.usage, "--param \(text): expected NAME=VALUE or DRIVER.NAME=VALUE") }
        guard names.count == 2 || drivers.count == 1 else {
            throw UserError(.usage, "--param \(text): which driver? Expected DRIVER.NAME=VALUE")
        }
        for path in drivers {
            let metadata = try ModuleMetadata(ELFObject(path: path))
            guard let driver = metadata.name, names.count == 1 || names[0] == driver else { continue }
            let known = metadata.parameters
            guard known.contains(String(names.last!)) else {
                throw UserError(
                    .usage,
                    "--param \(text): \(driver) has no such parameter; there is: "
                        + (known.isEmpty ? "none" : known.joined(separator: ", ")))
            }
            return "\(driver).\(names.last!)=\(sides[1])"
        }
        throw UserError(.usage, "--param \(text): no driver of this run is called so")
    }
}
