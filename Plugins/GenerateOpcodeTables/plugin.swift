import Foundation
import PackagePlugin

/// Turns the text tables of instructions into the decoder's static data, at build time.
@main struct GenerateOpcodeTables: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        let maps = target.directoryURL.appending(path: "OpcodeMaps")
        let tables = try FileManager.default.contentsOfDirectory(at: maps, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "table" }.sorted { $0.path() < $1.path() }
        let output = context.pluginWorkDirectoryURL.appending(path: "OpcodeTables.swift")
        return [.buildCommand(
            displayName: "Generating opcode tables",
            executable: try context.tool(named: "OpcodeTableGenerator").url,
            arguments: [maps.path(), output.path()],
            inputFiles: tables, outputFiles: [output])]
    }
}
