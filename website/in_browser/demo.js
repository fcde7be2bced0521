// The demo: a slice of a phantom, its reference, and what the network says of it, computed in this page.
"use strict";

(() => {
  const folder = new URL(".", document.currentScript.src).href;
  const facts = JSON.parse(document.getElementById("demo-facts").textContent);
  const [rows, columns] = facts.size;
  const [pixels, channels] = [rows * columns, facts.channels.length];
  const part = (name) => document.getElementById(`demo-${name}`);
  const show = (name, text) => { part(name).textContent = text; };
  const chosen = (name) => Number(document.querySelector(`#demo [name=${name}]:checked`).value);
  const phantoms = new Map(); // what was loaded, by its place in the list
  let network = null; // a promise of a function from voxels to probabilities, once it was asked for
  let turn = 0; // of drawing: what was overtaken by a newer one is thrown away

  async function fetched(name) {
    const answer = await fetch(folder + name);
    if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
    return answer.arrayBuffer();
  }

  // A file holds all slices' voxels, then Keras' probabilities, then the reference.
  async function read(place) {
    const bytes = await fetched(facts.files[place]);
    const count = facts.phantoms[place].slices.length * pixels;
    return {
      voxels: new Int16Array(bytes, 0, count * channels),
      expected: new Float32Array(bytes, 2 * count * channels, count),
      reference: new Uint8Array(bytes, (2 * channels + 4) * count, count),
    };
  }

  function loaded(place) {
    if (!phantoms.has(place)) phantoms.set(place, read(place));
    return phantoms.get(place);
  }

  const of = (all, slice, width = 1) => all.subarray(slice * pixels * width, (slice + 1) * pixels * width);

  // What the network takes: whole numbers times a scale a channel, in float32, as the data pipeline has it.
  function input(voxels, scales) {
    const image = new Float32Array(voxels.length);
    for (let i = 0; i < image.length; i++) image[i] = voxels[i] * scales[i % channels];
    return image;
  }

  function script(address) {
    return new Promise((resolve, reject) => {
      const made = document.createElement("script");
      made.src = address;
      made.onload = resolve;
      made.onerror = () => reject(new Error("the runtime could not be loaded"));
      document.head.append(made);
    });
  }

  async function start() {
    await script(`${folder}ort.wasm.min.js`);
    ort.env.wasm.numThreads = 1;
    ort.env.wasm.wasmPaths = folder;
    const session = await ort.InferenceSession.create(await fetched(facts.network));
    const run = async (image) => {
      const given = new ort.Tensor("float32", image, [1, rows, columns, channels]);
      const answer = await session.run({ [session.inputNames[0]]: given });
      return answer[session.outputNames[0]].data;
    };
    await run(new Float32Array(pixels * channels)); // the first call takes longer than all others
    return run;
  }

  // 0 neither, 1 found, 2 missed, 3 made up.
  function errors(reference, found) {
    return reference.map((truth, i) => (truth ? (found[i] ? 1 : 2) : found[i] && 3));
  }

  function dice(kinds) {
    const count = [0, 0, 0, 0];
    for (const kind of kinds) count[kind]++;
    const size = 2 * count[1] + count[2] + count[3];
    return size ? (2 * count[1]) / size : 1;
  }

  function layer(paint) {
    const made = new OffscreenCanvas(columns, rows);
    const context = made.getContext("2d");
    const image = context.createImageData(columns, rows);
    for (let i = 0; i < pixels; i++) image.data.set(paint(i), 4 * i);
    context.putImageData(image, 0, 0);
    return made;
  }

  const COLOURS = Object.values(facts.errors).map((text) =>
    [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16)));

  function draw(name, grey, kinds) {
    const canvas = part(name);
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.imageSmoothingEnabled = true;
    context.drawImage(grey, 0, 0, canvas.width, canvas.height);
    if (!kinds) return;
    const mask = layer((i) => (kinds[i] ? [...COLOURS[kinds[i] - 1], 150] : [0, 0, 0, 0]));
    context.imageSmoothingEnabled = false;
    context.drawImage(mask, 0, 0, canvas.width, canvas.height);
  }

  function scan(voxels, channel, [low, high]) {
    return layer((i) => {
      const value = voxels[i * channels + channel];
      const level = value ? (255 * (value - low)) / (high - low) : 0; // outside the head all is zero
      return [level, level, level, 255];
    });
  }

  function described(kinds) {
    const count = [0, 0, 0, 0];
    for (const kind of kinds) count[kind]++;
    return `${count[1]} pixels of the tumour found, ${count[2]} missed, ${count[3]} made up`;
  }

  function empty() {
    for (const name of ["dice-here", "pixels-here", "difference", "time"]) show(name, "–");
    part("answer").setAttribute("aria-label", "Network: has not answered yet");
  }

  // Draws what is chosen; where the network is there, asks it.
  async function update() {
    const mine = ++turn;
    const [place, slice, contrast] = [chosen("phantom"), Number(part("slice").value), chosen("contrast")];
    const phantom = facts.phantoms[place];
    const known = phantom.slices[slice];
    show("where", `${known.number + 1} of ${phantom.depth}`);
    part("slice").setAttribute("aria-valuetext", `slice ${known.number + 1} of ${phantom.depth}`);
    const data = await loaded(place);
    const run = network && (await network);
    if (mine !== turn) return;
    const [voxels, reference] = [of(data.voxels, slice, channels), of(data.reference, slice)];
    const grey = scan(voxels, contrast, phantom.windows[contrast]);
    draw("reference", grey, reference);
    const size = reference.reduce((sum, truth) => sum + truth, 0);
    part("reference").setAttribute("aria-label", `Reference: ${size} pixels of tumour`);
    show("dice-python", known.dice.toFixed(4));
    show("pixels-python", known.pixels);
    if (!run) {
      draw("answer", grey, null);
      empty();
      show("told", "Press Segment, and the network draws its mask.");
      return;
    }
    const image = input(voxels, phantom.scales);
    const began = performance.now();
    const answer = await run(image);
    const took = performance.now() - began;
    if (mine !== turn) return;
    const found = Uint8Array.from(answer, (probability) => probability >= facts.threshold);
    const expected = of(data.expected, slice);
    const difference = answer.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i])), 0);
    const kinds = errors(reference, found);
    draw("answer", grey, kinds);
    part("answer").setAttribute("aria-label", `Network: ${described(kinds)}`);
    show("dice-here", dice(kinds).toFixed(4));
    show("pixels-here", found.reduce((sum, one) => sum + one, 0));
    show("difference", `${difference.toExponential(1)} (limit ${facts.limit.toExponential(0)})`);
    show("time", `${took.toFixed(1)} ms`);
    const same = difference <= facts.limit ? "the same as Keras within the limit" : "not what Keras says";
    document.getElementById("demo").dataset.shown = `${place}/${slice}/${contrast}`;
    show("told", `Dice ${dice(kinds).toFixed(3)} in ${took.toFixed(0)} ms; ${same}.`);
  }

  function failed(error) {
    const reason = location.protocol === "file:"
      ? "a page opened as a file may load nothing; serve the site's folder, for instance by python3 -m http.server"
      : error.message || String(error);
    show("told", `The network can't run here: ${reason}.`);
  }

  const refresh = () => update().catch(failed);

  function segment() {
    if (!network) {
      show("told", `Loading the runtime, ${facts.megabytes} …`);
      network = start();
      network.then(() => show("run", "Segment again"), () => { network = null; });
    }
    refresh();
  }

  document.getElementById("demo").hidden = false;
  document.getElementById("demo").addEventListener("input", refresh);
  part("run").addEventListener("click", segment);
  if (typeof WebAssembly === "undefined") failed(new Error("this browser has no WebAssembly"));
  else refresh();
})();
