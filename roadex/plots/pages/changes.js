// Segments of road of both sides on a canvas: drawn by state, hidden by side and state, told by click.

const decode = (text, kind) => {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return new kind(bytes.buffer);
};
const data = JSON.parse(document.getElementById("data").textContent);
for (const group of data.groups) {
  group.points = decode(group.points, Float32Array);
  group.starts = decode(group.starts, Uint32Array);
  for (const name of ["lengths", "confidences", "offsets", "detours"]) {
    group[name] = decode(group[name], Float32Array);
  }
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

const trace = (group, index) => {
  for (let i = group.starts[index]; i < group.starts[index + 1]; i += 1) {
    const [x, y] = view.screen(group.points[2 * i], group.points[2 * i + 1]);
    if (i === group.starts[index]) pen.moveTo(x, y);
    else pen.lineTo(x, y);
  }
};

const draw = () => {
  const ratio = window.devicePixelRatio || 1;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, view.width, view.height);
  pen.lineCap = pen.lineJoin = "round";
  for (const group of shown()) {
    pen.strokeStyle = group.colour;
    pen.lineWidth = group.state === "matched" ? 1.2 : 2.6;
    pen.setLineDash(group.side === "map" && group.state !== "matched" ? [6, 5] : []);
    pen.beginPath();
    for (let i = 0; i + 1 < group.starts.length; i += 1) trace(group, i);
    pen.stroke();
  }
  pen.setLineDash([]);
  if (chosen) {
    pen.strokeStyle = "#000";
    pen.lineWidth = 4;
    pen.beginPath();
    trace(...chosen);
    pen.stroke();
  }
};

const fit = () => {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(canvas.clientWidth * ratio);
  canvas.height = Math.round(canvas.clientHeight * ratio);
  view.resize(canvas.clientWidth, canvas.clientHeight);
  draw();
};

// Squared distance in pixels from a place to a straight segment.
const away = (px, py, [ax, ay], [bx, by]) => {
  const [dx, dy] = [bx - ax, by - ay];
  const share = Math.max(0, Math.min(1, ((px - ax) * dx + (py - ay) * dy) / (dx * dx + dy * dy || 1)));
  return (ax + share * dx - px) ** 2 + (ay + share * dy - py) ** 2;
};

const nearest = (px, py) => {
  let [best, least] = [null, 100];
  for (const group of shown()) {
    for (let i = 0; i + 1 < group.starts.length; i += 1) {
      for (let k = group.starts[i]; k + 1 < group.starts[i + 1]; k += 1) {
        const a = view.screen(group.points[2 * k], group.points[2 * k + 1]);
        const b = view.screen(group.points[2 * k + 2], group.points[2 * k + 3]);
        const gap = away(px, py, a, b);
        if (gap < least) [best, least] = [[group, i], gap];
      }
    }
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
  draw();
});
canvas.addEventListener("pointerup", (event) => {
  if (drag && drag.moved < 4) {
    chosen = nearest(event.offsetX, event.offsetY);
    tell();
    draw();
  }
  drag = null;
});
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  view.zoom(2 ** (-event.deltaY / 300), event.offsetX, event.offsetY);
  draw();
}, { passive: false });
canvas.addEventListener("keydown", (event) => {
  const keys = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };
  if (keys[event.key]) view.pan(...keys[event.key]);
  else if (event.key === "+") view.zoom(1.5);
  else if (event.key === "-") view.zoom(1 / 1.5);
  else if (event.key === "0") view.showAll();
  else return;
  event.preventDefault();
  draw();
});
form.addEventListener("change", draw);
form.addEventListener("click", (event) => {
  const factor = event.target.dataset.zoom;
  if (factor === undefined) return;
  if (Number(factor)) view.zoom(Number(factor));
  else view.showAll();
  draw();
});
fit();
view.showAll();
draw();
new ResizeObserver(fit).observe(canvas);
