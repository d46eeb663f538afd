"use strict";

const CURSOR_MARGIN_PX = 120;

function follow(player) {
  const audio = player.querySelector("audio");
  if (!audio) return;
  const chart = player.querySelector(".chart");
  const lanes = chart.querySelector(".lanes");
  const cursor = chart.querySelector(".cursor");
  const pxPerSec = Number(chart.dataset.pxPerSec);

  function show() {
    const x = audio.currentTime * pxPerSec;
    cursor.setAttribute("x1", x);
    cursor.setAttribute("x2", x);
    const right = chart.scrollLeft + chart.clientWidth - CURSOR_MARGIN_PX;
    if (x > right || x < chart.scrollLeft) chart.scrollLeft = Math.max(0, x - CURSOR_MARGIN_PX);
  }
  function tick() {
    show();
    if (!audio.paused) requestAnimationFrame(tick);
  }
  // A recording that is not loaded yet has no length and takes no position: it is told where to go once it has.
  function seek(secs) {
    const to = Math.max(0, secs);
    if (audio.readyState > 0) {
      audio.currentTime = Math.min(to, audio.duration);
    } else {
      audio.addEventListener("loadedmetadata", () => { audio.currentTime = Math.min(to, audio.duration); }, { once: true });
      audio.preload = "auto";
      audio.load();
    }
  }
  audio.addEventListener("play", () => {
    for (const other of document.querySelectorAll("audio")) if (other !== audio) other.pause();
    requestAnimationFrame(tick);
  });
  audio.addEventListener("seeked", show);
  lanes.addEventListener("click", (event) => seek((event.clientX - lanes.getBoundingClientRect().left) / pxPerSec));
  chart.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const keys = {
      " ": () => { if (audio.paused) audio.play(); else audio.pause(); },
      ArrowLeft: () => seek(audio.currentTime - 1),
      ArrowRight: () => seek(audio.currentTime + 1),
      Home: () => seek(0),
      End: () => seek(audio.duration || 0),
    };
    if (keys[event.key]) {
      event.preventDefault();
      keys[event.key]();
    }
  });
}

function filter(form) {
  const rows = [...document.querySelectorAll(".scenarios tbody tr")];
  const output = form.querySelector("output");
  function apply() {
    const wanted = new Set([...form.elements.status].filter((box) => box.checked).map((box) => box.value));
    const find = form.elements.find.value.trim().toLowerCase();
    let shown = 0;
    for (const row of rows) {
      const fits = wanted.has(row.dataset.status) && row.querySelector("th").textContent.toLowerCase().includes(find);
      row.hidden = !fits;
      document.getElementById(row.dataset.of).hidden = !fits;
      shown += fits;
    }
    output.textContent = shown === rows.length ? "" : `${shown} of ${rows.length} shown`;
  }
  form.hidden = false;
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  apply();
}

function open() {
  const target = document.getElementById(location.hash.slice(1));
  if (target instanceof HTMLDetailsElement) {
    target.open = true;
    target.scrollIntoView();
    target.querySelector("summary").focus();
  }
}

document.querySelectorAll(".player").forEach(follow);
filter(document.querySelector(".filter"));
addEventListener("hashchange", open);
open();
