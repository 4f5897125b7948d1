// Ways by road between two places on roads, the shortest or the fastest.

// A queue of nodes, the cheapest first; what has become cheaper is put in again.
class Queue {
  constructor() {
    [this.costs, this.nodes] = [[], []];
  }

  get size() {
    return this.nodes.length;
  }

  push(cost, node) {
    let at = this.size;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.costs[parent] <= cost) break;
      this.#set(at, this.costs[parent], this.nodes[parent]);
      at = parent;
    }
    this.#set(at, cost, node);
  }

  pop() {
    const first = [this.costs[0], this.nodes[0]];
    const [cost, node] = [this.costs.pop(), this.nodes.pop()];
    const size = this.size;
    if (!size) return first;
    let at = 0;
    for (let child = 1; child < size; child = 2 * at + 1) {
      if (child + 1 < size && this.costs[child + 1] < this.costs[child]) child++;
      if (this.costs[child] >= cost) break;
      this.#set(at, this.costs[child], this.nodes[child]);
      at = child;
    }
    this.#set(at, cost, node);
    return first;
  }

  #set(at, cost, node) {
    [this.costs[at], this.nodes[at]] = [cost, node];
  }
}

class Router {
  constructor(network) {
    this.network = network;
    this.links = null; // of each node the roads that end there, made with the first route
  }

  // Seconds along a road.
  seconds(edge) {
    const { lengths, speeds, slowest } = this.network;
    return (3.6 * lengths[edge]) / (Number.isNaN(speeds[edge]) ? slowest : speeds[edge]);
  }

  // The place on a road nearest to x, y: which share of its line lies before it, from its first node.
  place(edge, x, y) {
    const { points, starts } = this.network;
    let [walked, best, here, point] = [0, Infinity, 0, null];
    for (let i = starts[edge]; i + 1 < starts[edge + 1]; i++) {
      const [x0, y0] = [points[2 * i], points[2 * i + 1]];
      const [dx, dy] = [points[2 * i + 2] - x0, points[2 * i + 3] - y0];
      const long = Math.hypot(dx, dy);
      const along = long ? ((x - x0) * dx + (y - y0) * dy) / (long * long) : 0;
      const t = Math.max(0, Math.min(1, along));
      const distance = Math.hypot(x - x0 - t * dx, y - y0 - t * dy);
      if (distance < best) {
        [best, here, point] = [distance, walked + t * long, [x0 + t * dx, y0 + t * dy]];
      }
      walked += long;
    }
    const share = walked ? here / walked : 0;
    return { edge, share: this.#forward(edge) ? share : 1 - share, point };
  }

  // Whether a road's line begins at the first of its nodes.
  #forward(edge) {
    const { points, starts, ends, places } = this.network;
    const away = (node) => Math.hypot(points[2 * starts[edge]] - places[2 * node],
      points[2 * starts[edge] + 1] - places[2 * node + 1]);
    return away(ends[2 * edge]) <= away(ends[2 * edge + 1]);
  }

  // Whether a road may be taken with rising or falling share.
  #allows(edge, rising) {
    return !this.network.oneWay[edge] || rising === this.#forward(edge);
  }

  // The way between two places: its parts [road, share from, share to], metres and seconds; or null.
  route(from, to, byTime) {
    const cost = byTime ? (edge) => this.seconds(edge) : (edge) => this.network.lengths[edge];
    const along = from.edge === to.edge && this.#allows(to.edge, to.share >= from.share);
    const direct = along ? Math.abs(from.share - to.share) * cost(to.edge) : Infinity;
    const found = this.#search(from, to, cost, direct);
    if (found === null && direct === Infinity) return null;
    const parts = found ? this.#parts(from, to, found) : [[to.edge, from.share, to.share]];
    const sum = (of) => parts.reduce((total, [edge, a, b]) => total + Math.abs(a - b) * of(edge), 0);
    return {
      parts,
      metres: sum((edge) => this.network.lengths[edge]),
      seconds: sum((edge) => this.seconds(edge)),
      line: parts.flatMap((part) => this.#line(...part)),
    };
  }

  // How each node is reached at the least cost, until nothing cheaper than `limit` can be found.
  #search(from, to, cost, limit) {
    const { ends, nodes } = this.network;
    this.links ??= this.#links();
    const [first, roads] = this.links;
    const [costs, by] = [new Float64Array(nodes.length).fill(Infinity), new Int32Array(nodes.length)];
    const queue = new Queue();
    const reach = (node, total, edge) => {
      if (total >= costs[node]) return;
      [costs[node], by[node]] = [total, edge];
      queue.push(total, node);
    };
    const leave = (end, share) => {
      if (this.#allows(from.edge, end === 1)) reach(ends[2 * from.edge + end], share * cost(from.edge), -1);
    };
    leave(0, from.share);
    leave(1, 1 - from.share);
    let [best, side] = [limit, null];
    while (queue.size) {
      const [total, node] = queue.pop();
      if (total >= best) break;
      if (total > costs[node]) continue;
      for (const end of [0, 1]) {
        if (ends[2 * to.edge + end] !== node || !this.#allows(to.edge, end === 0)) continue;
        const whole = total + (end ? 1 - to.share : to.share) * cost(to.edge);
        if (whole < best) [best, side] = [whole, end];
      }
      for (let i = first[node]; i < first[node + 1]; i++) {
        const edge = roads[i];
        if (!this.#allows(edge, ends[2 * edge] === node)) continue;
        reach(this.#across(edge, node), total + cost(edge), edge);
      }
    }
    return side === null ? null : { side, by };
  }

  #across(edge, node) {
    const { ends } = this.network;
    return ends[2 * edge] === node ? ends[2 * edge + 1] : ends[2 * edge];
  }

  #parts(from, to, { side, by }) {
    const { ends } = this.network;
    const parts = [[to.edge, side, to.share]];
    let node = ends[2 * to.edge + side];
    while (by[node] >= 0) {
      const edge = by[node];
      const before = this.#across(edge, node);
      parts.push(ends[2 * edge] === before ? [edge, 0, 1] : [edge, 1, 0]);
      node = before;
    }
    const atFirst = ends[2 * from.edge] === node;
    const atLast = ends[2 * from.edge + 1] === node;
    // A ring is left by its nearer end, or the one to which its traffic runs.
    const nearer = this.network.oneWay[from.edge] ? Number(this.#forward(from.edge)) : Math.round(from.share);
    const end = atFirst && atLast ? nearer : Number(atLast);
    parts.push([from.edge, from.share, end]);
    return parts.reverse();
  }

  // Points [x, y] of a road from one share of its line to another, shares counting from its first node.
  #line(edge, from, to) {
    const { points, starts } = this.network;
    const own = [];
    for (let i = starts[edge]; i < starts[edge + 1]; i++) own.push([points[2 * i], points[2 * i + 1]]);
    if (!this.#forward(edge)) own.reverse();
    const walked = [0];
    for (let i = 1; i < own.length; i++) {
      walked.push(walked[i - 1] + Math.hypot(own[i][0] - own[i - 1][0], own[i][1] - own[i - 1][1]));
    }
    const [low, high] = [Math.min(from, to), Math.max(from, to)].map((s) => s * walked.at(-1));
    const at = (metres) => {
      const i = Math.max(1, walked.findIndex((known) => known >= metres));
      const t = (metres - walked[i - 1]) / (walked[i] - walked[i - 1] || 1);
      return [0, 1].map((axis) => own[i - 1][axis] + t * (own[i][axis] - own[i - 1][axis]));
    };
    const inner = own.filter((_, i) => walked[i] > low && walked[i] < high);
    const line = [at(low), ...inner, at(high)];
    return from <= to ? line : line.reverse();
  }

  #links() {
    const { ends, nodes, size } = this.network;
    const first = new Uint32Array(nodes.length + 1);
    for (let i = 0; i < 2 * size; i++) first[ends[i] + 1]++;
    for (let node = 0; node < nodes.length; node++) first[node + 1] += first[node];
    const next = first.slice();
    const roads = new Uint32Array(2 * size);
    for (let i = 0; i < 2 * size; i++) roads[next[ends[i]]++] = i >> 1;
    return [first, roads];
  }
}
