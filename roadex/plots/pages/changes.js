// Segments of road of both sides on a canvas: drawn by state, hidden by side and state, told by click.

const REACH_PX = 10; // of a click, to the nearest segment
const MOST_DASHED = 30000; // of more segments in the window dashes cannot be seen
const data = JSON.parse(document.getElementById("data").textContent);
for (const group of data.groups) {
  group.points = numbers(group.points, Float32Array);
  group.starts = numbers(group.starts, Uint32Array);
  for (const name of ["lengths", "confidences", "offsets", "detours"]) {
    group[name] = numbers(group[name], Float32Array);
  }
  group.grid = new Grid(boxesOf(group), data.extent);
}
const canvas = document.getElementById("map");
const pen = canvas.getContext("2d");
const view = new View(data.extent);
const form = document.getElementById("controls");
let chosen = null;

const shown = () => {
  const side = form.elements.side.value;
  const states = new Set(
    [...form.querySelectorAll("[name=state]:checked")].map((box) => box.value));
  return data.groups.filter((g) =>
    states.has(g.state) && (side === "both" || g.side === side));
};

const paint = (context, drawn) => {
  context.lineCap = context.lineJoin = "round";
  const window = [...drawn.world(0, 0), ...drawn.world(drawn.width, drawn.height)];
  const visible = shown().map((group) => [group, group.grid.within(...window)]);
  const count = visible.reduce((sum, [, lines]) => sum + lines.length, 0);
  for (const [group, lines] of visible) {
    const dashed = count <= MOST_DASHED && group.side === "map" && group.state !== "matched";
    context.strokeStyle = group.colour;
    context.lineWidth = group.state === "matched" ? 1.2 : 2.6;
    context.setLineDash(dashed ? [6, 5] : []);
    strokeLines(context, drawn, group, lines);
  }
};
const sheet = new Sheet(view, paint);

const draw = () => {
  pen.setTransform(sheet.ratio, 0, 0, sheet.ratio, 0, 0);
  pen.clearRect(0, 0, view.width, view.height);
  sheet.show(pen);
  if (!chosen) return;
  [pen.strokeStyle, pen.lineWidth, pen.lineCap] = ["#000", 4, "round"];
  strokeLines(pen, view, chosen[0], [chosen[1]]);
};
const ask = (moving = false) => sheet.ask(draw, moving);

const fit = () => {
  sheet.ratio = window.devicePixelRatio || 1;
  sheet.drawn = null;
  canvas.width = Math.round(canvas.clientWidth * sheet.ratio);
  canvas.height = Math.round(canvas.clientHeight * sheet.ratio);
  view.resize(canvas.clientWidth, canvas.clientHeight);
  ask();
};

const nearest = (px, py) => {
  let [best, reach] = [null, REACH_PX / view.scale];
  for (const group of shown()) {
    const [line, gap] = nearestLine(group, ...view.world(px, py), reach);
    if (line >= 0) [best, reach] = [[group, line], gap];
  }
  return best;
};

const tell = () => {
  const out = document.getElementById("segment");
  if (!chosen) {
    out.textContent = "Click a segment for its length and what is known of it.";
    return;
  }
  const [group, i] = chosen;
  const parts = [`${group.state}, a line of the ${group.side}`, `number ${i + 1} by length`,
    `${group.lengths[i].toFixed(0)} m`, `confidence ${group.confidences[i].toFixed(2)}`];
  if (!Number.isNaN(group.offsets[i])) {
    parts.push(`${group.offsets[i].toFixed(1)} m beside the other side's road`);
  }
  if (!Number.isNaN(group.detours[i])) {
    parts.push(`ways are ${group.detours[i].toFixed(0)} m longer without it`);
  }
  if (group.notes[i]) parts.push(group.notes[i]);
  out.textContent = parts.join("; ");
};

let drag = null;
canvas.addEventListener("pointerdown", (event) => {
  drag = { x: event.offsetX, y: event.offsetY, moved: 0 };
  canvas.setPointerCapture(event.pointerId);
});
canvas.addEventListener("pointermove", (event) => {
  if (!drag) return;
  view.pan(event.offsetX - drag.x, event.offsetY - drag.y);
  drag = { x: event.offsetX, y: event.offsetY,
    moved: drag.moved + Math.abs(event.offsetX - drag.x) + Math.abs(event.offsetY - drag.y) };
  ask(true);
});
canvas.addEventListener("pointerup", (event) => {
  if (drag && drag.moved < 4) {
    chosen = nearest(event.offsetX, event.offsetY);
    tell();
    ask();
  }
  drag = null;
});
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  view.zoom(2 ** (-event.deltaY / 300), event.offsetX, event.offsetY);
  ask(true);
}, { passive: false });
canvas.addEventListener("keydown", (event) => {
  const keys = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };
  if (keys[event.key]) view.pan(...keys[event.key]);
  else if (event.key === "+") view.zoom(1.5);
  else if (event.key === "-") view.zoom(1 / 1.5);
  else if (event.key === "0") view.showAll();
  else return;
  event.preventDefault();
  ask(true);
});
form.addEventListener("change", () => {
  sheet.drawn = null;
  ask();
});
form.addEventListener("click", (event) => {
  const factor = event.target.dataset.zoom;
  if (factor === undefined) return;
  if (Number(factor)) view.zoom(Number(factor));
  else view.showAll();
  ask();
});
fit();
view.showAll();
new ResizeObserver(fit).observe(canvas);
// For anyone who wants to script the page or look into it.
window.roadChanges = { sheet, view, ask };
