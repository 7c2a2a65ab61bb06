"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const json = (element) => JSON.parse(element.textContent);
  const tip = document.getElementById("tip");
  document.body.classList.add("script");

  const shown = (value) => {
    if (value === null || value === undefined) return "–";
    const size = Math.abs(value);
    const text = Number.isInteger(value) ? value.toLocaleString("en") : size >= 1e6 || size < 1e-3 ? value.toPrecision(4) : String(+value.toPrecision(5));
    return text.replace("-", "−");
  };
  const showTip = (event, text) => {
    if (!text) { tip.hidden = true; return; }
    tip.textContent = text;
    tip.hidden = false;
    const { width, height } = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(4, Math.min(event.clientX + 14, innerWidth - width - 6))}px`;
    tip.style.top = `${event.clientY - height - 12 < 4 ? event.clientY + 18 : event.clientY - height - 12}px`;
  };

  // Values under the pointer: of marked elements, of curves, or of a map.
  const nearest = (xs, x) => {
    let best = 0;
    for (let i = 1; i < xs.length; i += 1) if (Math.abs(xs[i] - x) < Math.abs(xs[best] - x)) best = i;
    return best;
  };
  const place = (svg, event, hover) => {
    const box = svg.getBoundingClientRect(), view = svg.viewBox.baseVal;
    const x = ((event.clientX - box.left) / box.width) * view.width;
    const y = ((event.clientY - box.top) / box.height) * view.height;
    const [left, top, right, bottom] = hover.box;
    if (x < left || x > right || y < top || y > bottom) return null;
    return {
      x: hover.x[0] + ((x - left) / (right - left)) * (hover.x[1] - hover.x[0]),
      y: hover.y[0] + ((bottom - y) / (bottom - top)) * (hover.y[1] - hover.y[0]),
    };
  };
  const ofCurves = (hover, at) => {
    const lines = hover.curves.map((curve) => {
      const i = nearest(curve.x, at.x);
      return { at: curve.x[i], text: `${curve.name}: ${shown(curve.y[i])}` };
    });
    const first = shown(lines[0].at);
    return [`${hover.xLabel} ${first}`, ...lines.map((line) => line.text)].join("\n");
  };
  const ofMap = (hover, at) => {
    const { values, x, y } = hover.grid;
    const column = Math.floor(((at.x - x[0]) / (x[1] - x[0])) * values[0].length);
    const row = Math.floor(((at.y - y[0]) / (y[1] - y[0])) * values.length);
    const value = values[row] && values[row][column];
    if (value === undefined) return "";
    const word = hover.words.length ? hover.words[value] : typeof value === "string" ? value : shown(value);
    return `${hover.xLabel || "column"}: ${shown(+at.x.toPrecision(3))}\n${hover.yLabel || "row"}: ${shown(+at.y.toPrecision(3))}\n${word}`;
  };
  const parts = (group) => all(":scope > path, use", group);
  const words = {}; // texts of marked elements, a list of texts for a collection
  for (const figure of all("figure[data-figure]")) {
    const svg = figure.querySelector("svg"), hover = json(figure.querySelector(".hover"));
    figure.hover = hover;
    if (hover.items) {
      Object.assign(words, hover.items);
      let lit = null;
      svg.addEventListener("pointermove", (event) => {
        const group = event.target.closest("[id]"), text = group && words[group.id];
        const at = Array.isArray(text) ? parts(group).indexOf(event.target) : 0;
        const found = text && at >= 0 ? (Array.isArray(text) ? event.target : group) : null;
        if (lit !== found) {
          if (lit) lit.classList.remove("lit");
          if (found) found.classList.add("lit");
          lit = found;
        }
        showTip(event, found && (Array.isArray(text) ? text[at] : text));
      });
    } else if (hover.curves || hover.grid) {
      svg.addEventListener("pointermove", (event) => {
        const at = place(svg, event, hover);
        showTip(event, at && (hover.curves ? ofCurves(hover, at) : ofMap(hover, at)));
      });
    }
    svg.addEventListener("pointerleave", () => showTip(null, ""));
  }

  // A range and a button that moves it; `show` draws the frame of the range's value.
  const player = (root, fps, show) => {
    const range = root.querySelector("input[type=range]"), button = root.querySelector(".play");
    let timer = 0;
    const stop = () => { clearInterval(timer); timer = 0; button.textContent = "▶ Play"; };
    const set = (value) => { range.value = value; show(+value); };
    button.addEventListener("click", () => {
      if (timer) { stop(); return; }
      if (+range.value >= +range.max) set(0);
      button.textContent = "❚❚ Pause";
      timer = setInterval(() => {
        if (+range.value >= +range.max) stop(); else set(+range.value + 1);
      }, 1000 / fps);
    });
    range.addEventListener("input", () => { stop(); show(+range.value); });
    return { root, stop };
  };

  // The weights of each generation, shown in the champion's diagram.
  const weights = (root, { figure, frames, strongest, widest }) => {
    const lines = parts(document.getElementById(`${figure}-connections`)), texts = words[`${figure}-connections`];
    const names = [...texts];
    const show = (index) => {
      const frame = frames[index];
      frame.weights.forEach((weight, i) => {
        const share = Math.min(Math.abs(weight) / strongest, 1.6), style = lines[i].style;
        style.stroke = weight >= 0 ? "#2f7fc1" : "#d55e00";
        style.strokeWidth = Math.max(0.15, widest * share);
        style.strokeOpacity = weight === 0 ? 0 : Math.min(1, 0.25 + 0.65 * share);
        texts[i] = `${names[i]}: ${weight < 0 ? "−" : "+"}${Math.abs(weight).toPrecision(4)}`;
      });
    };
    return show;
  };

  // The archive after each generation, shown in its heatmap: a byte for each cell or point, 0 if it has no elite yet.
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const elites = (root, { figure, frames, cells, limits, colours }) => {
    const hover = root.querySelector("figure").hover, palette = bytes(colours);
    const fitness = (level) => {
      if (!level) return null;
      const value = +(limits[0] + ((level - 1) / 254) * (limits[1] - limits[0])).toPrecision(3);
      return level === 1 ? `at most ${shown(value)}` : `about ${shown(value)}`;
    };
    const last = frames.length - 1;
    if (cells) {
      const image = root.querySelector(`[id="${figure}-axes_1"] image`), exact = hover.grid.last = hover.grid.values, first = image.getAttribute("xlink:href");
      const canvas = document.createElement("canvas"), context = canvas.getContext("2d");
      [canvas.width, canvas.height] = [exact[0].length, exact.length];
      return (index) => {
        const levels = bytes(frames[index].levels), pixels = context.createImageData(canvas.width, canvas.height);
        levels.forEach((level, i) => {
          if (level) pixels.data.set([...palette.subarray(3 * level - 3, 3 * level), 255], 4 * i);
        });
        context.putImageData(pixels, 0, 0);
        image.setAttribute("xlink:href", index === last ? first : canvas.toDataURL());
        hover.grid.values = index === last ? exact : exact.map((row, y) => row.map((_, x) => fitness(levels[y * row.length + x])));
      };
    }
    const points = parts(document.getElementById(`${figure}-elites`)), texts = words[`${figure}-elites`], exact = [...texts];
    return (index) => {
      const levels = bytes(frames[index].levels);
      points.forEach((point, i) => {
        point.style.visibility = levels[i] ? "visible" : "hidden";
        point.style.fill = `rgb(${palette.subarray(3 * levels[i] - 3, 3 * levels[i]).join()})`;
        texts[i] = index === last ? exact[i] : exact[i].replace(/^fitness [^,]*/, `fitness ${fitness(levels[i])}`);
      });
    };
  };
  for (const root of all(".generations")) {
    const data = json(root.querySelector(".frames")), { frames } = data, output = root.querySelector("output");
    if (!frames.length) continue;
    const draw = data.colours ? elites(root, data) : weights(root, data);
    const show = (index) => {
      draw(index);
      if (output) output.textContent = frames[index].label.replace(/(^|\s)-(?=\d)/g, "$1−");
    };
    show(frames.length - 1);
    if (frames.length > 1) player(root, Math.min(8, Math.max(2, frames.length / 6)), show);
  }

  // Episodes: a cursor in the traces follows the picture.
  const cursor = (figure, step) => {
    const svg = figure.querySelector("svg"), { box, x } = figure.hover;
    let line = svg.querySelector(".cursor");
    if (!line) {
      line = document.createElementNS("http://www.w3.org/2000/svg", "line");
      line.setAttribute("class", "cursor");
      svg.append(line);
    }
    const at = box[0] + ((step - x[0]) / (x[1] - x[0])) * (box[2] - box[0]);
    const inside = Math.max(box[0], Math.min(box[2], at));
    for (const [name, value] of Object.entries({ x1: inside, x2: inside, y1: box[1], y2: box[3] })) line.setAttribute(name, value);
  };
  // A frame is the background at the sheet's top left, and on it the part that differs.
  const players = all(".replay").map((root) => {
    const { place } = root.dataset, canvas = root.querySelector("canvas"), context = canvas.getContext("2d");
    const sheet = document.querySelector(`.sheet[data-place="${place}"]`), { every, fps } = sheet.dataset;
    const frames = json(document.querySelector(`.parts[data-place="${place}"]`));
    const traces = root.closest(".episode") ? all("figure[data-figure]", root.parentElement) : [];
    const show = (index) => {
      const [x, y, width, height, left, top] = frames[index];
      context.drawImage(sheet, 0, 0, canvas.width, canvas.height, 0, 0, canvas.width, canvas.height);
      if (width && height) context.drawImage(sheet, x, y, width, height, left, top, width, height);
      root.querySelector("output").textContent = `step ${index * every}`;
      traces.forEach((figure) => cursor(figure, index * every));
    };
    const found = player(root, +fps, show);
    const first = () => {
      show(+root.querySelector("input").value);
      if (root.closest(".hero") && !matchMedia("(prefers-reduced-motion: reduce)").matches) root.querySelector(".play").click();
    };
    if (sheet.complete) first(); else sheet.addEventListener("load", first);
    return found;
  });
  const tabs = all("[role=tab]");
  const choose = (chosen) => {
    if (chosen.getAttribute("aria-selected") !== "true") players.forEach((each) => each.stop());
    tabs.forEach((tab) => {
      const on = tab === chosen;
      tab.setAttribute("aria-selected", on);
      tab.tabIndex = on ? 0 : -1;
      document.getElementById(tab.getAttribute("aria-controls")).hidden = !on;
    });
  };
  tabs.forEach((tab, index) => {
    tab.addEventListener("click", () => choose(tab));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = tabs[(index + step + tabs.length) % tabs.length];
      choose(next);
      next.focus();
    });
  });
  if (tabs.length) choose(tabs[0]);

  // Figures of which one is shown, by the choice of a button.
  for (const root of all(".switch")) {
    const buttons = all(".choices button", root);
    const show = (chosen) => buttons.forEach((button) => {
      button.setAttribute("aria-pressed", button === chosen);
      document.getElementById(button.dataset.shows).hidden = button !== chosen;
    });
    buttons.forEach((button) => button.addEventListener("click", () => {
      players.forEach((each) => { if (root.contains(each.root)) each.stop(); });
      show(button);
      const film = document.getElementById(button.dataset.shows).querySelector(".replay .play");
      if (film) film.click();
    }));
    if (buttons.length) show(buttons[0]);
  }

  // A click on an elite plays its episode, or shows the command that does.
  for (const root of all(".generations")) {
    const { pick } = json(root.querySelector(".frames"));
    if (!pick) continue;
    const figure = root.querySelector("figure"), { hover } = figure, svg = figure.querySelector("svg"), line = root.querySelector(".picked");
    const drawn = parts(figure.querySelector(`[id="${figure.dataset.figure}-elites"]`) || svg);
    figure.classList.add("picking");
    const square = (x, y) => {
      const { values, x: across, y: up } = hover.grid, sides = [values[0].length, values.length];
      const at = [[x, across], [y, up]].map(([value, ends], axis) => Math.floor(((value - ends[0]) / (ends[1] - ends[0])) * sides[axis]));
      return at.map((place, axis) => Math.max(0, Math.min(sides[axis] - 1, place)));
    };
    const picked = (event) => {
      if (!hover.grid) {
        const index = drawn.indexOf(event.target);
        return index < 0 ? null : { cell: pick.points[index], clip: pick.clips.find((clip) => clip.point === index), text: words[`${figure.dataset.figure}-elites`][index] };
      }
      const at = place(svg, event, hover);
      if (!at) return null;
      const { x, y, last: values = hover.grid.values } = hover.grid, [column, row] = square(at.x, at.y);
      if (values[row][column] === null) return { text: "There is no elite in this cell." };
      const middle = [x[0] + ((column + 0.5) / values[0].length) * (x[1] - x[0]), y[0] + ((row + 0.5) / values.length) * (y[1] - y[0])];
      const clip = pick.clips.find((each) => String(square(each.x, each.y)) === String([column, row]));
      const [a, b] = middle.map((value) => +value.toPrecision(6));
      return { cell: `${a},${b}`, clip, text: `${hover.xLabel} ${shown(+a.toPrecision(3))}, ${hover.yLabel} ${shown(+b.toPrecision(3))}: fitness ${shown(values[row][column])}` };
    };
    svg.addEventListener("click", (event) => {
      const found = picked(event);
      if (!found) return;
      line.textContent = found.cell ? `${found.text}; ` : found.text;
      if (!found.cell) return;
      if (found.clip) {
        line.append("its episode is playing.");
        const button = document.querySelector(`[data-shows="${found.clip.shows}"]`);
        button.click();
        button.closest(".clips").scrollIntoView({ block: "nearest" });
        return;
      }
      const code = document.createElement("code");
      code.textContent = `${pick.command} --cell=${found.cell}`;
      line.append("to play it:\n", code);
    });
  }

  // On a phone, all sections below the replay are folded until they are asked for; on paper, none is.
  const folds = all("details.fold");
  const unfold = () => {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    const fold = target && target.querySelector("details.fold");
    if (fold) { fold.open = true; target.scrollIntoView(); }
  };
  if (matchMedia("(max-width: 40rem)").matches) folds.forEach((each) => { each.open = false; });
  unfold();
  addEventListener("hashchange", unfold);
  all("nav a").forEach((link) => link.addEventListener("click", () => setTimeout(unfold)));
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = folds.filter((each) => !each.open);
    folded.forEach((each) => { each.open = true; });
    all(".episode").forEach((each) => { each.hidden = false; });
  });
  addEventListener("afterprint", () => {
    folded.forEach((each) => { each.open = false; });
    const tab = tabs.find((each) => each.getAttribute("aria-selected") === "true");
    if (tab) choose(tab);
  });

  // A table is copied as text with tabs between cells.
  for (const root of all("details.table")) {
    const button = root.querySelector(".copy"), table = root.querySelector("table");
    if (!button || !table) continue;
    const showButton = () => { button.hidden = !root.open; };
    root.addEventListener("toggle", showButton);
    showButton();
    button.addEventListener("click", () => {
      const text = [...table.rows].map((row) => [...row.cells].map((cell) => cell.textContent).join("\t")).join("\n");
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
  }
})();
