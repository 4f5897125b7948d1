// The page: everything put together once the pictures are there.

const data = JSON.parse(document.getElementById("data").textContent);
const state = { opacity: {}, selected: -1, route: null }; // the panel's switches fill in the rest
const pictures = {
  image: document.getElementById("image"),
  probability: document.getElementById("probability"),
};
const view = new View(data.extent);
const drawing = new Drawing(
  document.getElementById("map"), new Network(data), view, pictures, state,
);
const panel = new Panel(drawing, data.place);
const controls = new Controls(drawing, panel);

function start() {
  // On a phone the map comes first.
  if (window.innerWidth <= 560) document.getElementById("panel").open = false;
  drawing.resize();
  view.showAll();
  window.addEventListener("resize", () => drawing.resize());
}

Promise.all(Object.values(pictures).filter(Boolean).map((picture) => picture.decode())).finally(
  start,
);
// For anyone who wants to script the page or look into it.
window.roadMap = { drawing, controls, panel, view };
