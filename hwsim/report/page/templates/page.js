"use strict";
(() => {
  const PAPER_WIDTH = 680; // CSS pixels between the margins of A4
  const CONFIG = {
    displaylogo: false,
    responsive: true,
    modeBarButtons: [["toImage"], ["zoom2d", "pan2d"], ["zoomIn2d", "zoomOut2d", "resetScale2d"]],
  };
  const root = document.documentElement;
  const plots = new Map(); // by name: the element, the texts of its alternatives, which is shown

  const colour = (name) => getComputedStyle(root).getPropertyValue(name).trim();

  // A colour "var(--ink)" is that of the style sheet, as it is now.
  const parsed = (text) =>
    JSON.parse(text, (key, value) => {
      const variable = typeof value === "string" && /^var\((--[a-z]+)\)$/.exec(value);
      return variable ? colour(variable[1]) : value;
    });

  function theme() {
    const axis = {
      gridcolor: colour("--line"), linecolor: colour("--line"), zerolinecolor: colour("--line"),
      automargin: true,
    };
    return {
      layout: {
        font: { family: getComputedStyle(document.body).fontFamily, size: 13, color: colour("--ink") },
        paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
        hoverlabel: { align: "left", bgcolor: colour("--card"), bordercolor: colour("--line"), font: { color: colour("--ink") } },
        modebar: { bgcolor: "rgba(0,0,0,0)", color: colour("--muted"), activecolor: colour("--accent") },
        xaxis: axis, yaxis: axis,
        annotationdefaults: { font: { color: colour("--muted") } },
        shapedefaults: { line: { color: colour("--muted"), width: 1, dash: "dash" } },
      },
    };
  }

  async function draw(plot) {
    const { data, layout } = parsed(plot.texts[plot.shown]);
    const size = root.classList.contains("printing") ? { width: PAPER_WIDTH } : { autosize: true };
    await Plotly.react(plot.element, data, { ...layout, ...size, template: theme() }, CONFIG);
    await mark(plot);
  }

  // Enlarge the points of what is chosen.
  async function mark(plot) {
    const chosen = new Set([...document.querySelectorAll("select[data-items]")].map((select) => select.value));
    for (const [index, trace] of plot.element.data.entries()) {
      if (trace.customdata) {
        const points = [...trace.customdata.keys()].filter((point) => chosen.has(trace.customdata[point]));
        await Plotly.restyle(plot.element, { selectedpoints: [points] }, [index]);
      }
    }
  }

  function choose(item) {
    for (const select of document.querySelectorAll("select[data-items]")) {
      if ([...select.options].some((option) => option.value === item)) {
        select.value = item;
        select.dispatchEvent(new Event("change"));
      }
    }
  }

  for (const element of document.querySelectorAll(".plot")) {
    const scripts = document.querySelectorAll(`script[data-of="${element.id}"]`);
    const plot = { element, texts: [...scripts].map((script) => script.textContent), shown: 0 };
    plots.set(element.id, plot);
    draw(plot).then(() => element.on("plotly_click", ({ points }) => choose(points[0].customdata)));
  }
  for (const select of document.querySelectorAll("select[data-plot]")) {
    select.addEventListener("change", () => {
      const plot = plots.get(select.dataset.plot);
      plot.shown = Number(select.value);
      draw(plot);
    });
  }
  for (const select of document.querySelectorAll("select[data-items]")) {
    select.addEventListener("change", () => {
      for (const item of document.getElementById(select.dataset.items).querySelectorAll("[data-item]")) {
        item.hidden = item.dataset.item !== select.value;
      }
      plots.forEach(mark);
    });
  }

  const redraw = () => plots.forEach(draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  addEventListener("beforeprint", () => {
    root.classList.add("printing");
    for (const details of document.querySelectorAll("details:not([open])")) {
      details.open = true;
      details.dataset.folded = "";
    }
    redraw();
  });
  addEventListener("afterprint", () => {
    root.classList.remove("printing");
    for (const details of document.querySelectorAll("details[data-folded]")) {
      details.open = false;
      delete details.dataset.folded;
    }
    redraw();
  });
})();
