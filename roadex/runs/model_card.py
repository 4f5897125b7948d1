"""The model card of an exported model, as Markdown."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, StrictUndefined

CARD = """\
# {{ model }}: road networks from satellite images

A network of roadex {{ roadex }}: `{{ model }}`, \
{{ "{:,}".format(parameters) }} parameters, {{ epoch }} epochs, seed {{ seed }}.

## Use

```python
import roadex
network = roadex.load("THIS_FOLDER").predict("city.tif")
```

From other programs: `{{ weights }}`\
{% if format == "onnx" %} takes `image`, float32 (batch, 3, rows, columns), sides that divide by \
{{ multiple }},\
{% else %} holds the weights, `roadex.json` the settings from which the network is built. It takes \
images\
{% endif %} of {{ gsd_m }} m per pixel, normalised as `(RGB / 255 - mean) / std` with mean \
{{ mean | map("round", 4) | join(", ") }} and std {{ std | map("round", 4) | join(", ") }}. It \
gives logits at the image's resolution; a softmax over the classes gives probabilities.

| task | classes |
|---|---|
{% for task, classes in tasks.items() -%}
| {{ task }} | {{ classes }} |
{% endfor %}
Road is where class 1 of the segmentation reaches **{{ threshold | round(4) }}**, chosen on the \
{{ threshold_from }} split. Images of more than 8 bits are brought to 8 as in training \
(`contrast` in `roadex.json`).

{% if test_scores -%}
## Scores on the test split

| score | |
|---|---|
{% for name, value in test_scores.items() -%}
| {{ name }} | {{ value | round(4) }} |
{% endfor %}
{% endif -%}
## Scores on the validation split

On {{ scores_on }}, by which the threshold was chosen: they flatter, a test split does not.

| score | |
|---|---|
{% for name, value in scores.items() if value is number -%}
| {{ name }} | {{ value | round(4) }} |
{% endfor %}
## Data and licence

Trained on {{ data }}. Imagery of other sensors, seasons, regions or pixel sizes may be read worse.

Licence of the weights: {{ licence }}

SHA-256 of `{{ weights }}`: `{{ sha256 }}`
"""


def model_card(facts: dict[str, Any]) -> str:
    """The card of a model described by `facts`, the content of roadex.json."""
    text = Environment(undefined=StrictUndefined, keep_trailing_newline=True).from_string(CARD)
    return text.render(**facts)
