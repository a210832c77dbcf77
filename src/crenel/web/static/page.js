// What the page does beyond forms and links: sliders move dates, files are dropped, rows of a ladder are looked at.
"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  const pad = (number, digits) => String(number).padStart(digits, "0");

  // Sliders go by months; the date field beside each is what is sent.
  const dayOf = (slider) => {
    const [year, month] = slider.dataset.first.split("-").map(Number);
    if (slider.value === slider.max) return slider.dataset.last;
    const months = month - 1 + Number(slider.value);
    return `${pad(year + Math.floor(months / 12), 4)}-${pad((months % 12) + 1, 2)}-01`;
  };
  const place = (slider, day) => {
    const share = (Date.parse(day) - Date.parse(slider.dataset.first)) / (Date.parse(slider.dataset.last) - Date.parse(slider.dataset.first));
    const line = document.getElementById(slider.dataset.line);
    if (!line || !Number.isFinite(share)) return;
    const x = `${(Math.min(Math.max(share, 0), 1) * 100).toFixed(3)}%`;
    line.setAttribute("x1", x);
    line.setAttribute("x2", x);
  };
  const sliders = () => document.querySelectorAll("input.slider");
  document.addEventListener("input", (event) => {
    const field = event.target;
    if (field.matches("input.slider")) {
      const day = dayOf(field);
      document.getElementById(field.dataset.for).value = day;
      field.setAttribute("aria-valuetext", day);
      place(field, day);
      return;
    }
    for (const slider of sliders()) {
      if (slider.dataset.for !== field.id || !/^\d{4}-\d\d-\d\d$/.test(field.value)) continue;
      const [year, month] = field.value.split("-").map(Number);
      const [first, start] = slider.dataset.first.split("-").map(Number);
      slider.value = field.value >= slider.dataset.last ? slider.max : (year - first) * 12 + month - start;
      slider.setAttribute("aria-valuetext", field.value);
      place(slider, field.value);
    }
  }, true);

  // A file that is dropped anywhere on the form, and one that is too large to send.
  const form = document.getElementById("ask");
  if (form) {
    const file = () => document.getElementById("file");
    const over = (event) => {
      if (!event.dataTransfer || ![...event.dataTransfer.types].includes("Files")) return;
      event.preventDefault();
      root.classList.add("dropping");
    };
    document.addEventListener("dragenter", over);
    document.addEventListener("dragover", over);
    document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) root.classList.remove("dropping"); });
    document.addEventListener("drop", (event) => {
      root.classList.remove("dropping");
      if (!event.dataTransfer || !event.dataTransfer.files.length) return;
      event.preventDefault();
      file().files = event.dataTransfer.files;
      file().dispatchEvent(new Event("input", { bubbles: true }));
    });
    form.addEventListener("input", (event) => {
      if (event.target.id !== "file" || !event.target.files.length) return;
      form.querySelector("input[name=kind][value=capture]").checked = true;
      const largest = Number(form.dataset.largest);
      if (event.target.files[0].size > largest) {
        event.stopPropagation();
        event.target.value = "";
        tell(`The file has more than ${largest / 1048576} MB, which is the most that this page takes; crenel check takes more.`);
      }
    }, true);
    if (form.querySelector("input[name=beside]")) {
      form.addEventListener("input", (event) => {
        if (/^(date2|wall2|slider2)$/.test(event.target.id)) form.querySelector("input[name=beside]").checked = true;
      }, true);
    }
  }
  const tell = (words) => {
    const sentence = document.createElement("p");
    sentence.className = "problem";
    sentence.setAttribute("role", "alert");
    sentence.textContent = words;
    document.getElementById("answer").prepend(sentence);
  };

  // A tap on a row of a ladder shows its fields and bytes in the list below.
  document.addEventListener("click", (event) => {
    const row = event.target.closest && event.target.closest(".ladder .r");
    if (!row) return;
    const drawing = row.closest(".drawing");
    const item = drawing.querySelectorAll(".packets .arrow")[[...drawing.querySelectorAll(".ladder .r")].indexOf(row)];
    const on = !row.classList.contains("on");
    drawing.querySelectorAll(".on").forEach((one) => one.classList.remove("on"));
    if (!on || !item) return;
    row.classList.add("on");
    item.classList.add("on");
    drawing.querySelector("details").open = true;
    item.scrollIntoView({ block: "nearest" });
  });

  // The server was ended, or does not answer.
  document.addEventListener("htmx:error", (event) => {
    const told = event.detail && event.detail.ctx && event.detail.ctx.status;
    if (document.getElementById("answer") && told !== "aborted" && !(event.detail.error && event.detail.error.name === "AbortError")) {
      tell("The page does not answer any more: is crenel web still running?");
    }
  });
})();
