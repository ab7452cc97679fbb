"""ExampleGen: TFX's own takes one pattern per split, no parallel text, and forgets file and line of a bad record."""

import json
from collections.abc import Mapping
from typing import Any

import apache_beam as beam
from tfx.components.util import examples_utils
from tfx.dsl.component.experimental.annotations import BeamComponentParameter, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.proto import example_gen_pb2
from tfx.types.standard_artifacts import Examples

from components.example_gen.executor import generate_examples
from components.example_gen.settings import DataSettings
from components.features import features_of
from components.findings import Findings
from models.progress import tell


@component(use_beam=True)
def ExampleGen(  # noqa: N802
    examples: OutputArtifact[Examples],
    settings_json: Parameter[str],
    features: Parameter[str],
    fingerprint: Parameter[str],
    sections_json: Parameter[str] = "{}",
    beam_pipeline: BeamComponentParameter[beam.Pipeline] = None,
) -> None:
    """Writes the raw examples of every split.

    Args:
        examples: one folder of gzipped TFRecord files per split, `counts.json` and `refused.jsonl`.
        settings_json: `DataSettings` as JSON.
        features: the task's, from `features_json`.
        fingerprint: `data_fingerprint(settings)`; not read here, it makes the cache notice changed data.
        sections_json: other sections that readers look at, by name, as JSON.
        beam_pipeline: given by TFX.
    """
    settings = DataSettings.model_validate_json(settings_json)
    sections = json.loads(sections_json)
    counts = generate_examples(beam_pipeline, settings, features_of(features), examples.uri, sections)
    examples.splits = settings.splits()
    examples_utils.set_payload_format(examples, example_gen_pb2.PayloadFormat.FORMAT_TF_EXAMPLE)
    examples_utils.set_file_format(examples, "tfrecords_gzip")
    for name in ("read", "kept", "refused"):
        examples.set_int_custom_property(name, counts[name])
    for split, kept in counts["splits"].items():
        examples.set_int_custom_property(f"kept_{split}", kept)
    Findings(page=None, warnings=counts["warnings"], data=_figures(counts)).keep(examples)
    per_split = ", ".join(f"{split} {kept}" for split, kept in counts["splits"].items())
    tell(
        f"{counts['read']} records read, {counts['refused']} refused{_aside(counts)} "
        f"({per_split}){_also(counts['passed_over'])}",
        counts["read"],
        counts["read"],
        {**counts["splits"], "refused": counts["refused"], **counts["passed_over"]},
        stage="ExampleGen",
    )


def _aside(counts: Mapping[str, Any]) -> str:
    count = sum(counts["set_aside"].values())
    return f", {count} set aside" if count else ""


def _also(passed_over: Mapping[str, int]) -> str:
    told = ", ".join(f"{count} {name}" for name, count in passed_over.items())
    return f"; passed over: {told}" if told else ""


def _figures(counts: dict[str, Any]) -> dict[str, float]:
    """How many records were refused, and of each split the share of those whose input stands in train too."""
    repeated = {
        f"repeated_{split}": count / counts["splits"][split] for split, count in sorted(counts["repeated"].items())
    }
    return {"refused": counts["refused"], **repeated}
