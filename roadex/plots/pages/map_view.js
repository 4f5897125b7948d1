// Which part of the world the window shows: its middle in metres and pixels per metre.

const CLOSEST = 40; // pixels per metre
const MARGIN = 1.06; // of the window, round the whole image

class View {
  constructor(extent) {
    this.extent = extent;
    this.width = this.height = 1;
    this.x = this.y = 0;
    this.scale = 1;
  }

  resize(width, height) {
    [this.width, this.height] = [Math.max(1, width), Math.max(1, height)];
    this.#bound();
  }

  get wholeScale() {
    return Math.min(this.width / this.extent[0], this.height / this.extent[1]) / MARGIN;
  }

  showAll() {
    this.scale = this.wholeScale;
    [this.x, this.y] = [this.extent[0] / 2, this.extent[1] / 2];
  }

  // Zoom so that the place under the pixel stays under it.
  zoom(factor, px = this.width / 2, py = this.height / 2) {
    const [x, y] = this.world(px, py);
    this.scale *= factor;
    this.#bound();
    this.x = x - (px - this.width / 2) / this.scale;
    this.y = y - (py - this.height / 2) / this.scale;
    this.#bound();
  }

  pan(dx, dy) {
    this.x -= dx / this.scale;
    this.y -= dy / this.scale;
    this.#bound();
  }

  world(px, py) {
    return [
      this.x + (px - this.width / 2) / this.scale,
      this.y + (py - this.height / 2) / this.scale,
    ];
  }

  screen(x, y) {
    return [
      (x - this.x) * this.scale + this.width / 2,
      (y - this.y) * this.scale + this.height / 2,
    ];
  }

  copy() {
    return Object.assign(new View(this.extent), this);
  }

  // The middle stays on the image; no further out than half of the whole, no closer than makes sense.
  #bound() {
    const closest = Math.max(CLOSEST, this.wholeScale);
    this.scale = Math.max(this.wholeScale / 2, Math.min(closest, this.scale));
    this.x = Math.max(0, Math.min(this.extent[0], this.x));
    this.y = Math.max(0, Math.min(this.extent[1], this.y));
  }
}
