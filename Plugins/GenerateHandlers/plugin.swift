import Foundation
import PackagePlugin

/// Multiplies the rows of the instruction tables by operand forms: the machine's handlers, at build time.
@main struct GenerateHandlers: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        // The decoder and the machine number rows alike because both read these files.
        let maps = target.directoryURL.deletingLastPathComponent().appending(path: "X86Decoder/OpcodeMaps")
        let tables = try FileManager.default.contentsOfDirectory(at: maps, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "table" }.sorted { $0.path() < $1.path() }
        let outputs = ["Handlers.swift", "GeneralFunctions.swift", "RowPlans.swift"]
            .map { context.pluginWorkDirectoryURL.appending(path: $0) }
        return [.buildCommand(
            displayName: "Generating handlers",
            executable: try context.tool(named: "HandlerGenerator").url,
            arguments: [maps.path()] + outputs.map { $0.path() },
            inputFiles: tables, outputFiles: outputs)]
    }
}
