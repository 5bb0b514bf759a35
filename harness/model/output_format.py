"""Outputs: files that a command writes for CI systems and dashboards."""

from dataclasses import dataclass

from harness.model.registry import Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputFormat:
    """``name`` is also the option's: ``--junit FILE``. ``renderer`` is the import path of a pure function
    ``(Summary) -> str``."""

    name: str
    title: str
    renderer: str


OUTPUTS: Registry[OutputFormat] = Registry(
    "output",
    (
        OutputFormat(
            name="junit",
            title="Write the checks as JUnit XML: FAIL is a failure, UNKNOWN an error, not applicable is skipped",
            renderer="harness.outputs.junit:render",
        ),
        OutputFormat(
            name="markdown",
            title="Write a summary in Markdown",
            renderer="harness.outputs.markdown:render",
        ),
        OutputFormat(
            name="openmetrics",
            title="Write the measures as OpenMetrics text, for node-exporter's text-file collector or a Pushgateway",
            renderer="harness.outputs.openmetrics:render",
        ),
        OutputFormat(
            name="bencher",
            title="Write the measures as Bencher Metric Format",
            renderer="harness.outputs.bencher:render",
        ),
        OutputFormat(
            name="benchmark-json",
            title="Write the measures for github-action-benchmark (customSmallerIsBetter)",
            renderer="harness.outputs.benchmark_json:render",
        ),
    ),
)
