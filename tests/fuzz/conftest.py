"""Says at the end of a run how many inputs were tried."""


def pytest_terminal_summary(terminalreporter):
    counts = [
        value
        for report in terminalreporter.stats.get("passed", [])
        for name, value in getattr(report, "user_properties", ())
        if name == "fuzz_inputs"
    ]
    if counts:
        terminalreporter.write_line(f"fuzz: {sum(counts):,} inputs, all stood")
