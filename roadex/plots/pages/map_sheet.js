// Lines on a canvas of their own, larger than the window, that is painted anew when it no longer fits.

const CHUNK = 400; // lines stroked at a time
const PATIENCE_MS = 12; // what takes longer to paint is painted only when the hand rests
const ROOM = 0.25; // of the window, painted beyond each side

class Sheet {
  // `paint` draws on a context what the given view shows.
  constructor(view, paint) {
    Object.assign(this, { view, paint });
    this.canvas = document.createElement("canvas");
    this.ratio = 1; // screen pixels to a CSS pixel
    this.drawn = null; // the view that the canvas shows
    this.cost = 0; // milliseconds of the last painting
    this.moving = 0;
    this.asked = false;
  }

  // Call `draw` with the next frame; once more at rest when `moving`.
  ask(draw, moving) {
    if (moving) {
      clearTimeout(this.moving);
      this.moving = setTimeout(() => {
        this.moving = 0;
        this.ask(draw, false);
      }, 120);
    }
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      draw();
    });
  }

  repaint() {
    const started = performance.now();
    const drawn = this.view.copy();
    drawn.width += 2 * Math.ceil(drawn.width * ROOM); // whole pixels on each side, so that nothing blurs
    drawn.height += 2 * Math.ceil(drawn.height * ROOM);
    this.canvas.width = drawn.width * this.ratio;
    this.canvas.height = drawn.height * this.ratio;
    const context = this.canvas.getContext("2d");
    context.scale(this.ratio, this.ratio);
    this.paint(context, drawn);
    this.drawn = drawn;
    this.cost = performance.now() - started;
  }

  // Onto a context in CSS pixels of the window.
  show(context) {
    if (!this.#fits()) this.repaint();
    const [view, drawn] = [this.view, this.drawn];
    const factor = view.scale / drawn.scale;
    const [left, top] = view.screen(...drawn.world(0, 0));
    context.imageSmoothingEnabled = true;
    context.drawImage(this.canvas, left, top, drawn.width * factor, drawn.height * factor);
  }

  #fits() {
    const [view, drawn] = [this.view, this.drawn];
    if (!drawn) return false;
    if (this.moving && this.cost > PATIENCE_MS) return true;
    if (view.scale !== drawn.scale) return false;
    const [left, top] = drawn.screen(...view.world(0, 0));
    return left >= 0 && top >= 0 && left + view.width <= drawn.width &&
      top + view.height <= drawn.height;
  }
}

// Stroke lines by number, as the context is set up, in the given view.
function strokeLines(context, view, { points, starts }, numbers) {
  const [scale, x0, y0] = [view.scale, ...view.world(0, 0)];
  for (let i = 0; i < numbers.length; i += CHUNK) {
    context.beginPath();
    for (const line of numbers.slice(i, i + CHUNK)) {
      const first = starts[line];
      context.moveTo((points[2 * first] - x0) * scale, (points[2 * first + 1] - y0) * scale);
      for (let k = first + 1; k < starts[line + 1]; k++) {
        context.lineTo((points[2 * k] - x0) * scale, (points[2 * k + 1] - y0) * scale);
      }
    }
    context.stroke();
  }
}
