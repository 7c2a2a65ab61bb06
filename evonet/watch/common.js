"use strict";
// Everything that comes from the server is put on the page as text or as a number, never as HTML.
const byId = (id) => document.getElementById(id);
const number = (value, digits = 4) => {
  if (value === null || value === undefined) return "–";
  const text = Number.isInteger(value) || Math.abs(value) >= 1000 ? Math.round(value).toLocaleString("en") : String(+value.toPrecision(digits));
  return text.replace("-", "−");
};
const short = (value) => {
  for (const [unit, sign] of [[1e9, "G"], [1e6, "M"], [1e4, "k"]]) {
    if (Math.abs(value) >= unit) return `${number(value / (sign === "k" ? 1e3 : unit), 3)} ${sign}`;
  }
  return number(value);
};
const duration = (seconds) => {
  const whole = Math.round(seconds);
  if (whole < 120) return `${whole} s`;
  return whole < 7200 ? `${Math.floor(whole / 60)} min` : `${(whole / 3600).toFixed(1)} h`;
};
const setText = (id, text) => {
  const element = byId(id);
  if (element.textContent !== text) element.textContent = text;
};
const setNotice = (text) => {
  byId("notice").hidden = !text;
  setText("notice", text || "");
};
const setState = (element, state) => {
  element.textContent = state;
  element.className = `badge ${state}`;
};
// Asks the server for JSON again and again; `show` may return the seconds to the next time.
const poll = (address, seconds, show) => {
  const ask = async () => {
    let pause = seconds;
    try {
      const answer = await fetch(address, { cache: "no-store" });
      if (!answer.ok) throw new Error(await answer.text());
      const found = await answer.json();
      setNotice(found.problem);
      pause = (await show(found)) || seconds;
    } catch (error) {
      setNotice(error instanceof TypeError ? "No answer: the command that served this page has ended. To watch on: evonet watch RUN" : String(error.message));
      pause = 3;
    }
    setTimeout(ask, 1000 * pause);
  };
  ask();
};
