# SPDX-License-Identifier: GPL-3.0-or-later
"""The sum of a test run, from the exit status of checks and the reports of pytest."""

from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from scripts.building.processes import describe

NO_TESTS = 5
"""pytest's exit status when it collected none."""


@dataclass
class Tally:
    """What ran so far; a linter, a type check or a validation counts as one test."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    notes: list[str] = field(default_factory=list[str])

    def check(self, name: str, status: int) -> None:
        """Count one check by its exit status."""
        if status:
            self.fail(f"{name} {describe(status)}")
        else:
            self.passed += 1

    def fail(self, note: str) -> None:
        """Count a failure."""
        self.failed += 1
        self.notes.append(f"FAILED: {note}")

    def skip(self, note: str) -> None:
        """Count a part that could not run, and say so now and at the end."""
        self.skipped += 1
        self.notes.append(f"SKIPPED: {note}")
        print(f"\n*** SKIPPED: {note}", flush=True)

    def add_report(self, name: str, report: Path, status: int) -> None:
        """Count a pytest run by the report it wrote; a run that ended otherwise than its report says has failed."""
        failures = 0
        if report.is_file():
            for suite in ElementTree.parse(report).iter("testsuite"):  # noqa: S314 - pytest wrote it a moment ago
                tests, failed, errors, skipped = (
                    int(suite.get(key, 0)) for key in ("tests", "failures", "errors", "skipped")
                )
                failures += failed + errors
                self.skipped += skipped
                self.passed += max(tests - failed - errors - skipped, 0)
        if failures:
            self.failed += failures
            self.notes.append(f"FAILED: {name}, {failures} tests")
        elif status not in (0, NO_TESTS):
            self.fail(f"{name} {describe(status)}")

    def close(self) -> int:
        """Print the sum and give the exit status: a run that ran nothing is no success."""
        print("\n" + "\n".join(self.notes))
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped")
        return int(self.failed > 0 or self.passed == 0)
