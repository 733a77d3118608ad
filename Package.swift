// swift-tools-version: 6.2
import PackageDescription

// Folders go from silicon to verdict: a target depends only on targets above it (Tests/TidyTests checks it).
// No unsafeFlags here, so that the package can be a dependency; the Makefile passes the engine's release flags.
let engine: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    // Without optimisation Swift makes no tail calls: a debug build returns each next micro-op to a loop instead.
    .define("TRAMPOLINE", .when(configuration: .debug)),
]
let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]

let package = Package(
    name: "lvdsim",
    products: [
        .executable(name: "lvdsim", targets: ["lvdsim"]),
        .library(name: "IDL", targets: ["DriverImage", "IDL"]),
        .library(name: "X86Machine", targets: ["X86Architecture", "X86Decoder", "X86Machine"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    ],
    targets: [
        .systemLibrary(name: "CELF", pkgConfig: "libelf", providers: [.apt(["libelf-dev"])]),
        .target(name: "CEngineState"),
        .target(name: "InstructionTable", swiftSettings: strict),
        .executableTarget(name: "OpcodeTableGenerator", dependencies: ["InstructionTable"], swiftSettings: strict),
        .plugin(name: "GenerateOpcodeTables", capability: .buildTool(), dependencies: ["OpcodeTableGenerator"]),

        .target(name: "X86Architecture", swiftSettings: strict),
        .target(name: "X86Decoder", dependencies: ["X86Architecture"], exclude: ["OpcodeMaps"], swiftSettings: strict,
                plugins: ["GenerateOpcodeTables"]),
        .executableTarget(name: "HandlerGenerator", dependencies: ["InstructionTable"], swiftSettings: strict),
        .plugin(name: "GenerateHandlers", capability: .buildTool(), dependencies: ["HandlerGenerator"]),
        .target(name: "X86Machine", dependencies: ["CEngineState", "X86Architecture", "X86Decoder"],
                swiftSettings: engine,
                plugins: ["GenerateHandlers"]),
        .target(name: "DriverImage", dependencies: ["CELF", "X86Architecture"], swiftSettings: strict),
        .target(name: "Boot", dependencies: ["X86Architecture", "X86Machine", "DriverImage"], swiftSettings: strict),
        .target(name: "IDL", dependencies: ["DriverImage"], swiftSettings: strict),
        .target(name: "Traces", swiftSettings: strict),
        .target(name: "LVD", dependencies: ["X86Machine", "Boot"], swiftSettings: strict),
        .target(name: "Isolation", dependencies: ["LVD"], swiftSettings: strict),
        .target(name: "Simulation", dependencies: ["Boot", "Traces", "LVD", "Isolation"], swiftSettings: strict),
        .target(name: "Reports", dependencies: ["X86Decoder", "DriverImage", "IDL", "Simulation"],
                swiftSettings: strict),
        .target(name: "Commands",
                dependencies: ["X86Machine", "DriverImage", "IDL", "Boot", "Isolation", "Simulation", "Reports",
                               .product(name: "ArgumentParser", package: "swift-argument-parser")],
                swiftSettings: strict),
        .executableTarget(name: "lvdsim", dependencies: ["Commands"], swiftSettings: strict),

        .target(name: "HostileGuest", dependencies: ["X86Decoder", "X86Machine"], swiftSettings: strict),
        .executableTarget(name: "lvdsim-fuzz", dependencies: ["HostileGuest"], swiftSettings: strict),

        .target(name: "TestSupport", path: "Tests/TestSupport"),
        .testTarget(name: "X86ArchitectureTests", dependencies: ["X86Architecture"]),
        .testTarget(name: "X86DecoderTests", dependencies: ["X86Decoder", "InstructionTable"]),
        .testTarget(name: "DecoderOracleTests", dependencies: ["X86Decoder"], exclude: ["zydis-reader.c"]),
        .target(name: "CHostProcessor", path: "Tests/CHostProcessor"),
        .testTarget(name: "X86MachineTests",
                    dependencies: ["X86Machine", "InstructionTable", "HostileGuest", "CHostProcessor"]),
        .testTarget(name: "DriverImageTests", dependencies: ["DriverImage", "TestSupport"]),
        .testTarget(name: "BootTests", dependencies: ["Boot", "DriverImage", "TestSupport"]),
        .testTarget(name: "IDLTests", dependencies: ["IDL", "TestSupport"]),
        .testTarget(name: "TracesTests", dependencies: ["Traces"]),
        .testTarget(name: "LVDTests", dependencies: ["LVD"]),
        .testTarget(name: "IsolationTests", dependencies: ["Isolation"]),
        .testTarget(name: "SimulationTests", dependencies: ["Simulation"]),
        .testTarget(name: "ReportsTests", dependencies: ["Reports"]),
        .testTarget(name: "CommandTests", dependencies: ["lvdsim", "Simulation", "TestSupport"]),
        .testTarget(name: "TidyTests"),
    ],
    swiftLanguageModes: [.v6]
)
