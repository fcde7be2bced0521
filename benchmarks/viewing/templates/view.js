// The case: names and colours as they are, voxels of 8 bits compressed.
const facts = JSON.parse(document.getElementById("case").textContent);
const VIEWS = [["Planes", 3], ["Axial", 0], ["Coronal", 1], ["Sagittal", 2], ["3D", 4]];
const RADIOLOGICAL = {
  isRadiologicalConvention: true, backColor: [0, 0, 0, 1], fontColor: [0.75, 0.75, 0.75, 1],
  crosshairColor: [0.9, 0.9, 0.9, 0.5], crosshairWidth: innerWidth < 700 ? 1 : 0.4,
  crosshairWidthUnit: "percent", crosshairGap: 6, loadingText: "", logLevel: "silent",
  dragAndDropEnabled: false, clipPlaneHotKey: "", cycleClipPlaneHotKey: "", viewModeHotKey: "",
  multiplanarShowRender: 0, // 3D is a view of its own: drawn without a graphics card it takes seconds
  isNearestInterpolation: false, dragMode: 3,
};
const LABELS = 1002; // NIfTI's code of values that are names, between which nothing is interpolated
const [columns, rows, depth] = facts.shape;
const chosen = {
  contrast: facts.first, view: facts.flat ? 1 : 0, opacity: 60, hidden: false,
  regions: new Set(facts.regions.map((region) => region.name)),
};
const panels = [];
let scans, masks;

const bytes = (base64) => Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
const header = bytes(facts.header);
const millimetres = new DataView(header.buffer);
const [across, down, high] = [80, 84, 88].map((place) => millimetres.getFloat32(place, true));

async function unpacked(base64) {
  const plain = new Blob([bytes(base64)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(plain).arrayBuffer());
}

function node(name, attributes = {}, ...content) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...content);
  return made;
}

function swatch(colour) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const box = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  svg.setAttribute("class", "swatch");
  svg.setAttribute("aria-hidden", "true");
  for (const [key, value] of Object.entries({ width: "100%", height: "100%", rx: 3, fill: colour })) {
    box.setAttribute(key, value);
  }
  svg.append(box);
  return svg;
}

// Layers: what a panel may lay over the scan, each with its voxels and the colours of their values.
function regionColours() {
  const table = {};
  for (const region of facts.regions) {
    if (chosen.regions.has(region.name)) for (const value of region.values) table[value] = region.colour;
  }
  return table; // the innermost region that is shown colours a voxel
}

function isIn(region) {
  const table = new Uint8Array(256);
  for (const value of region.values) table[value] = 1;
  return table;
}

function errorsOf(mask, region) {
  const [truth, guess, inside] = [masks[0], masks[mask], isIn(region)];
  const found = new Uint8Array(truth.length);
  for (let i = 0; i < found.length; i++) {
    const [t, g] = [inside[truth[i]], inside[guess[i]]];
    found[i] = t ? (g ? 1 : 2) : g * 3;
  }
  return found;
}

function differing(region) {
  const [inside, first] = [isIn(region), facts.reference ? 1 : 0];
  const found = new Uint8Array(masks[0].length);
  for (let i = 0; i < found.length; i++) {
    let count = 0;
    for (let m = first; m < masks.length; m++) count += inside[masks[m][i]];
    found[i] = count === 0 ? 0 : count === masks.length - first ? 1 : 2;
  }
  return found;
}

function layers() {
  const { found, missed, "made up": madeUp } = facts.errors;
  const all = [{ group: "", name: "No layer", voxels: () => masks[0] ?? scans[0], colours: () => ({}) }];
  facts.layers.forEach((name, m) => {
    all.push({ group: "Masks", name, voxels: () => masks[m], colours: regionColours });
  });
  const guesses = facts.layers.map((name, m) => [name, m]).slice(facts.reference ? 1 : 0);
  const legend = [["found", found], ["missed", missed], ["made up", madeUp]];
  for (const [name, m] of facts.reference ? guesses : []) {
    for (const region of facts.regions) {
      all.push({ group: "Errors against the reference", name: `${name}: errors in ${region.name}`, legend,
        voxels: () => errorsOf(m, region), colours: () => ({ 1: found, 2: missed, 3: madeUp }) });
    }
  }
  const shares = [["all masks", found], ["some of them", missed]];
  for (const region of guesses.length > 1 ? facts.regions : []) {
    all.push({ group: "Where masks differ", name: `Masks that differ in ${region.name}`, legend: shares,
      voxels: () => differing(region), colours: () => ({ 1: found, 2: missed }) });
  }
  return all;
}
const choices = layers();

function lookup(colours) {
  const part = (place) => Array.from({ length: 256 }, (_, value) =>
    value in colours ? parseInt(colours[value].slice(place, place + 2), 16) : 0);
  const alpha = Array.from({ length: 256 }, (_, value) => (value in colours ? 255 : 0));
  const names = Array.from({ length: 256 }, String);
  return { R: part(1), G: part(3), B: part(5), A: alpha, labels: names };
}

// Panels: each a viewer of its own; they show the same place, and each its own layer.
class Panel {
  constructor(place) {
    this.place = place;
    this.select = node("select", { "aria-label": place ? "Layer of the second panel" : "Layer" });
    const groups = new Map();
    choices.forEach((choice, index) => {
      const option = node("option", { value: index }, choice.name);
      if (!choice.group) this.select.append(option);
      else if (groups.has(choice.group)) groups.get(choice.group).append(option);
      else {
        groups.set(choice.group, node("optgroup", { label: choice.group }, option));
        this.select.append(groups.get(choice.group));
      }
    });
    this.select.addEventListener("change", () => this.draw());
    this.canvas = node("canvas", { tabindex: "0", role: "img", "aria-label": "The scan" });
    this.errors = node("ul", { class: "errors" });
    const screen = node("div", { class: "screen" }, this.canvas);
    this.box = node("div", { class: "panel" }, this.select, screen, this.errors);
    document.getElementById("panels").append(this.box);
  }

  get layer() { return choices[this.select.value]; }

  async open(layer) {
    this.select.value = Math.min(layer, choices.length - 1);
    this.viewer = new niivue.Niivue({ ...RADIOLOGICAL, sliceType: VIEWS[chosen.view][1] });
    await this.viewer.attachToCanvas(this.canvas);
    this.scan = await this.image("scan.nii", scans[chosen.contrast], "gray");
    this.mask = await this.image("mask.nii", this.layer.voxels(), "");
    this.mask.hdr.intent_code = LABELS;
    this.dress();
    this.viewer.addVolume(this.scan);
    this.viewer.addVolume(this.mask);
    this.viewer.onLocationChange = tell;
  }

  image(name, voxels, colours) {
    const file = new Uint8Array(header.length + voxels.length);
    file.set(header);
    file.set(voxels, header.length);
    return niivue.NVImage.new(file.buffer, name, colours, 1, null, 0, 255);
  }

  dress() {
    const { layer } = this;
    this.scan.img = scans[chosen.contrast];
    if (this.drawn !== layer) this.mask.img = layer.voxels();
    this.drawn = layer;
    this.mask.setColormapLabel(lookup(layer.colours()));
    this.mask.opacity = chosen.hidden ? 0 : chosen.opacity / 100;
    const shown = layer.legend ?? [];
    this.errors.replaceChildren(...shown.map(([name, colour]) => node("li", {}, swatch(colour), name)));
    const told = [facts.contrasts[chosen.contrast], layer.name, VIEWS[chosen.view][0]];
    this.canvas.setAttribute("aria-label", told.join(", "));
  }

  draw() {
    if (!this.mask || this.box.hidden) return;
    this.dress();
    this.viewer.opts.sliceType = VIEWS[chosen.view][1];
    this.viewer.updateGLVolume();
  }
}

const drawAll = () => panels.forEach((panel) => panel.draw());

const voxelAt = (mm) => [-mm[0] / across, -mm[1] / down, mm[2] / high].map(Math.round);
const millimetresOf = ([x, y, z]) => [-across * x, -down * y, high * z];

function tell({ mm }) {
  const [x, y, z] = voxelAt(mm);
  if (x < 0 || y < 0 || z < 0 || x >= columns || y >= rows || z >= depth) return;
  const place = x + columns * (y + rows * z);
  const names = (value) => facts.regions.filter((one) => one.values.includes(value)).map((one) => one.name);
  const inside = masks.map((mask, m) => `${facts.layers[m]}: ${names(mask[place]).join(", ") || "none"}`);
  const told = [`Slice ${z + 1} of ${depth}, row ${y + 1}, column ${x + 1}`, ...inside];
  document.getElementById("where").textContent = told.join(" · ");
}

function go(place) {
  const mm = millimetresOf(place);
  for (const { viewer } of panels) {
    viewer.scene.crosshairPos = viewer.mm2frac(mm);
    viewer.drawScene();
  }
  tell({ mm });
}

async function beside(wanted) {
  if (wanted && panels.length < 2) {
    panels.push(new Panel(1));
    const [first, added] = panels;
    await added.open(facts.layers.length > 1 ? 2 : 0);
    first.viewer.broadcastTo([added.viewer]);
    added.viewer.broadcastTo([first.viewer]);
    first.viewer.doSync2d(added.viewer);
    added.viewer.drawScene();
  }
  const [, second] = panels;
  if (second && second.box.hidden === wanted) {
    second.box.hidden = !wanted;
    second.draw();
  }
  document.getElementById("beside").setAttribute("aria-pressed", String(wanted));
}

const isBeside = () => document.getElementById("beside").getAttribute("aria-pressed") === "true";

// Controls: each changes what is chosen, then everything is drawn.
function radios(id, names, key) {
  const box = node("span");
  names.forEach((name, place) => {
    const input = node("input", { type: "radio", name: id, id: `${id}-${place}`, value: place });
    input.checked = place === chosen[key];
    input.addEventListener("change", () => { chosen[key] = place; drawAll(); });
    box.append(input, node("label", { for: input.id }, name));
  });
  document.getElementById(id).append(box);
}

function choose(id, place) {
  const input = document.getElementById(`${id}-${place}`);
  if (input) input.click();
}

function regionBoxes() {
  const box = node("span");
  for (const { name, colour } of facts.regions) {
    const input = node("input", { type: "checkbox" });
    input.checked = true;
    input.addEventListener("change", () => {
      if (input.checked) chosen.regions.add(name); else chosen.regions.delete(name);
      drawAll();
    });
    box.append(node("label", {}, input, swatch(colour), name));
  }
  document.getElementById("regions").append(box);
  document.getElementById("regions").hidden = !facts.layers.length;
}

const slider = document.getElementById("opacity");
slider.addEventListener("input", () => { chosen.opacity = Number(slider.value); drawAll(); });
slider.parentNode.hidden = !facts.layers.length;
document.getElementById("beside").addEventListener("click", () => beside(!isBeside()));

function step(by) {
  const [{ viewer }] = panels;
  const [x, y, z] = voxelAt(viewer.frac2mm(viewer.scene.crosshairPos));
  go([x, y, Math.min(Math.max(z + by, 0), depth - 1)]);
}

function cycle(panel) {
  if (!panel) return;
  panel.select.value = (Number(panel.select.value) + 1) % choices.length;
  panel.draw();
}

function fade(by) {
  slider.value = Number(slider.value) + by;
  slider.dispatchEvent(new Event("input"));
}

const KEYS = {
  v: () => choose("views", (chosen.view + 1) % VIEWS.length),
  m: () => cycle(panels[0]), M: () => cycle(isBeside() ? panels[1] : null),
  h: () => { chosen.hidden = !chosen.hidden; drawAll(); },
  b: () => beside(!isBeside()), j: () => step(-1), k: () => step(1), t: () => themeButton.click(),
  "+": () => fade(10), "-": () => fade(-10),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.tagName === "SELECT") return;
  const digit = Number(event.key);
  if (digit >= 1) choose("contrasts", digit - 1);
  else if (event.key in KEYS && panels[0]?.mask) KEYS[event.key]();
  else return;
  event.preventDefault();
}, true);

async function start() {
  radios("contrasts", facts.contrasts, "contrast");
  radios("views", VIEWS.map(([name]) => name), "view");
  regionBoxes();
  const voxels = await Promise.all(facts.voxels.map(unpacked));
  scans = voxels.slice(0, facts.contrasts.length);
  masks = voxels.slice(facts.contrasts.length);
  panels.push(new Panel(0));
  await panels[0].open(1);
  await beside(facts.layers.length > 1 && innerWidth >= 900);
  go(facts.start);
  document.documentElement.dataset.ready = "yes";
}

start().catch((error) => {
  const reason = /webgl/i.test(error.message) ? "this browser has no WebGL 2" : error.message;
  document.getElementById("panels").replaceChildren();
  document.getElementById("where").textContent = `The scan can't be drawn: ${reason}. The figures below are complete.`;
  document.documentElement.dataset.ready = "no";
});
