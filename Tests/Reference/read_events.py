"""Reads the files for tools of a run with the tools' own readers, and prints what they hold.

Needs `pip install tensorboard setuptools prometheus-client`. Usage: read_events.py RUN
"""

import sys

from prometheus_client.parser import text_string_to_metric_families
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def main(run: str) -> None:
    keep_all = {"scalars": 0, "images": 0, "tensors": 0}
    events = EventAccumulator(f"{run}/tensorboard", size_guidance=keep_all)
    events.Reload()
    tags = events.Tags()
    for tag in tags["scalars"]:
        points = events.Scalars(tag)
        steps = [point.step for point in points]
        assert steps == sorted(set(steps)), f"{tag}: steps {steps}"
        print(f"{tag}: {len(points)} values, the last {points[-1].value:.5g} at {steps[-1]} images")
    for tag in tags["images"]:
        images = events.Images(tag)
        sizes = {(image.width, image.height) for image in images}
        print(f"{tag}: {len(images)} images of {sizes}")
    text = events.Tensors("settings")[0].tensor_proto.string_val[0].decode()
    print(f"settings: {len(text.splitlines())} lines")
    with open(f"{run}/metrics.prom") as file:
        for family in text_string_to_metric_families(file.read()):
            print(f"{family.name} ({family.type}): {family.samples[0].value:g}")


main(sys.argv[1])
