/* Comfort for the marketplace's pages, each of which works without it: live steps, messages to the host application,
   one sending of a form, what is wrong beside a field at once, what was typed kept. */
"use strict";

const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const tell = (message, origins) => {
  const windows = new Set();
  if (window.parent !== window) windows.add(window.parent);
  try {
    if (window.opener) {
      windows.add(window.opener);
      if (window.opener.parent !== window.opener) windows.add(window.opener.parent);
    }
  } catch { /* an opener of another site */ }
  const known = location.ancestorOrigins ? [...location.ancestorOrigins] : null;
  for (const target of windows) {
    for (const origin of origins) {
      if (target === window.parent && known && !known.includes(origin)) continue;
      target.postMessage(message, origin);
    }
  }
};
const remembered = (key) => { try { return sessionStorage.getItem(key); } catch { return null; } };
const remember = (key, value) => { try { value === null ? sessionStorage.removeItem(key) : sessionStorage.setItem(key, value); } catch { /* no storage */ } };

/* Messages: once to each listed origin, however often the page is shown. */
const tellOnce = (root) => {
  for (const place of all("[data-tell]", root)) {
    const origins = place.dataset.origins.split(" ").filter(Boolean);
    const key = place.dataset.told && `told:${place.dataset.told}:${place.dataset.tell}`;
    if (!origins.length || (key && remembered(key))) continue;
    tell(JSON.parse(place.dataset.tell), origins);
    if (key) remember(key, "1");
  }
};

/* Forms: sent once, checked at once, kept until sent. */
const say = (input, text) => {
  const wrong = document.getElementById(input.dataset.says ?? `${input.id}-wrong`);
  if (!wrong) return;
  wrong.textContent = text;
  text ? input.setAttribute("aria-invalid", "true") : input.removeAttribute("aria-invalid");
};
const check = (input) => {
  const state = input.validity;
  say(input, state.valid ? "" : state.valueMissing ? input.dataset.required : input.dataset.advice || input.validationMessage);
  return state.valid;
};
const guard = (form) => {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) { event.preventDefault(); return; }
    if ("check" in form.dataset) {
      const bad = all("[data-required]", form).filter((input) => !check(input));
      if (bad.length) { event.preventDefault(); bad[0].focus(); return; }
    }
    form.dataset.sent = "1";
    if (event.submitter) event.submitter.setAttribute("aria-busy", "true");
    if (form.dataset.keep) remember(`kept:${form.dataset.keep}`, null);
  });
};
const watch = (form) => {
  form.noValidate = true;
  for (const input of all("[data-required]", form)) {
    input.addEventListener("blur", () => { if (input.value || input.getAttribute("aria-invalid")) check(input); });
    input.addEventListener("input", () => { if (input.getAttribute("aria-invalid")) check(input); });
  }
};
const keepTyped = (form) => {
  const key = `kept:${form.dataset.keep}`;
  const inputs = all("input, select, textarea", form).filter((one) => one.name && !["hidden", "password"].includes(one.type));
  const kept = remembered(key);
  if (kept && !form.querySelector("[aria-invalid]")) {
    const values = JSON.parse(kept);
    for (const one of inputs) {
      if (!(one.name in values)) continue;
      one.type === "checkbox" ? (one.checked = values[one.name]) : one.type === "radio" ? (one.checked = one.value === values[one.name]) : (one.value = values[one.name]);
    }
  }
  form.addEventListener("input", () => {
    const now = inputs.filter((one) => one.type !== "radio" || one.checked).map((one) => [one.name, one.type === "checkbox" ? one.checked : one.value]);
    remember(key, JSON.stringify(Object.fromEntries(now)));
  });
};

/* Live: when the server says that something changed, the page asks for itself and takes over what is new. */
let source = null;
const follow = (place) => {
  if (source) source.close();
  source = null;
  if (!place) return;
  source = new EventSource(place.dataset.live);
  source.addEventListener("hello", (event) => {
    all("[data-live-sign]").forEach((sign) => sign.classList.remove("hidden"));
    if (event.data !== place.dataset.modified) refresh();
  });
  source.addEventListener("changed", refresh);
  source.addEventListener("gone", () => location.replace(place.dataset.gone));
};
const refresh = async () => {
  if (document.querySelector("form[data-sent]")) return;
  const answer = await fetch(location.pathname, { headers: { Accept: "text/html", "X-Live": "1" } });
  if (answer.redirected || answer.status !== 200) { location.replace(answer.redirected ? answer.url : location.pathname); return; }
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const before = document.getElementById("main");
  const after = fresh.getElementById("main");
  if (!before || !after) { location.reload(); return; }
  const focused = document.activeElement && before.contains(document.activeElement);
  for (const one of all("[autofocus]", after)) one.removeAttribute("autofocus");
  before.replaceWith(after);
  document.title = fresh.title;
  start(after);
  if (focused) after.querySelector("h1")?.focus();
};

/* The session: the host application and whoever reads hear of its end before it comes. */
const WARNING_MS = 120000;
const watchSession = () => {
  const place = document.querySelector("[data-ends]");
  if (!place) return;
  const left = Number(place.dataset.ends) - Number(place.dataset.now);
  const origins = document.querySelector("[data-origins-all]")?.dataset.originsAll.split(" ").filter(Boolean) ?? [];
  setTimeout(() => {
    all("[data-soon]").forEach((one) => one.classList.remove("hidden"));
    tell({ type: "marketplace.session_ends", status: "ending", inSeconds: Math.round(WARNING_MS / 1000) }, origins);
  }, Math.min(Math.max(0, left - WARNING_MS), 2147483647));
};

const start = (root) => {
  tellOnce(root);
  all("form[data-once]", root).forEach(guard);
  all("form[data-check]", root).forEach(watch);
  all("form[data-keep]", root).forEach(keepTyped);
  follow(root.querySelector("[data-live]"));
};

start(document);
watchSession();
/* Browsers do not heed autofocus in frames of other sites; whoever has clicked there is met at the heading. */
if (window.parent !== window && document.hasFocus()) (document.querySelector("[data-first]") ?? document.querySelector("h1"))?.focus();
if (window.opener || window.parent !== window) {
  for (const button of all("[data-close]")) {
    if (window.parent !== window) continue;
    button.classList.remove("hidden");
    button.addEventListener("click", () => window.close());
  }
}
for (const link of all("[data-window]")) {
  link.addEventListener("click", () => {
    link.classList.remove("primary");
    all("[data-window-used]").forEach((one) => one.classList.remove("hidden"));
  });
}
for (const link of all("[data-popup]")) {
  link.addEventListener("click", (event) => {
    if (window.open(link.href, "authorize", "popup,width=560,height=720")) event.preventDefault();
  });
}
if (document.querySelector("[data-close-now]") && window.opener) window.close();
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of all("form[data-sent]")) delete form.dataset.sent;
  for (const button of all("[aria-busy]")) button.removeAttribute("aria-busy");
});
