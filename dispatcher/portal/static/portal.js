/* Comfort for the page, which works without it: the secret of a link is taken out of the address, and countdowns tick. */
"use strict";

const form = document.querySelector("form[data-open]");
if (form && location.hash.length > 1) {
  form.elements.token.value = location.hash.slice(1);
  form.querySelector("[data-paste]").hidden = true;
  history.replaceState(null, "", location.pathname);
}

for (const sent of document.querySelectorAll("form[data-once]")) {
  sent.addEventListener("submit", (event) => {
    if (sent.dataset.sent) { event.preventDefault(); return; }
    sent.dataset.sent = "1";
    if (event.submitter) event.submitter.setAttribute("aria-busy", "true");
  });
}
addEventListener("pageshow", (event) => {
  if (event.persisted) for (const sent of document.querySelectorAll("form[data-once]")) delete sent.dataset.sent;
});

const pad = (n) => String(n).padStart(2, "0");
const began = performance.now();
const ticking = [...document.querySelectorAll("[data-left-ms]")];
const tick = () => {
  if (document.hidden) return;
  for (const place of ticking) {
    const left = Math.max(0, Math.round((place.dataset.leftMs - (performance.now() - began)) / 1000));
    const hours = Math.floor(left / 3600);
    place.textContent = `${hours}:${pad(Math.floor(left / 60) % 60)}:${pad(left % 60)}`;
  }
};
if (ticking.length) { tick(); setInterval(tick, 1000); }
