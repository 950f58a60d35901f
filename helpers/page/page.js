"use strict";

const drop = document.getElementById("drop");
const file = document.getElementById("file");
const picture = document.getElementById("picture");
const answer = document.getElementById("answer");
let mostBytes = Infinity;
let asked = 0;

function element(tag, className, text) {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

function fail(text) {
  answer.replaceChildren(element("p", "error", text));
}

function show(classes) {
  answer.replaceChildren(...classes.map(({ name, probability }) => {
    const row = element("div", "row", "");
    const bar = document.createElement("meter");
    bar.value = probability;
    bar.setAttribute("aria-label", name);
    row.append(
      element("span", "name", name), bar, element("span", "number", probability.toFixed(3)));
    return row;
  }));
}

async function ask(chosen) {
  const mine = ++asked;  // an answer that comes late, after another picture, is not shown
  URL.revokeObjectURL(picture.src);
  picture.src = URL.createObjectURL(chosen);
  picture.alt = chosen.name;
  picture.hidden = false;
  document.getElementById("invite").hidden = true;
  if (chosen.size > mostBytes) {
    fail(`The file has ${chosen.size.toLocaleString()} bytes; at most `
      + `${mostBytes.toLocaleString()} are taken. Save the picture smaller.`);
    return;
  }
  answer.replaceChildren(element("p", "quiet", "Asking the model."));
  try {
    const response = await fetch("answer", { method: "POST", body: chosen });
    const found = await response.json();
    if (mine !== asked) return;
    if (found.error) fail(found.error);
    else show(found.classes);
  } catch {
    if (mine === asked) fail("The model does not answer any more. Was the page closed?");
  }
}

file.addEventListener("change", () => file.files.length && ask(file.files[0]));
for (const name of ["dragenter", "dragover"]) {
  drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.add("over"); });
}
for (const name of ["dragleave", "drop"]) {
  drop.addEventListener(name, () => drop.classList.remove("over"));
}
// Dropped beside the frame, a picture would open in place of the page.
for (const name of ["dragover", "drop"]) {
  window.addEventListener(name, (event) => event.preventDefault());
}
drop.addEventListener("drop", (event) => {
  const dropped = event.dataTransfer.files;
  if (dropped.length) ask(dropped[0]);
});
picture.addEventListener("error", () => { picture.hidden = true; });

fetch("about").then((response) => response.json()).then((about) => {
  document.getElementById("about").textContent = about.model;
  mostBytes = about.most_bytes;
});
