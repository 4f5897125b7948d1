// What the hand does: pointers, wheel, keys, and the panel's switches.

const CLICK_PX = 5; // a pointer that moves less has clicked
const REACH_PX = 9; // of a click, to the nearest road

class Controls {
  constructor(drawing, panel) {
    this.drawing = drawing;
    this.view = drawing.view;
    this.panel = panel;
    this.pointers = new Map();
    this.travelled = 0;
    this.canvas = drawing.canvas;
    for (const name of ["pointerdown", "pointermove", "pointerup", "pointercancel", "wheel"]) {
      this.canvas.addEventListener(name, (event) => this[name](event), { passive: false });
    }
    this.canvas.addEventListener("pointerleave", () => this.panel.cursor(null));
    this.canvas.addEventListener("dblclick", (event) => this.#zoom(2, event));
    this.canvas.addEventListener("keydown", (event) => this.keydown(event));
  }

  pointerdown(event) {
    this.canvas.setPointerCapture(event.pointerId);
    this.canvas.focus();
    if (!this.pointers.size) this.travelled = 0;
    this.pointers.set(event.pointerId, event);
    if (this.pointers.size > 1) this.travelled = Infinity;
  }

  pointermove(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) {
      this.panel.cursor(this.view.world(event.offsetX, event.offsetY));
      this.canvas.classList.toggle("over-road", this.#roadAt(event) >= 0);
      return;
    }
    const [dx, dy] = [event.offsetX - before.offsetX, event.offsetY - before.offsetY];
    this.travelled += Math.hypot(dx, dy);
    const others = [...this.pointers.values()].filter((item) => item.pointerId !== event.pointerId);
    if (others.length === 1) this.#pinch(before, event, others[0]);
    if (!others.length) this.view.pan(dx, dy);
    this.pointers.set(event.pointerId, event);
    this.canvas.classList.toggle("dragging", this.travelled > CLICK_PX);
    this.drawing.ask(true);
  }

  // Two fingers: what lay between them stays between them.
  #pinch(before, now, still) {
    const spread = (one) => Math.hypot(one.offsetX - still.offsetX, one.offsetY - still.offsetY);
    const middle = (one) => [(one.offsetX + still.offsetX) / 2, (one.offsetY + still.offsetY) / 2];
    const [from, to] = [middle(before), middle(now)];
    this.view.zoom(spread(now) / Math.max(1, spread(before)), ...from);
    this.view.pan(to[0] - from[0], to[1] - from[1]);
  }

  pointerup(event) {
    const known = this.pointers.delete(event.pointerId);
    this.canvas.classList.remove("dragging");
    if (!known || this.travelled > CLICK_PX) return;
    const world = this.view.world(event.offsetX, event.offsetY);
    if (this.panel.routing.checked) this.panel.visit(this.#roadAt(event), world);
    else this.panel.select(this.#roadAt(event));
  }

  pointercancel(event) {
    this.pointers.delete(event.pointerId);
    this.canvas.classList.remove("dragging");
  }

  wheel(event) {
    event.preventDefault();
    const pixels = event.deltaY * [1, 20, 300][event.deltaMode];
    this.#zoom(Math.exp(-Math.max(-300, Math.min(300, pixels)) / 400), event);
  }

  keydown(event) {
    const step = 0.15 * Math.min(this.view.width, this.view.height);
    const moves = {
      ArrowLeft: [step, 0], ArrowRight: [-step, 0], ArrowUp: [0, step], ArrowDown: [0, -step],
    };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in moves) this.view.pan(...moves[event.key]);
    else if (event.key === "+" || event.key === "=") this.view.zoom(1.5);
    else if (event.key === "-") this.view.zoom(1 / 1.5);
    else if (event.key === "0") this.view.showAll();
    else if (event.key === "Escape") this.panel.select(-1);
    else return;
    event.preventDefault();
    this.drawing.ask(true);
  }

  #zoom(factor, event) {
    this.view.zoom(factor, event.offsetX, event.offsetY);
    this.drawing.ask(true);
  }

  #roadAt(event) {
    if (!this.drawing.state.roads) return -1;
    const [x, y] = this.view.world(event.offsetX, event.offsetY);
    return this.drawing.network.nearest(x, y, REACH_PX / this.view.scale);
  }
}

class Panel {
  constructor(drawing, place) {
    Object.assign(this, { drawing, place, network: drawing.network, state: drawing.state });
    this.road = document.getElementById("road");
    this.hint = this.road.innerHTML;
    this.router = new Router(drawing.network);
    this.routing = document.getElementById("routing");
    this.weight = document.querySelector("#weight select");
    document.getElementById("weight").hidden = drawing.network.speeds.every(Number.isNaN);
    this.routing.addEventListener("change", () => this.select(-1));
    this.weight.addEventListener("change", () => this.#find());
    this.theme = document.getElementById("theme");
    for (const option of this.theme.options) {
      const { values } = drawing.themes[option.value];
      option.hidden = option.disabled = option.value !== "probability" && values.every(Number.isNaN);
    }
    this.#follow(this.theme, "change", () => {
      if (this.theme.selectedOptions[0].disabled) this.theme.value = "probability";
      drawing.colourBy(this.theme.value);
      this.key();
    });
    for (const box of document.querySelectorAll("[data-layer]")) {
      this.#follow(box, "change", () => (this.state[box.dataset.layer] = box.checked));
    }
    for (const slider of document.querySelectorAll("[data-opacity]")) {
      const layer = slider.dataset.opacity;
      this.#follow(slider, "input", () => (this.state.opacity[layer] = +slider.value));
    }
    for (const button of document.querySelectorAll("[data-zoom]")) {
      button.addEventListener("click", () => this.#zoom(+button.dataset.zoom));
    }
    drawing.after = () => this.scale();
  }

  // Take over what the control says, now (a browser may have kept it from before) and later.
  #follow(control, event, take) {
    take();
    control.addEventListener(event, () => {
      take();
      this.drawing.ask();
    });
  }

  #zoom(factor) {
    if (factor) this.drawing.view.zoom(factor);
    else this.drawing.view.showAll();
    this.drawing.ask();
  }

  // The legend: kilometres of road by what they are coloured by.
  key() {
    const { legend } = this.drawing;
    const metres = new Float64Array(legend.length);
    this.network.lengths.forEach((length, edge) => (metres[this.drawing.steps[edge]] += length));
    const rows = legend.map((step, i) => [step, metres[i]]).filter(([, length]) => length > 0);
    document.getElementById("key").replaceChildren(
      ...rows.map(([step, length]) => {
        const row = tableRow(step.name, `${(length / 1000).toFixed(2)} km`);
        const swatch = document.createElement("i");
        swatch.style.background = step.colour;
        row.firstChild.prepend(swatch);
        return row;
      }),
    );
  }

  // A click while routes are wanted: where one begins, or where it ends.
  visit(edge, world) {
    if (edge < 0) return;
    const place = this.router.place(edge, ...world);
    const known = this.state.route?.places ?? [];
    this.state.route = { places: known.length === 1 ? [...known, place] : [place], line: [] };
    this.#find();
  }

  #find() {
    const { route } = this.state;
    if (!route) return;
    const [from, to] = route.places;
    const found = to && this.router.route(from, to, this.weight.value === "time");
    route.line = found ? found.line : [];
    this.#tellRoute(found);
    this.drawing.ask();
  }

  // `found`: the route, null where no road leads there, undefined where the end is still to come.
  #tellRoute(found) {
    const text = document.createElement("p");
    if (!found) {
      text.textContent = found === null ? "No road leads there." : "Click where the route ends.";
      this.road.replaceChildren(text);
      return;
    }
    const table = document.createElement("table");
    table.append(tableRow("route", `${(found.metres / 1000).toFixed(2)} km`));
    if (!this.weight.parentElement.hidden) {
      table.append(tableRow("travel time", `${(found.seconds / 60).toFixed(1)} min`));
    }
    this.road.replaceChildren(table);
  }

  select(edge) {
    this.state.selected = edge;
    this.state.route = null;
    if (edge < 0 && this.routing.checked) this.road.textContent = "Click where the route begins.";
    else if (edge < 0) this.road.innerHTML = this.hint;
    else this.#describe(edge);
    this.drawing.ask();
  }

  // Class and speed of a road, where they are known.
  #attributes(edge) {
    const { classes, classRanks, speeds } = this.network;
    const rank = classRanks[edge];
    return [
      ...(Number.isNaN(rank) ? [] : [tableRow("class", classes[classes.length - 1 - rank])]),
      ...(Number.isNaN(speeds[edge]) ? [] : [tableRow("speed", `${speeds[edge].toFixed(0)} km/h`)]),
    ];
  }

  #describe(edge) {
    const { lengths, widths, probabilities, ends, nodes } = this.network;
    const known = (value, digits, unit) =>
      Number.isNaN(value) ? "not known" : value.toFixed(digits) + unit;
    const table = document.createElement("table");
    table.append(
      tableRow("length", known(lengths[edge], 1, " m")),
      tableRow("width", known(widths[edge], 1, " m")),
      tableRow("mean probability", known(probabilities[edge], 3, "")),
      ...this.#attributes(edge),
      tableRow("from node", nodes[ends[2 * edge]]),
      tableRow("to node", nodes[ends[2 * edge + 1]]),
    );
    this.road.replaceChildren(table);
  }

  // Coordinates under the cursor.
  cursor(world) {
    document.getElementById("cursor").value = world ? this.#coordinates(...world) : "";
  }

  #coordinates(x, y) {
    if (!this.place) return `${x.toFixed(1)} m right, ${y.toFixed(1)} m down (no coordinate system)`;
    const [a, b, c, d, e, f] = this.place.transform;
    const shown = [a * x + b * y + c, d * x + e * y + f].map((v) => v.toFixed(this.place.decimals));
    return `${shown.join(", ")} (${this.place.crs})`;
  }

  // A bar of a round number of metres, about 120 pixels long.
  scale() {
    const most = 120 / this.drawing.view.scale;
    const power = 10 ** Math.floor(Math.log10(most));
    const metres = power * [5, 2, 1].find((digit) => digit * power <= most);
    const bar = document.querySelector("#scale span");
    bar.textContent = metres >= 1000 ? `${metres / 1000} km` : `${+metres.toPrecision(2)} m`;
    bar.parentElement.style.width = `${metres * this.drawing.view.scale}px`;
  }
}

function tableRow(name, value) {
  const row = document.createElement("tr");
  const [head, cell] = [document.createElement("th"), document.createElement("td")];
  head.textContent = name;
  cell.textContent = value;
  row.append(head, cell);
  return row;
}
