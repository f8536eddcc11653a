// What engineers look at: every request and response as JSON, each to be copied as a curl command.

import { exchanges, forget, onExchange } from "./hooks.js";
import { announce, find, make, say } from "./page.js";

export function engineerPanel() {
  onExchange(draw);
  find("forget").addEventListener("click", forget);
  draw();
}

function draw() {
  const newest = [...exchanges].reverse();
  find("exchanges").replaceChildren(...(newest.length ? newest.map(drawn) : [make("p", { class: "soft" }, say("no_exchanges"))]));
}

function drawn(entry) {
  const outcome = entry.ok ? String(entry.status) : entry.trouble ?? String(entry.status);
  const title = `${entry.number}. ${entry.method} ${entry.hook} → ${outcome}, ${entry.milliseconds} ms`;
  return make("details", {}, make("summary", {}, title), make("p", { class: "address" }, entry.url),
    make("button", { type: "button", onclick: () => copy(asCurl(entry)) }, say("copy_curl")),
    ...(entry.request ? [make("h4", {}, say("request")), json(entry.request, say("request"))] : []),
    make("h4", {}, say("response")), json(entry.body ?? entry.text ?? entry.trouble, say("response")));
}

function json(value, label) {
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  return make("pre", { tabindex: "0", role: "group", "aria-label": label }, text ?? "");
}

function asCurl(entry) {
  const quoted = (text) => `'${String(text).replaceAll("'", "'\\''")}'`;
  const body = entry.request ? ["-H", quoted("Content-Type: application/json"), "--data-raw", quoted(JSON.stringify(entry.request))] : [];
  return ["curl", "-s", ...body, quoted(entry.url)].join(" ");
}

async function copy(text) {
  const place = find("curl");
  place.value = text;
  place.hidden = false;
  try {
    await navigator.clipboard.writeText(text);
    announce(say("copied"));
  } catch {
    // Without permission the text stands in the field, selected.
    place.select();
    announce(say("select_and_copy"));
  }
}
