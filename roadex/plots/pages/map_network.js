// The road network: its arrays, coarser copies of its lines, and a grid to find roads by place.

const CELLS = 64; // of the grid, along the longer side

function numbers(text, Type) {
  if (Uint8Array.fromBase64) return new Type(Uint8Array.fromBase64(text).buffer);
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = letters.charCodeAt(i);
  return new Type(bytes.buffer);
}

class Network {
  constructor(data) {
    this.points = numbers(data.points, Float32Array);
    this.starts = numbers(data.starts, Uint32Array);
    this.ends = numbers(data.ends, Uint32Array);
    this.lengths = numbers(data.lengths, Float32Array);
    this.widths = numbers(data.widths, Float32Array);
    this.probabilities = numbers(data.probabilities, Float32Array);
    this.speeds = numbers(data.speeds, Float32Array); // km/h
    this.classes = data.classes; // from the most important on
    this.classRanks = numbers(data.classRanks, Float32Array); // the last of them has 0
    this.oneWay = numbers(data.oneWay, Uint8Array); // 1: it leads only as its line runs
    this.slowest = data.slowest; // km/h of a road whose speed is not known
    this.places = numbers(data.places, Float32Array);
    this.degrees = numbers(data.degrees, Uint16Array);
    this.nodes = data.nodes;
    this.tolerances = data.tolerances;
    this.size = this.lengths.length;
    this.boxes = boxesOf(this);
    this.ranks = numbers(data.ranks, Uint8Array);
    this.levels = [{ points: this.points, starts: this.starts }];
    this.grid = new Grid(this.boxes, data.extent);
  }

  // The coarsest copy that differs by no more than `tolerance` metres, made when it is first asked for.
  level(tolerance) {
    const level = this.tolerances.findLastIndex((known) => known <= tolerance) + 1;
    this.levels[level] ??= this.#coarse(level);
    return this.levels[level];
  }

  // A copy of all lines with the points of that rank or more.
  #coarse(level) {
    const { points, ranks, starts } = this;
    let size = 0;
    for (const rank of ranks) if (rank >= level) size++;
    const coarse = { points: new Float32Array(2 * size), starts: new Uint32Array(starts.length) };
    let next = 0;
    for (let edge = 0; edge < this.size; edge++) {
      for (let i = starts[edge]; i < starts[edge + 1]; i++) {
        if (ranks[i] < level) continue;
        coarse.points[2 * next] = points[2 * i];
        coarse.points[2 * next++ + 1] = points[2 * i + 1];
      }
      coarse.starts[edge + 1] = next;
    }
    return coarse;
  }

  // The road nearest to x, y within `reach` metres, or -1.
  nearest(x, y, reach) {
    return nearestLine(this, x, y, reach)[0];
  }
}

// Left, top, right and bottom of every line of flat arrays.
function boxesOf({ points, starts }) {
  const boxes = new Float32Array(4 * (starts.length - 1));
  for (let line = 0; line + 1 < starts.length; line++) {
    let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
    for (let i = starts[line]; i < starts[line + 1]; i++) {
      left = Math.min(left, points[2 * i]);
      right = Math.max(right, points[2 * i]);
      top = Math.min(top, points[2 * i + 1]);
      bottom = Math.max(bottom, points[2 * i + 1]);
    }
    boxes.set([left, top, right, bottom], 4 * line);
  }
  return boxes;
}

// The line nearest to x, y within `reach` metres, or -1, and how far it is.
function nearestLine({ points, starts, grid }, x, y, reach) {
  let [best, found] = [reach, -1];
  for (const line of grid.within(x - reach, y - reach, x + reach, y + reach)) {
    for (let i = starts[line]; i + 1 < starts[line + 1]; i++) {
      const distance = toSegment(points, i, i + 1, x, y);
      if (distance <= best) [best, found] = [distance, line];
    }
  }
  return [found, best];
}

// Distance of x, y to the straight piece between two points of a flat array.
function toSegment(points, from, to, x, y) {
  const [x0, y0] = [points[2 * from], points[2 * from + 1]];
  const [dx, dy] = [points[2 * to] - x0, points[2 * to + 1] - y0];
  const square = dx * dx + dy * dy;
  const share = square ? ((x - x0) * dx + (y - y0) * dy) / square : 0;
  const t = Math.max(0, Math.min(1, share));
  return Math.hypot(x - x0 - t * dx, y - y0 - t * dy);
}

class Grid {
  constructor(boxes, [width, height]) {
    this.boxes = boxes;
    this.step = Math.max(width, height, 1) / CELLS;
    this.columns = Math.max(1, Math.ceil(width / this.step));
    this.rows = Math.max(1, Math.ceil(height / this.step));
    this.cells = Array.from({ length: this.columns * this.rows }, () => []);
    this.seen = new Uint32Array(boxes.length / 4);
    this.query = 0;
    for (let edge = 0; edge < this.seen.length; edge++) {
      for (const cell of this.#over(...boxes.subarray(4 * edge, 4 * edge + 4))) cell.push(edge);
    }
  }

  // Roads whose box meets the given one, each once.
  within(left, top, right, bottom) {
    const [found, query] = [[], ++this.query];
    for (const cell of this.#over(left, top, right, bottom)) {
      for (const edge of cell) {
        if (this.seen[edge] === query) continue;
        this.seen[edge] = query;
        const [l, t, r, b] = this.boxes.subarray(4 * edge, 4 * edge + 4);
        if (l <= right && r >= left && t <= bottom && b >= top) found.push(edge);
      }
    }
    return found;
  }

  *#over(left, top, right, bottom) {
    const column = (x) => Math.max(0, Math.min(this.columns - 1, Math.floor(x / this.step)));
    const row = (y) => Math.max(0, Math.min(this.rows - 1, Math.floor(y / this.step)));
    for (let j = row(top); j <= row(bottom); j++) {
      for (let i = column(left); i <= column(right); i++) yield this.cells[j * this.columns + i];
    }
  }
}
