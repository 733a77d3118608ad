import Testing

@Suite("--cpu")
struct ProcessorOptionTests {
    private func boot(_ processor: String) throws -> Tool.Outcome {
        try Tool.run("boot", BootTests.payload, "--append", "rounds=1", "--cpu", processor)
    }

    @Test(
        "a model changed by features and physical-address bits boots; names are the SDM's, case and signs do not count",
        arguments: [
            "max,-x2apic", "max,-PCID,-invpcid", "max,phys-bits=36", "minimal,+tsc-deadline,+APIC", "max,-sse42"
        ])
    func accepted(_ processor: String) throws {
        let outcome = try boot(processor)
        #expect(outcome.status == 1, "\(outcome.errors)")
    }

    @Test(
        "what is wrong is 64, names the word, and the nearest name",
        arguments: [
            ("maxx", "'maxx': expected one of haswell-ep, max, minimal; did you mean 'max'?"),
            (
                "max,-x2apc",
                "'-x2apc': expected a feature that is modelled, by its name in the SDM; did you mean 'x2apic'?"
            ),
            ("max,+avx512f", "'+avx512f': expected a feature that is modelled"),
            ("max,-pge", "'-pge': PGE cannot be left out"),
            ("max,phys-bits=35", "'phys-bits=35': expected 36 to 52 bits"),
            ("max,phys-bits=many", "'phys-bits=many': expected 36 to 52 bits"),
            (
                "max,phys-bit=36",
                "'phys-bit=36': expected +FEATURE, -FEATURE or phys-bits=N; did you mean 'phys-bits=36'?"
            ),
            ("max,", "'': expected +FEATURE, -FEATURE or phys-bits=N")
        ])
    func refused(_ processor: String, _ message: String) throws {
        let outcome = try boot(processor)
        #expect(outcome.status == 64 && outcome.errors.contains("--cpu: " + message), "\(outcome.errors)")
        #expect(outcome.output.isEmpty)
    }
}
