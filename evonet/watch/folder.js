const cell = (kind, content) => {
  const element = document.createElement(kind);
  element.append(content);
  return element;
};
const row = (run) => {
  const element = document.createElement("tr"), badge = document.createElement("span"), link = document.createElement(run.address ? "a" : "span");
  link.textContent = run.directory;
  if (run.address) link.href = run.address;
  setState(badge, run.state || "unreadable");
  const first = cell("th", link);
  first.scope = "row";
  element.append(first, cell("td", badge));
  for (const text of [number(run.validation), number(run.best), number(run.generations), run.problem || run.environment || "own function", number(run.seed)]) element.append(cell("td", text));
  return element;
};
poll("runs", 2, ({ folder, runs }) => {
  document.title = `${folder} · evonet`;
  setText("name", folder);
  setText("facts", runs.length === 1 ? "1 run" : `${runs.length} runs`);
  setNotice(runs.length ? "" : "There is no run in this folder yet; one appears here when it has begun.");
  byId("runs").replaceChildren(...runs.map(row));
});
