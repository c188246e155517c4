"use strict";
(() => {
  const ZOOMS = [1, 2, 3, 4, 6, 8, 12, 16]; // CSS pixels for each of a picture
  const FIT = "fit";
  const TALLEST = 0.75; // of the window
  const STEP = 0.1; // of what is seen, for an arrow key

  // Two pictures over one another. Where they lie is told to the style sheet, and to it alone, so
  // that paper gets them all.
  function viewer(figure) {
    const views = [...figure.querySelectorAll(".view")];
    const one = (name) => figure.querySelector(`[data-${name}]`);
    const sides = Object.fromEntries(["left", "right"].map((side) => [side, figure.querySelector(`[data-side=${side}]`)]));
    const part = one("view"), zoom = one("zoom"), split = one("split");
    let centre = { x: 0.5, y: 0.5 }; // what is seen in the middle, as shares of the picture

    zoom.append(...[FIT, ...ZOOMS].map((level) => new Option(level === FIT ? "fit" : `${level}×`, level)));
    sides.left.value = figure.dataset.left;
    sides.right.value = figure.dataset.right;

    const shown = () => views[part ? Number(part.value) : 0];
    const size = (view) => ({ width: Number(view.dataset.width), height: Number(view.dataset.height) });

    function fitting(view) {
      const { width, height } = size(view);
      const share = Math.min(figure.clientWidth / width, (TALLEST * innerHeight) / height);
      return share > 1 ? Math.floor(share) : share;
    }

    const scale = (view) => (zoom.value === FIT ? fitting(view) : Number(zoom.value));

    function draw() {
      const view = shown();
      for (const each of views) {
        each.hidden = each !== view;
      }
      const { width, height } = size(view), pixel = scale(view);
      const seen = {
        width: Math.min(figure.clientWidth, width * pixel),
        height: Math.min(TALLEST * innerHeight, height * pixel),
      };
      const place = (share, whole, part) => {
        const half = part / whole / 2;
        return Math.min(Math.max(share, half), 1 - half);
      };
      centre = {
        x: place(centre.x, width * pixel, seen.width),
        y: place(centre.y, height * pixel, seen.height),
      };
      const style = view.style;
      style.setProperty("--width", `${seen.width}px`);
      style.setProperty("--height", `${seen.height}px`);
      style.setProperty("--x", `${seen.width / 2 - centre.x * width * pixel}px`);
      style.setProperty("--y", `${seen.height / 2 - centre.y * height * pixel}px`);
      style.setProperty("--pixel", pixel);
      style.setProperty("--split", `${split.value}%`);
      view.classList.toggle("magnified", pixel > 1);
      [...view.querySelectorAll(".picture")].forEach((picture, place) => {
        picture.classList.toggle("left", place === Number(sides.left.value));
        picture.classList.toggle("right", place === Number(sides.right.value));
      });
    }

    function move(right, down) { // in CSS pixels
      const view = shown(), { width, height } = size(view), pixel = scale(view);
      centre = { x: centre.x - right / (width * pixel), y: centre.y - down / (height * pixel) };
      draw();
    }

    function magnify(steps) {
      const levels = [...zoom.options];
      const next = Math.min(Math.max(zoom.selectedIndex + steps, 0), levels.length - 1);
      zoom.selectedIndex = next;
      draw();
    }

    const keys = {
      ArrowLeft: (view) => move(STEP * view.clientWidth, 0),
      ArrowRight: (view) => move(-STEP * view.clientWidth, 0),
      ArrowUp: (view) => move(0, STEP * view.clientHeight),
      ArrowDown: (view) => move(0, -STEP * view.clientHeight),
      "+": () => magnify(1),
      "-": () => magnify(-1),
    };

    for (const view of views) {
      view.tabIndex = 0;
      const line = document.createElement("div");
      line.className = "line";
      line.setAttribute("aria-hidden", "true"); // the range above does the same
      view.append(line);
      view.addEventListener("keydown", (event) => {
        const act = event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key];
        if (act) {
          event.preventDefault();
          act(view);
        }
      });
      view.addEventListener("pointerdown", (event) => {
        const draws = event.target === line;
        let { clientX: x, clientY: y } = event;
        const drag = (at) => {
          if (draws) {
            const box = view.getBoundingClientRect();
            split.value = (100 * (at.clientX - box.left)) / box.width;
            draw();
          } else {
            move(at.clientX - x, at.clientY - y);
          }
          ({ clientX: x, clientY: y } = at);
        };
        view.setPointerCapture(event.pointerId);
        view.addEventListener("pointermove", drag);
        view.addEventListener("lostpointercapture", () => view.removeEventListener("pointermove", drag), { once: true });
        view.focus();
        event.preventDefault();
      });
    }
    figure.addEventListener("change", draw);
    split.addEventListener("input", draw);
    addEventListener("resize", draw);
    figure.classList.add("live");
    draw();
  }

  document.querySelectorAll(".pictures").forEach(viewer);
})();
