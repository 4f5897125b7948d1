"""The map page in a real browser: what it shows and how it reacts to the mouse."""

from __future__ import annotations

import json
from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
import shapely

from roadex.errors import RoadexError
from roadex.graph.attribute_reading import WORDS
from roadex.graph.network import add_road, empty_network, straight_network
from roadex.graph.road_table import RoadTable, table_of
from roadex.graph.routing import shortest_route
from roadex.plots.map_page import Place, write_map_page
from scripts.benchmarks.map import measure, winding_town
from tests.support.browser import browser

SIDE = 400.0
SURE, DOUBTFUL = [240, 249, 33], [177, 42, 144]  # of the legend
GREY = 120


@pytest.fixture(scope="module")
def page():
    with browser() as opened:
        yield opened


def crossing() -> nx.MultiGraph:
    """Two roads that meet at the middle, the western arm doubtful and without a width."""
    graph = empty_network()
    known = {"width_m": 7.25, "mean_probability": 0.95}
    add_road(graph, "</script>", "middle", [(200, 20), (200, 200)], **known)
    add_road(graph, "middle", "south", [(200, 200), (200, 380)], **known)
    add_road(graph, "middle", "east", [(200, 200), (380, 200)], **known)
    add_road(graph, "middle", "west", [(200, 200), (20, 200)], mean_probability=0.3)
    return graph


@pytest.fixture
def shown(page, tmp_path):
    """The crossing on grey, with a place of its own; opened."""
    image = np.full((100, 100, 3), GREY, np.uint8)
    probability = np.zeros((200, 200), np.uint8)
    probability[90:110] = 255
    place = Place("EPSG:32633", (1, 0, 500_000, 0, -1, 4_500_000))
    facts = {"road": "0.72 km", "<i>": "&"}
    path = tmp_path / "map.html"
    extent = (SIDE, SIDE)
    write_map_page(
        path, crossing(), image, extent, probability, title="A <b>", summary=facts, place=place
    )
    page.open(path)
    return page


def at(page, x, y):
    """The pixel of a place in metres."""
    return page.run(f"roadMap.view.screen({x}, {y})")


def colour(page, x, y):
    """The colour of the map at a place in metres."""
    script = f"""(() => {{
      const [x, y] = roadMap.view.screen({x}, {y});
      const context = document.getElementById("map").getContext("2d");
      return [...context.getImageData(x, y, 1, 1).data].slice(0, 3);
    }})()"""
    return page.run(script)


def switch(page, layer):
    page.run(f"document.querySelector('[data-layer={layer}]').click()")
    page.settle()


def test_page_needs_no_network_and_text_is_no_markup(shown):
    assert shown.requests() == [] and shown.complaints() == []
    assert shown.run("document.querySelector('h1').textContent") == "A <b>"
    assert shown.run("document.querySelectorAll('b, i:not(#key i)').length") == 0
    assert "<i>" in shown.run("document.querySelector('#panel table').textContent")


def test_roads_are_coloured_by_confidence_with_a_legend(shown):
    assert colour(shown, 200, 100) == SURE
    assert colour(shown, 100, 200) == DOUBTFUL
    legend = shown.run("document.getElementById('key').innerText").split("\n")
    assert [line.split("\t") for line in legend] == [
        ["0.9 and more", "0.54 km"],
        ["below 0.5", "0.18 km"],
    ]


def test_layers_can_be_switched(shown):
    bare = colour(shown, 200, 100)
    switch(shown, "roads")
    image = colour(shown, 200, 100)
    assert bare == SURE and max(image) - min(image) <= 2 and 20 < image[0] < GREY
    switch(shown, "probability")
    assert colour(shown, 100, 200)[2] > image[2] + 60  # a road in the probability
    assert colour(shown, 100, 100) == image  # none
    switch(shown, "image")
    assert colour(shown, 100, 100)[0] < image[0]


def test_a_click_tells_of_the_road(shown):
    shown.mouse.click(*at(shown, 200, 100))
    listed = dict(zip(*[iter(cells(shown, "#road"))] * 2, strict=True))
    assert listed == {
        "length": "180.0 m",
        "width": "7.3 m",
        "mean probability": "0.950",
        "from node": "</script>",
        "to node": "middle",
    }
    shown.mouse.click(*at(shown, 100, 200))
    assert cells(shown, "#road")[3] == "not known"
    shown.keyboard.press("Escape")
    assert "Click a road" in shown.run("document.getElementById('road').innerText")


def test_two_clicks_make_a_route_by_length_or_by_time(page, tmp_path):
    """A square whose southern side is a motorway: the way round by it is longer and faster."""
    town = straight_network([(50, 100), (350, 100), (350, 300), (50, 300)], [])
    corners = [(50, 100), (350, 100), (350, 300), (50, 300)]
    for u, v, kind in ((1, 0, "track"), (1, 2, "motorway"), (3, 2, "motorway"), (0, 3, "motorway")):
        add_road(town, u, v, [corners[u], corners[v]], highway=kind)
    add_road(town, "far", "away", [(190, 200), (210, 200)], highway="track")
    image = np.zeros((10, 10, 3), np.uint8)
    write_map_page(tmp_path / "map.html", town, image, (SIDE, SIDE))
    page.open(tmp_path / "map.html")
    page.run("document.getElementById('routing').click()")
    page.mouse.click(*at(page, 50, 150))
    assert "Click where the route ends" in page.run("document.getElementById('road').innerText")
    page.mouse.click(*at(page, 350, 150))
    page.settle()
    seconds = 3.6 * (100 / (55 * 1.609344) + 300 / (20 * 1.609344))
    assert cells(page, "#road") == ["route", "0.40 km", "travel time", f"{seconds / 60:.1f} min"]
    assert colour(page, 200, 100) == [0, 114, 178]
    page.run("""(() => { const choice = document.querySelector("#weight select");
        choice.value = "time"; choice.dispatchEvent(new Event("change")); })()""")
    page.settle()
    seconds = 3.6 * 600 / (55 * 1.609344)
    assert cells(page, "#road") == ["route", "0.60 km", "travel time", f"{seconds / 60:.1f} min"]
    assert colour(page, 200, 300) == [0, 114, 178] != colour(page, 200, 100)
    page.mouse.click(*at(page, 50, 150))
    page.mouse.click(*at(page, 200, 200))
    assert page.run("document.getElementById('road').innerText") == "No road leads there."


def test_routes_of_the_page_are_those_of_networkx(page, tmp_path):
    town = winding_town(300)
    for number, (*_, data) in enumerate(town.edges(data=True)):
        data["length"] *= 1.1  # lengths on the ground differ from those of lines
        data["oneway"] = number % 3 == 0
    write_map_page(tmp_path / "map.html", town, np.zeros((8, 8, 3), np.uint8), (2000.0, 2000.0))
    page.open(tmp_path / "map.html")
    assert page.run("document.getElementById('weight').hidden")
    rng = np.random.default_rng(0)
    edges = list(town.edges(keys=True))
    for first, last in rng.choice(len(edges), (12, 2)):
        lines = [town.edges[edges[i]]["geometry"] for i in (first, last)]
        places = [line[len(line) // 2].tolist() for line in lines]
        metres = page.run(f"""(() => {{
          const {{ network }} = roadMap.drawing;
          const [from, to] = {places}.map(
            ([x, y]) => roadMap.panel.router.place(network.nearest(x, y, 1), x, y));
          return roadMap.panel.router.route(from, to, false)?.metres ?? null; }})()""")
        try:
            route = shortest_route(town, *map(tuple, places), 1.0)
        except RoadexError:
            assert metres is None
            continue
        assert metres == pytest.approx(route.length_m, rel=1e-4)


def cells(page, place):
    script = f"[...document.querySelectorAll('{place} th, {place} td')].map(c => c.textContent)"
    return page.run(script)


@pytest.mark.parametrize("as_table", [False, True])
def test_roads_are_coloured_by_class_and_speed_where_they_are_known(page, tmp_path, as_table):
    graph = crossing()
    listed = [{"highway": "motorway", "speed_kph": 104.6}, {"highway": "track", "speed_kph": 24.1}]
    for (*_, data), known in zip(graph.edges(data=True), [*listed, *listed], strict=True):
        data.update(known)
    network: nx.MultiGraph | RoadTable = graph
    if as_table:
        network = with_words(graph)
    write_map_page(tmp_path / "map.html", network, np.zeros((8, 8, 3), np.uint8), (SIDE, SIDE))
    page.open(tmp_path / "map.html")
    assert page.run("[...document.getElementById('theme').options].every(o => !o.hidden)")
    expected = {"class": ["motorway", "track"], "speed": ["100 km/h and more", "below 30 km/h"]}
    for theme, names in expected.items():
        page.run(f"""(() => {{ const choice = document.getElementById("theme");
          choice.value = "{theme}"; choice.dispatchEvent(new Event("change")); }})()""")
        page.settle()
        rows = page.run("document.getElementById('key').innerText").split("\n")
        assert [row.split("\t") for row in rows] == [[name, "0.36 km"] for name in names]
        seen = {tuple(colour(page, x, y)) for x, y in ((200, 100), (200, 300))}
        assert len(seen) == 2
    page.mouse.click(*at(page, 200, 100))
    said = dict(zip(*[iter(cells(page, "#road"))] * 2, strict=True))
    assert (said["class"], said["speed"]) == ("motorway", "105 km/h")


def with_words(graph: nx.MultiGraph) -> RoadTable:
    """A network of tags as a table, as predicted roads of large images are."""
    numbers = nx.MultiGraph(graph)
    for *_, data in numbers.edges(data=True):
        data["highway"] = WORDS["highway"].index(data["highway"])
    columns = ("width_m", "mean_probability", "highway", "speed_kph")
    return replace(table_of(numbers, columns), words={"highway": WORDS["highway"]})


def test_only_what_is_known_can_be_chosen(shown):
    hidden = "[...document.getElementById('theme').options].map(o => o.hidden)"
    assert shown.run(hidden) == [False, True, True]


def test_the_cursor_tells_the_coordinates(shown):
    shown.mouse.move(*at(shown, 150, 250))
    east, north, crs = shown.run("document.getElementById('cursor').value").split(" ")
    assert float(east[:-1]) == pytest.approx(500_150, abs=1)
    assert float(north) == pytest.approx(4_499_750, abs=1)
    assert crs == "(EPSG:32633)"


def test_the_wheel_zooms_about_the_cursor_and_the_scale_follows(shown):
    x, y = at(shown, 120, 220)
    before = (
        shown.run("roadMap.view.scale"),
        shown.run("document.querySelector('#scale').innerText"),
    )
    shown.mouse.move(x, y)
    shown.mouse.wheel(0, -300)
    shown.settle()
    assert shown.run("roadMap.view.scale") == pytest.approx(before[0] * np.exp(0.75))
    assert at(shown, 120, 220) == pytest.approx([x, y], abs=1)  # whole pixels of the cursor
    bar = shown.run("document.querySelector('#scale').innerText")
    width = shown.run("parseFloat(document.querySelector('#scale').style.width)")
    assert bar != before[1]
    assert float(bar.split()[0]) * shown.run("roadMap.view.scale") == pytest.approx(width, abs=0.01)
    assert colour(shown, 200, 150) == SURE


def test_dragging_moves_the_map_with_the_hand_and_is_no_click(shown):
    x, y = at(shown, 200, 100)
    shown.mouse.move(x, y)
    shown.mouse.down()
    for step in range(1, 5):
        shown.mouse.move(x + 10 * step, y + 5 * step)
    shown.mouse.up()
    assert at(shown, 200, 100) == pytest.approx([x + 40, y + 20])
    assert shown.run("roadMap.drawing.state.selected") == -1


def test_two_fingers_zoom(shown):
    x, y = at(shown, 200, 200)
    scale = shown.run("roadMap.view.scale")
    shown.touch("touchStart", [(x - 40, y), (x + 40, y)])
    for spread in (50, 60, 70, 80):
        shown.touch("touchMove", [(x - spread, y), (x + spread, y)])
    shown.touch("touchEnd", [])
    assert shown.run("roadMap.view.scale") == pytest.approx(2 * scale, rel=0.02)
    assert at(shown, 200, 200) == pytest.approx([x, y], abs=3)


def test_keys_move_and_zoom(shown):
    shown.run("document.getElementById('map').focus()")
    start = shown.run("({...roadMap.view})")
    shown.keyboard.press("+")
    shown.keyboard.press("ArrowRight")
    assert shown.run("roadMap.view.scale") == pytest.approx(1.5 * start["scale"])
    assert shown.run("roadMap.view.x") > start["x"]
    shown.keyboard.press("0")
    assert shown.run("({...roadMap.view})") == start


def test_on_a_phone_the_panel_waits_and_lines_are_as_sharp_as_the_screen(page, tmp_path):
    image = np.zeros((10, 10, 3), np.uint8)
    write_map_page(tmp_path / "map.html", crossing(), image, (SIDE, SIDE))
    page.resize(400, 700, ratio=2)
    page.open(tmp_path / "map.html")
    seen = page.run("[document.getElementById('panel').open, document.getElementById('map').width]")
    page.resize(1200, 800)
    assert seen == [False, 800]


def test_a_page_without_roads_or_coordinates_opens(page, tmp_path):
    image = np.zeros((10, 20, 3), np.uint8)
    write_map_page(tmp_path / "map.html", empty_network(), image, (20.0, 10.0))
    page.open(tmp_path / "map.html")
    page.mouse.move(*at(page, 5, 5))
    assert page.complaints() == []
    cursor = page.run("document.getElementById('cursor').value")
    assert cursor.startswith("5.0 m right") and "no coordinate system" in cursor


def test_what_is_drawn_stays_little_at_20000_roads(page, tmp_path):
    """A window holds only its roads, the whole a coarse copy; moving the mouse redraws neither."""
    path = tmp_path / "map.html"
    write_map_page(path, winding_town(20_000), np.zeros((8, 8, 3), np.uint8), (10_000.0, 10_000.0))
    page.open(path)
    counts = """(() => {
      const {network, view} = roadMap.drawing;
      const inside = () => network.grid.within(
        ...view.world(0, 0), ...view.world(view.width, view.height)).length;
      const all = [network.size, inside(), network.level(0.4 / view.scale).points.length];
      view.zoom(16);
      return JSON.stringify([...all, network.points.length, inside()]);
    })()"""
    size, all_in, coarse, fine, near = json.loads(page.run(counts))
    assert size == all_in == 20_000
    assert coarse < 0.45 * fine and near < 0.02 * size
    moved = """(() => {
      const {drawing, view} = roadMap;
      drawing.sheet.cost = 1000;
      const drawn = drawing.sheet.drawn;
      for (let i = 0; i < 5; i++) {
        view.zoom(1.1);
        drawing.ask(true);
        drawing.draw();
      }
      return drawing.sheet.drawn === drawn;
    })()"""
    assert page.run(moved)
    rested = """(async () => {
      while (roadMap.drawing.sheet.moving || roadMap.drawing.sheet.asked) {
        await new Promise((done) => setTimeout(done, 20));
      }
    })()"""
    page.run(rested)
    assert page.run("roadMap.drawing.sheet.drawn.scale === roadMap.view.scale")


def test_coarse_copies_are_those_of_douglas_and_peucker(page, tmp_path):
    town = winding_town(50)
    write_map_page(tmp_path / "map.html", town, np.zeros((8, 8, 3), np.uint8), (700.0, 700.0))
    page.open(tmp_path / "map.html")
    for tolerance, level in ((0.2, 0.0), (1.0, 1.0), (3.9, 1.0), (16.0, 16.0)):
        count = page.run(f"roadMap.drawing.network.level({tolerance}).points.length / 2")
        lines = [shapely.linestrings(line) for *_, line in town.edges(data="geometry")]
        for step in (0.25, 1.0, 4.0, 16.0):
            if step <= level:
                lines = [shapely.simplify(line, step, preserve_topology=False) for line in lines]
        assert count == sum(shapely.get_num_coordinates(lines))
    ends = page.run("""(() => {
      const {levels, size} = roadMap.drawing.network;
      const coarse = levels.at(-1);
      const first = coarse.starts[1] - coarse.starts[0];
      return [coarse.starts[size] === coarse.points.length / 2, first];
    })()""")
    assert ends == [True, 2]


@pytest.mark.slow
def test_300000_roads_move_as_smoothly_as_few(page, tmp_path):
    many, few = (np.median(measure(page, n, 60, tmp_path)[0]) for n in (300_000, 200))
    assert page.complaints() == []
    assert many < 2 * few
