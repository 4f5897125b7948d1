// Drawing: pictures, then roads from a canvas of their own that is redrawn when it no longer fits.

// From doubtful to sure, told apart in grey and by the colour-blind (matplotlib's plasma).
const STEPS = [
  { from: 0.9, colour: "#f0f921", name: "0.9 and more" },
  { from: 0.8, colour: "#fdc328", name: "0.8 to 0.9" },
  { from: 0.7, colour: "#f68f44", name: "0.7 to 0.8" },
  { from: 0.6, colour: "#e66c5c", name: "0.6 to 0.7" },
  { from: 0.5, colour: "#cc4778", name: "0.5 to 0.6" },
  { from: -Infinity, colour: "#b12a90", name: "below 0.5" },
  { from: NaN, colour: "#d0d0d0", name: "not known" },
];
const SPEED_STEPS = [100, 80, 60, 45, 30, -Infinity].map((from, i) => ({
  from,
  colour: STEPS[i].colour,
  name: i === 5 ? "below 30 km/h" : `${from} km/h and more`,
}));
const CLASS_COLOURS = ["#f0e442", "#e69f00", "#cc79a7", "#56b4e9", "#ffffff", "#009e73", "#b07d3c"];
const UNKNOWN = STEPS.at(-1);

// What roads can be coloured by: their numbers, and the steps of those, the last for not known.
const themesOf = (network) => ({
  probability: { values: network.probabilities, steps: STEPS },
  class: {
    values: network.classRanks,
    steps: [
      ...network.classes.map((name, i) => (
        { from: network.classes.length - 1 - i, colour: CLASS_COLOURS[i], name }
      )),
      UNKNOWN,
    ],
  },
  speed: { values: network.speeds, steps: [...SPEED_STEPS, UNKNOWN] },
});
const NODE_COLOURS = { end: "#56b4e9", junction: "#d55e00" };
const ROUTE_COLOUR = "#0072b2";
const MOST_ROADS = 30000; // more in the window leave no ground to set them off from
const MOST_NODES = 4000; // more in the window are only clutter

const stepOf = (value, steps) =>
  Number.isNaN(value) ? steps.length - 1 : steps.findIndex((step) => value >= step.from);

class Drawing {
  constructor(canvas, network, view, pictures, state) {
    Object.assign(this, { canvas, network, view, pictures, state });
    this.context = canvas.getContext("2d", { alpha: false });
    this.sheet = new Sheet(view, (context, drawn) => this.#paintRoads(context, drawn));
    this.roads = this.sheet.canvas;
    this.themes = themesOf(network);
    this.colourBy("probability");
    this.after = () => {}; // what else follows the view
  }

  colourBy(name) {
    const { values, steps } = this.themes[name];
    this.legend = steps;
    this.steps = Uint8Array.from(values, (value) => stepOf(value, steps));
    this.sheet.drawn = null;
  }

  resize() {
    const ratio = window.devicePixelRatio || 1;
    this.ratio = this.sheet.ratio = ratio;
    const { clientWidth, clientHeight } = this.canvas;
    this.view.resize(clientWidth, clientHeight);
    this.canvas.width = Math.round(clientWidth * ratio);
    this.canvas.height = Math.round(clientHeight * ratio);
    this.sheet.drawn = null;
    this.ask();
  }

  // Draw with the next frame; `moving` when more such calls are likely to follow at once.
  ask(moving = false) {
    this.sheet.ask(() => this.draw(), moving);
  }

  draw() {
    const { context, view, state } = this;
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.fillStyle = "#14171b";
    context.fillRect(0, 0, view.width, view.height);
    if (state.image) this.#picture(this.pictures.image, state.opacity.image);
    if (state.probability) this.#picture(this.pictures.probability, state.opacity.probability);
    if (state.roads) this.sheet.show(context);
    if (state.nodes) this.#nodes();
    if (state.selected >= 0) this.#selected();
    if (state.route) this.#route(state.route);
    this.after();
  }

  #picture(picture, opacity) {
    if (!picture) return;
    const { context, view } = this;
    const [left, top] = view.screen(0, 0);
    const [width, height] = view.extent.map((side) => side * view.scale);
    context.globalAlpha = opacity;
    context.imageSmoothingEnabled = width < 4 * picture.naturalWidth;
    context.drawImage(picture, left, top, width, height);
    context.globalAlpha = 1;
  }

  // The roads of the window and some room round it, onto their own canvas.
  drawRoads() {
    this.sheet.repaint();
  }

  #paintRoads(context, drawn) {
    context.lineJoin = "bevel";
    const width = Math.max(1.6, Math.min(7, 3.2 * drawn.scale + 1));
    const edges = this.#visible(drawn);
    const level = this.network.level(0.4 / drawn.scale);
    if (edges.length <= MOST_ROADS) this.#stroke(context, drawn, level, edges, "#0009", width + 1.8);
    for (let step = this.legend.length - 1; step >= 0; step--) {
      const chosen = edges.filter((edge) => this.steps[edge] === step);
      this.#stroke(context, drawn, level, chosen, this.legend[step].colour, width);
    }
  }

  #visible(view) {
    return this.network.grid.within(...view.world(0, 0), ...view.world(view.width, view.height));
  }

  #stroke(context, view, level, edges, colour, width) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    strokeLines(context, view, level, edges);
  }

  #nodes() {
    const { context, network, view } = this;
    const visible = [];
    for (let node = 0; node < network.nodes.length; node++) {
      if (network.degrees[node] === 2) continue;
      const [px, py] = view.screen(network.places[2 * node], network.places[2 * node + 1]);
      if (px >= 0 && py >= 0 && px <= view.width && py <= view.height) visible.push([node, px, py]);
    }
    if (visible.length > MOST_NODES) return;
    const radius = Math.max(2, Math.min(5, 2 + view.scale));
    for (const [node, px, py] of visible) {
      const kind = network.degrees[node] > 2 ? "junction" : "end";
      context.beginPath();
      context.arc(px, py, radius, 0, 2 * Math.PI);
      context.fillStyle = NODE_COLOURS[kind];
      context.fill();
      context.lineWidth = 1;
      context.strokeStyle = "#fff";
      context.stroke();
    }
  }

  // A route's line and the one or two places that it joins.
  #route({ line, places }) {
    const { context, view } = this;
    for (const [colour, width] of line.length ? [["#fff", 8], [ROUTE_COLOUR, 5]] : []) {
      [context.strokeStyle, context.lineWidth, context.lineJoin] = [colour, width, "round"];
      context.beginPath();
      for (const point of line) context.lineTo(...view.screen(...point));
      context.stroke();
    }
    places.forEach(({ point }, last) => {
      context.beginPath();
      context.arc(...view.screen(...point), 7, 0, 2 * Math.PI);
      context.fillStyle = last ? ROUTE_COLOUR : "#fff";
      context.fill();
      [context.strokeStyle, context.lineWidth] = ["#000", 2];
      context.stroke();
    });
  }

  #selected() {
    const edges = [this.state.selected];
    const level = this.network.levels[0];
    this.#stroke(this.context, this.view, level, edges, "#000", 10);
    this.#stroke(this.context, this.view, level, edges, "#fff", 7);
    const step = this.legend[this.steps[this.state.selected]];
    this.#stroke(this.context, this.view, level, edges, step.colour, 4);
  }
}
