"use strict";
(() => {
  // The drawing as a file that stands alone: its own size, and dark text, which the page's colours give it here.
  const standalone = (svg) => {
    const copy = svg.cloneNode(true), { width, height } = svg.viewBox.baseVal;
    for (const line of copy.querySelectorAll(".cursor")) line.remove();
    for (const [name, value] of Object.entries({ width: `${width}pt`, height: `${height}pt`, color: "#1b1f24" })) copy.setAttribute(name, value);
    copy.style.fontFamily = "system-ui, Roboto, 'DejaVu Sans', sans-serif";
    return new XMLSerializer().serializeToString(copy);
  };
  const download = (svg, name) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([standalone(svg)], { type: "image/svg+xml" }));
    link.download = `${name}.svg`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };
  // The browser's print dialogue, which saves a PDF, on a page that has the drawing alone and its size.
  const print = async (svg, name) => {
    const picture = new Image(), style = document.createElement("style"), { width, height } = svg.viewBox.baseVal, { title } = document;
    picture.className = "printed";
    picture.src = `data:image/svg+xml,${encodeURIComponent(standalone(svg))}`;
    await picture.decode();
    style.textContent = `@page { size: ${width}pt ${height}pt; margin: 0; } @media print { body > :not(.printed) { display: none !important; } .printed { display: block; width: ${width}pt; height: ${height}pt; } }`;
    document.title = name; // what the dialogue calls the file
    addEventListener("afterprint", () => { picture.remove(); style.remove(); document.title = title; }, { once: true });
    document.body.append(picture, style);
    window.print();
  };
  for (const buttons of document.querySelectorAll(".save")) {
    const figure = buttons.closest("figure"), name = figure.id.replace("figure-", "") || "figure";
    buttons.hidden = false;
    for (const button of buttons.children) button.addEventListener("click", () => ({ SVG: download, PDF: print })[button.textContent](figure.querySelector("svg"), name));
  }
})();
