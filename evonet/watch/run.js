const svgElement = (name, attributes = {}, text = "") => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.textContent = text;
  return element;
};
const finite = (values) => values.filter((value) => value !== null && value !== undefined);
const ticks = (low, high, most) => {
  const rough = (high - low) / most || 1, unit = 10 ** Math.floor(Math.log10(rough));
  const step = unit * [1, 2, 2.5, 5, 10].find((factor) => factor * unit >= rough);
  const found = [];
  for (let at = Math.ceil(low / step) * step; at <= high + 1e-9 * step; at += step) found.push(Math.abs(at) < 1e-9 * step ? 0 : at);
  return found;
};
// An empty drawing as large as its place, so that lettering keeps its size, and the functions from values to pixels.
const plane = (figure, x, y, { left = 52, bottom = 44, right = 10, top = 8 } = {}) => {
  const svg = byId(figure).querySelector("svg"), { width, height } = svg.getBoundingClientRect();
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.replaceChildren();
  const scale = ([low, high], from, to) => (value) => from + ((value - low) / (high - low || 1)) * (to - from);
  return { svg, width, height, left, bottom: height - bottom, right: width - right, top, x: scale(x, left, width - right), y: scale(y, height - bottom, top) };
};
const axes = (drawing, x, y, label, most = 6) => {
  const { svg, left, right, bottom } = drawing;
  for (const at of ticks(y[0], y[1], 5)) {
    svg.append(svgElement("line", { class: "axis", x1: left, x2: right, y1: drawing.y(at), y2: drawing.y(at) }));
    svg.append(svgElement("text", { x: left - 7, y: drawing.y(at) + 4, "text-anchor": "end" }, short(at)));
  }
  svg.append(svgElement("text", { x: (left + right) / 2, y: bottom + 38, "text-anchor": "middle" }, label));
  const room = Math.max(2, Math.min(most, Math.floor((right - left) / 70)));
  for (const at of ticks(x[0], x[1], room)) svg.append(svgElement("text", { x: drawing.x(at), y: bottom + 19, "text-anchor": "middle" }, short(at)));
};

const key = (entries) => byId("learning-key").replaceChildren(...entries.map(([text, colour, stroke]) => {
  const span = document.createElement("span");
  span.textContent = text;
  span.style.setProperty("--colour", `var(--${colour})`);
  if (stroke) span.style.setProperty("--stroke", stroke);
  return span;
}));
const tell = (text, x, y) => {
  const tip = byId("tip");
  tip.textContent = text;
  tip.hidden = false;
  tip.style.left = `${Math.max(4, Math.min(x + 14, innerWidth - tip.offsetWidth - 6))}px`;
  tip.style.top = `${Math.max(4, y - tip.offsetHeight - 12)}px`;
};
let shown = null; // the state that is on the page
const drawLearning = ({ curves, target }) => {
  const { generation, best, mean, median, lower_quartile: lower, upper_quartile: upper, validation_mean: validation } = curves;
  const bounds = finite([...best, ...median, ...lower, ...validation, target]);
  if (!generation.length || !bounds.length) return;
  const margin = 0.06 * (Math.max(...bounds) - Math.min(...bounds)) || 1;
  const x = [generation[0], Math.max(generation.at(-1), generation[0] + 1)], y = [Math.min(...bounds) - margin, Math.max(...bounds) + margin];
  const drawing = plane("learning", x, y), { svg } = drawing;
  axes(drawing, x, y, "generation");
  const inside = (value) => drawing.y(Math.max(y[0], Math.min(y[1], value)));
  const point = (i, values) => `${drawing.x(generation[i]).toFixed(1)},${inside(values[i]).toFixed(1)}`;
  const known = (values) => generation.map((_, i) => i).filter((i) => values[i] !== null);
  const rows = known(lower);
  if (rows.length > 1) svg.append(svgElement("polygon", { class: "band", points: [...rows.map((i) => point(i, upper)), ...rows.toReversed().map((i) => point(i, lower))].join(" ") }));
  if (target !== null) svg.append(svgElement("line", { class: "curve target", x1: drawing.left, x2: drawing.right, y1: drawing.y(target), y2: drawing.y(target) }));
  const curve = (values, name) => {
    const places = known(values);
    if (places.length === 1) svg.append(svgElement("circle", { class: `curve ${name}`, cx: drawing.x(generation[places[0]]), cy: inside(values[places[0]]), r: 3 }));
    else svg.append(svgElement("polyline", { class: `curve ${name}`, points: places.map((i) => point(i, values)).join(" ") }));
  };
  curve(mean, "mean");
  curve(best, "best");
  curve(validation, "validation");
  key([["best in training", "positive"], ["mean", "muted"], ["champion in validation", "negative", "dashed"], ...(target === null ? [] : [[`target ${number(target)}`, "target", "dotted"]])]);
  svg.onpointermove = (event) => {
    const at = event.clientX - svg.getBoundingClientRect().left;
    const i = generation.reduce((near, value, place) => (Math.abs(drawing.x(value) - at) < Math.abs(drawing.x(generation[near]) - at) ? place : near), 0);
    tell(`generation ${number(generation[i])}\nbest ${number(best[i])}\nmean ${number(mean[i])}\nmiddle half ${number(lower[i])} to ${number(upper[i])}\nvalidation ${number(validation[i])}`, event.clientX, event.clientY);
  };
  svg.onpointerleave = () => { byId("tip").hidden = true; };
};

const drawPopulation = (population) => {
  if (!population) return;
  const { counts, low, high, size, failed, generation } = population, most = Math.max(...counts);
  const x = low === high ? [low - 1, high + 1] : [low, high], drawing = plane("population", x, [0, most], { left: 34 });
  axes(drawing, x, [0, most], "fitness", 4);
  const width = (drawing.right - drawing.left) / counts.length;
  counts.forEach((count, i) => {
    if (count) drawing.svg.append(svgElement("rect", { class: "bar", x: drawing.left + i * width + 0.5, width: Math.max(1, width - 1), y: drawing.y(count), height: drawing.bottom - drawing.y(count) }));
  });
  setText("population-caption", `Fitness of the ${number(size)} individuals of generation ${number(generation)}${failed ? `; ${number(failed)} could not be scored` : ""}.`);
};

const drawIslands = (islands) => {
  byId("islands").hidden = !islands.length;
  if (!islands.length) return;
  const all = finite(islands.flat()), x = [Math.min(...all), Math.max(...all)];
  const drawing = plane("islands", x[0] === x[1] ? [x[0] - 1, x[1] + 1] : x, [0, 1], { left: 30 }), { svg, top, bottom } = drawing;
  for (const at of ticks(x[0], x[1], 4)) svg.append(svgElement("text", { x: drawing.x(at), y: bottom + 19, "text-anchor": "middle" }, short(at)));
  svg.append(svgElement("text", { x: (drawing.left + drawing.right) / 2, y: bottom + 38, "text-anchor": "middle" }, "fitness"));
  const room = (bottom - top) / islands.length;
  islands.forEach((spread, i) => {
    const y = top + (i + 0.5) * room, half = Math.min(9, 0.35 * room);
    svg.append(svgElement("text", { x: 22, y: y + 4, "text-anchor": "end" }, String(i)));
    if (!spread.length) return;
    const [least, lower, median, upper, greatest] = spread.map(drawing.x);
    svg.append(svgElement("line", { class: "whisker", x1: least, x2: greatest, y1: y, y2: y }));
    svg.append(svgElement("rect", { class: "box", x: lower, width: Math.max(1, upper - lower), y: y - half, height: 2 * half }));
    svg.append(svgElement("line", { class: "median", x1: median, x2: median, y1: y - half, y2: y + half }));
  });
};

// Cells or points of the archive, the darker the fitter; a click plays the elite's episode.
let drawnArchive = "";
const drawArchive = (archive) => {
  byId("archive").hidden = !archive;
  if (!archive) return;
  const { axes: names, spans, size, elites, low, high, filled, cells, qd_score: score, generation, chosen } = archive;
  const now = [generation, chosen, innerWidth].join();
  if (now === drawnArchive) return; // the pointer may be on it
  drawnArchive = now;
  const drawing = plane("archive", spans[0], spans[1], { left: 68 }), { svg } = drawing;
  axes(drawing, spans[0], spans[1], names[0], 5);
  const middle = (drawing.top + drawing.bottom) / 2;
  svg.append(svgElement("text", { x: 12, y: middle, transform: `rotate(-90 12 ${middle})`, "text-anchor": "middle" }, names[1]));
  const width = drawing.right - drawing.left, height = drawing.bottom - drawing.top;
  for (const [x, y, fitness, row] of elites) {
    const share = high > low ? Math.max(0, Math.min(1, (fitness - low) / (high - low))) : 1;
    const cx = drawing.left + x * width, cy = drawing.bottom - y * height;
    const shape = size ? { x: cx - (size[0] * width) / 2, y: cy - (size[1] * height) / 2, width: size[0] * width, height: size[1] * height } : { cx, cy, r: 4 };
    svg.append(svgElement(size ? "rect" : "circle", { class: row === chosen ? "elite chosen" : "elite", "data-row": row, "data-x": x, "data-y": y, "data-fitness": fitness, "fill-opacity": (0.08 + 0.92 * share).toFixed(3), ...shape }));
  }
  const mark = svg.querySelector(".chosen");
  if (mark) svg.append(mark); // its border is above its neighbours
  const at = (i, share) => number(spans[i][0] + Number(share) * (spans[i][1] - spans[i][0]), 3);
  svg.onpointermove = ({ target, clientX, clientY }) => {
    const { row, x, y, fitness } = target.dataset;
    if (row === undefined) byId("tip").hidden = true;
    else tell(`${names[0]} ${at(0, x)}\n${names[1]} ${at(1, y)}${names[1] === "fitness" ? "" : `\nfitness ${number(Number(fitness))}`}`, clientX, clientY);
  };
  svg.onpointerleave = () => { byId("tip").hidden = true; };
  svg.onclick = async ({ target }) => {
    const { row } = target.dataset;
    if (row === undefined || !shown.plays) return;
    player.hurry();
    await fetch(Number(row) === chosen ? "play" : `play?row=${row}`, { cache: "no-store" });
  };
  const share = cells ? ` in ${number(cells)} cells (${(100 * filled / cells).toFixed(1)} %)` : "";
  const click = shown.plays ? " A click plays an elite's episode; a click on the same one, the champion's again." : "";
  setText("archive-caption", `${number(filled)} elites${share}, QD score ${number(score)}; darker: fitter, from ${number(low)} to ${number(high)}.${click}`);
};

const drawNetwork = (network) => {
  if (!network) return;
  const { layers, connections, sizes, genes, individual, generation } = network;
  const svg = byId("network").querySelector("svg"), { width, height } = svg.getBoundingClientRect();
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.replaceChildren();
  const letters = (layer) => Math.min(0.4 * width, 14 + 7.2 * Math.max(0, ...layer.map((name) => name.length)));
  const left = letters(layers[0]), right = width - letters(layers[2]), columns = [left, (left + right) / 2, right];
  const place = (layer, i) => [columns[layer], (height * (i + 0.5)) / layers[layer].length];
  const strongest = Math.max(1e-12, ...connections.map(([, , , , weight]) => Math.abs(weight)));
  for (const [sourceLayer, source, targetLayer, target, weight] of connections) {
    const [x1, y1] = place(sourceLayer, source), [x2, y2] = place(targetLayer, target), share = Math.abs(weight) / strongest;
    svg.append(svgElement("line", { x1, y1, x2, y2, stroke: `var(--${weight >= 0 ? "positive" : "negative"})`, "stroke-opacity": 0.25 + 0.65 * share, "stroke-width": Math.max(0.3, 5 * share), "stroke-linecap": "round" }));
  }
  const radius = Math.min(9, (0.42 * height) / Math.max(...layers.map((layer) => layer.length)));
  layers.forEach((names, layer) => names.forEach((name, i) => {
    const [cx, cy] = place(layer, i);
    svg.append(svgElement("circle", { class: "neuron", cx, cy, r: radius }));
    if (layer === 0) svg.append(svgElement("text", { class: "strong", x: cx - 14, y: cy + 4, "text-anchor": "end" }, name));
    if (layer === 2) svg.append(svgElement("text", { class: "strong", x: cx + 14, y: cy + 4 }, name));
  }));
  const whole = sizes.join("-"), drawn = layers.map((layer) => layer.length).join("-");
  setText("network-caption", `Individual ${number(individual)}, champion since generation ${number(generation)}: ${whole}, ${number(genes)} genes${whole === drawn ? "" : `; the strongest ${drawn} are drawn`}. Blue: positive weights, orange: negative, wider: stronger.`);
};

// The episode of the champion or of a chosen elite: pictures come while it is rendered, are played at its own speed, and again from the start.
const player = (() => {
  const canvas = byId("player").querySelector("canvas"), context = canvas.getContext("2d");
  let playing = null, coming = null, at = 0, due = 0, hurried = 0;
  const draw = () => {
    const picture = playing.pictures[at];
    if (!picture.complete || !picture.naturalWidth) return false;
    if (canvas.width !== picture.naturalWidth || canvas.height !== picture.naturalHeight) [canvas.width, canvas.height] = [picture.naturalWidth, picture.naturalHeight];
    context.drawImage(picture, 0, 0);
    const { shows, individual, every, over, ended } = playing, last = at === playing.pictures.length - 1;
    setText("caption", `Individual ${number(individual)}, ${shows} · step ${number(at * every)} · return ${number(playing.totals[at])}${over && last ? (ended ? " · the end" : " · only the first half minute is shown") : ""}`);
    return true;
  };
  const tick = (now) => {
    requestAnimationFrame(tick);
    if (!playing || now < due) return;
    if (at >= playing.pictures.length && now - due > 2500) at = 0; // no more pictures came: once more from the start
    if (at >= playing.pictures.length || !draw()) return;
    at += 1;
    due = Math.max(due + 1000 / playing.fps, now - 200);
    if (at === playing.pictures.length && playing.over) {
      if (coming && coming.over) [playing, coming] = [coming, null];
      at = 0;
      due = now + 1200;
    }
  };
  requestAnimationFrame(tick);
  const add = async (clip, entry) => {
    const answer = await fetch(`pictures?clip=${entry.number}&from=${clip.pictures.length}`, { cache: "no-store" });
    const { pictures, totals } = await answer.json();
    if (pictures === null) return false;
    pictures.forEach((data, i) => {
      const picture = new Image();
      picture.src = `data:image/jpeg;base64,${data}`;
      clip.pictures.push(picture);
      clip.totals.push(totals[i]);
    });
    return pictures.length > 0;
  };
  const follow = async (entry) => {
    if (!entry) return;
    setText("playing", entry.shows.startsWith("elite") ? "The chosen elite plays" : "The newest champion plays");
    canvas.hidden = Boolean(entry.problem) && !(playing && playing.pictures.length);
    if (!playing || !playing.pictures.length) setText("caption", entry.problem ? `The episode is not shown: ${entry.problem}` : "The episode is being rendered …");
    const fresh = () => ({ number: entry.number, pictures: [], totals: [] });
    if (!playing || (hurried && playing.number === hurried && entry.number !== hurried)) [playing, coming, at, hurried] = [fresh(), null, 0, 0];
    if (playing.number !== entry.number && (!coming || coming.number !== entry.number)) coming = fresh();
    const clip = playing.number === entry.number ? playing : coming;
    const { shows, individual, every, fps, ended } = entry;
    Object.assign(clip, { shows, individual, every, fps, ended });
    while (clip.pictures.length < entry.pictures && await add(clip, entry));
    clip.over = entry.over && clip.pictures.length >= entry.pictures;
    if (clip === coming && clip.over && !playing.pictures.length && clip.pictures.length) [playing, coming, at] = [coming, null, 0];
  };
  const hurry = () => { hurried = playing ? playing.number : 0; }; // the next episode does not wait for the end of this one
  return { follow, hurry };
})();

let wasRunning = false;
const show = async (state) => {
  shown = state;
  const { name, environment, seed, generations, most_generations: most, evaluations, steps, seconds, target, validation } = state;
  document.title = `${name || "a run"} · evonet`;
  setText("name", name || "a run");
  setState(byId("state"), state.state);
  setText("facts", `${environment || "own fitness function"} · seed ${seed} · ${duration(seconds)}`);
  setText("validation", number(validation));
  setText("validation-note", target === null ? "mean of held-out episodes" : `target ${number(target)}`);
  setText("best", number(state.best));
  setText("mean", number(state.mean));
  setText("generations", number(generations));
  setText("generations-note", most === null ? `${number(evaluations)} evaluations` : `of ${number(most)} at most · ${short(evaluations)} evaluations`);
  setText("steps", short(steps));
  setText("steps-note", seconds ? `${short(steps / seconds)} a second` : "");
  drawLearning(state);
  drawPopulation(state.population);
  drawIslands(state.population ? state.population.islands : []);
  drawArchive(state.archive);
  drawNetwork(state.network);
  showEnd(state);
  if (!state.plays) setText("caption", "A function scores this run: there is no environment to play in.");
  await player.follow(state.clip);
  wasRunning ||= state.state === "running";
  return state.state === "running" ? 1 : 2;
};
const showEnd = ({ state, verdict, report }) => {
  const paragraph = byId("verdict");
  paragraph.hidden = state === "running";
  if (state === "interrupted") paragraph.textContent = "Nobody runs it now. It goes on with: evonet resume RUN";
  if (state !== "finished") return;
  if (report === "ready" && !wasRunning) { location.replace("report"); return; }
  paragraph.replaceChildren(`${verdict || "The run is over."} `);
  if (report === "ready") {
    const link = document.createElement("a");
    link.href = "report";
    link.textContent = "Open the report";
    paragraph.append(link);
  } else paragraph.append(report === "making" ? "The report is being made …" : report);
};
poll("state", 1, show);
let resized = 0;
addEventListener("resize", () => {
  clearTimeout(resized);
  resized = setTimeout(() => { if (shown) { drawLearning(shown); drawPopulation(shown.population); drawIslands(shown.population ? shown.population.islands : []); drawArchive(shown.archive); drawNetwork(shown.network); } }, 150);
});
