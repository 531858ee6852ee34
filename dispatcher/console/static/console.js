// Live figures and keys. Every page works without it. It asks for the page itself again and takes over what is live there.
"use strict";
(() => {
  const EVERY_MS = 5000;
  const pill = document.getElementById("live");
  const parts = () => document.querySelectorAll("[data-live]");

  function say(look, words) {
    pill.className = `pill is-${look}`;
    pill.textContent = words;
    pill.hidden = false;
  }

  const busy = () => document.querySelector("table:hover, [data-live] :focus, dialog[open]") !== null;

  async function look() {
    if (document.hidden) return;
    if (busy()) return say("off", "paused");
    try {
      const answer = await fetch(location.href, { headers: { "X-Live": "1" }, redirect: "error" });
      if (!answer.ok) throw new Error(String(answer.status));
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (busy()) return say("off", "paused");
      for (const old of document.querySelectorAll("[data-live], #moment")) {
        const now = fresh.getElementById(old.id);
        if (now) old.replaceWith(document.adoptNode(now));
      }
      say("ok", "live");
    } catch {
      say("bad", "stale");
    }
  }

  if (parts().length) {
    say("ok", "live");
    setInterval(look, EVERY_MS);
    document.addEventListener("visibilitychange", look);
  }

  // The store was away: the page is loaded again once it can be, and never under the fingers of whoever goes elsewhere.
  async function again() {
    const answer = await fetch(location.href, { headers: { "X-Live": "1" }, redirect: "manual" }).catch(() => null);
    if (answer && answer.status !== 503) location.reload();
    else setTimeout(again, EVERY_MS);
  }

  if (document.querySelector("[data-again]")) setTimeout(again, EVERY_MS);

  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
      button.textContent = "Copied";
    });
  }

  // A search that ended early goes on by itself, a little at a time, until it has a page of events or has come to its end.
  const ENOUGH = 50;
  const PAUSE_MS = 50;
  const rows = () => document.querySelectorAll("#found tbody tr").length;
  const further = () => document.querySelector("#onward [data-further]");

  function takeOver(fresh) {
    const found = document.getElementById("found");
    const more = fresh.getElementById("found");
    if (found && more) found.querySelector("tbody").append(...more.querySelectorAll("tbody tr"));
    else if (more) document.getElementById("onward").before(document.adoptNode(more));
    document.getElementById("onward").replaceWith(document.adoptNode(fresh.getElementById("onward")));
    for (const alone of document.querySelectorAll("#onward [data-alone]")) alone.remove();
    const count = document.querySelector("#onward [data-found]");
    if (count) count.textContent = String(rows() || "none");
  }

  async function searchOn() {
    const began = location.href;
    let stopped = false;
    document.addEventListener("click", (event) => { stopped ||= event.target.closest("[data-stop]") !== null; });
    while (further() && rows() < ENOUGH) {
      document.getElementById("onward").setAttribute("aria-busy", "true");
      further().hidden = true;
      document.querySelector("#onward [data-stop]").hidden = false;
      await new Promise((go) => setTimeout(go, PAUSE_MS));
      if (stopped || location.href !== began) break;
      if (document.hidden) continue;
      const answer = await fetch(further().href, { headers: { "X-Slice": "1" }, redirect: "error" }).catch(() => null);
      if (!answer?.ok || stopped) break;
      takeOver(new DOMParser().parseFromString(await answer.text(), "text/html"));
    }
    const onward = document.getElementById("onward");
    onward?.setAttribute("aria-busy", "false");
    if (further()) further().hidden = false;
    const stop = onward?.querySelector("[data-stop]");
    if (stop) stop.hidden = true;
  }

  if (further()) searchOn();

  const keys = document.getElementById("keys");
  let going = false;

  function step(by) {
    const links = [...document.querySelectorAll("main tbody tr")].map((row) => row.querySelector("a")).filter(Boolean);
    const at = links.indexOf(document.activeElement);
    links[Math.min(links.length - 1, Math.max(0, at + by))]?.focus();
  }

  const PRESSED = {
    "/": () => document.getElementById("find")?.focus(),
    "?": () => keys.showModal(),
    j: () => step(1),
    k: () => step(-1),
    g: () => { going = true; },
    r: () => document.querySelector("main [data-key=r]")?.click(),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
    if (going) {
      going = false;
      const link = document.querySelector(`#menu [data-key="${CSS.escape(event.key)}"]`);
      if (link) location.assign(link.href);
      return;
    }
    const press = PRESSED[event.key];
    if (press && keys && !keys.open) {
      event.preventDefault();
      press();
    }
  });
})();
