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
  for (const button of document.querySelectorAll("button.save")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const figure = button.closest("figure"), link = document.createElement("a");
      const file = new Blob([standalone(figure.querySelector("svg"))], { type: "image/svg+xml" });
      link.href = URL.createObjectURL(file);
      link.download = `${figure.id.replace("figure-", "") || "figure"}.svg`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    });
  }
})();
