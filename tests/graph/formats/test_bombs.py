"""Small files that ask for much memory or impossible numbers are refused in one line, and soon."""

from __future__ import annotations

import time

import pytest

from roadex.errors import RoadexError
from roadex.graph.formats import read_network

DEEP = "[" * 100_000
ENTITIES = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 20))
FILES = {
    "infinite_end.json": '{"nodes": [[0, 0], [9, 9]], "edges": [{"u": 1e309, "v": 1}]}',
    "long_number.json": '{"nodes": [[0, ' + "9" * 9000 + ']], "edges": []}',
    "large_number.json": '{"nodes": [[0, ' + "9" * 999 + '], [1, 1]], "edges": [[0, 1]]}',
    "large.geojson": '{"type": "LineString", "coordinates": [[0, 0], [' + "9" * 999 + ", 1]]}",
    "deep.json": '{"nodes": ' + DEEP,
    "deep.geojson": '{"type": "LineString", "coordinates": ' + DEEP + "]" * 100_000 + "}",
    "collections.geojson": '{"type": "GeometryCollection", "geometries": [' * 9000 + "]}" * 9000,
    "entities.graphml": f'<!DOCTYPE g [<!ENTITY e0 "ha">{ENTITIES}]><graphml>&e19;</graphml>',
    "entities.osm": f'<!DOCTYPE g [<!ENTITY e0 "ha">{ENTITIES}]><osm>&e19;</osm>',
    "encoding.graphml": "<?xml version='1.0' encoding='utb-8'?><graphml></graphml>",
    "encoding.osm": "<?xml version='1.0' encoding='utb-8'?><osm></osm>",
    "far.csv": 'ImageId,WKT_Pix\na,"LINESTRING (0 0, 1e9 1e9)"\n',
    "huge.csv": 'ImageId,WKT_Pix\na,"LINESTRING (0 0, 1e308 1e308, -1e308 0)"\n',
    "deep.csv": 'ImageId,WKT_Pix\na,"' + "GEOMETRYCOLLECTION (" * 9000 + ")" * 9000 + '"\n',
}


@pytest.mark.parametrize("name", FILES)
def test_a_small_file_cannot_ask_for_much(name, tmp_path):
    (tmp_path / name).write_text(FILES[name])
    began = time.monotonic()
    with pytest.raises(RoadexError) as refusal:
        read_network(tmp_path / name)
    assert name in str(refusal.value) and "\n" not in str(refusal.value)
    assert time.monotonic() - began < 5 and len(str(refusal.value)) < 500
