// The demo EHR: opens charts, calls the services through their real endpoints, keeps what was signed until a reset.

import { drawCards } from "./cards.js";
import { drawChart } from "./chart.js";
import { engineerPanel } from "./engineer.js";
import { call, discover, forget } from "./hooks.js";
import { orderPane } from "./orders.js";
import { announce, find, make, say, setup } from "./page.js";
import { FAULTS, prefetch, readChart } from "./records.js";

const ours = new URL(setup.services, location.href).href;
const server = new URL(setup.fhir, location.href).href;
const state = { story: null, parts: null, discoveries: [ours], services: [], signed: new Map(), faults: {}, answers: new Map(), opening: 0 };

const pane = orderPane({
  select: (drafts, selections) => ordered("order-select", drafts, { selections }),
  sign: async (drafts) => (await ordered("order-sign", drafts, {})).some((answer) => answer.cards?.length || answer.trouble),
  signed: (drafts) => {
    const today = new Date().toISOString().slice(0, 10);
    const active = drafts.map((one) => ({ ...one, status: "active", intent: "order", authoredOn: today }));
    state.signed.set(state.story.patient, [...signed(), ...active]);
    announce(say("signed"));
    open(state.story);
  },
});

function signed() {
  return state.signed.get(state.story.patient) ?? [];
}

function context(more = {}) {
  return { userId: setup.user, patientId: state.story.patient, ...more };
}

async function open(story) {
  const opening = (state.opening += 1);
  state.story = story;
  state.answers = new Map();
  for (const button of document.querySelectorAll("#stories button")) {
    button.setAttribute("aria-current", String(button.dataset.story === story.id));
  }
  find("whole").href = `${setup.whole}/${encodeURIComponent(story.id)}`;
  find("cards").replaceChildren(make("p", { class: "soft" }, say("asking")));
  const [parts, offered] = await Promise.all([readChart(server, story.patient), drafts(story.patient)]);
  if (opening !== state.opening) return;
  state.parts = parts;
  drawChart(story, parts, signed());
  pane.offer(offered);
  await ask("patient-view", context(), opening);
}

async function drafts(patient) {
  const response = await fetch(`${setup.drafts}/${encodeURIComponent(patient)}`, { credentials: "omit" });
  return response.ok ? response.json() : [];
}

async function ordered(hook, resources, more) {
  drawChart(state.story, state.parts, [...resources, ...signed()]);
  const draftOrders = { resourceType: "Bundle", type: "collection", entry: resources.map((resource) => ({ resource })) };
  return ask(hook, context({ ...more, draftOrders }), state.opening);
}

// Every service of the hook is asked at once; new answers stand in place of its earlier ones.
async function ask(hook, hookContext, opening) {
  const asked = state.services.filter((one) => one.hook === hook);
  const access = { server: find("offer-server").checked ? server : null, token: true };
  const answers = await Promise.all(asked.map(async (service) => {
    const answered = await prefetch(service, hookContext, server, state.faults, signed());
    return call(service, hookContext, { ...access, prefetch: answered });
  }));
  if (opening !== state.opening) return answers;
  for (const older of [...state.answers.keys()]) if (state.answers.get(older).service.hook.startsWith("order-")) state.answers.delete(older);
  for (const answer of answers) state.answers.set(answer.service.url, answer);
  await drawCards([...state.answers.values()].reverse(), accept);
  return answers;
}

// What a suggestion creates becomes a draft in the order pane; what it deletes or updates is only named.
function accept(suggestion) {
  for (const action of suggestion.actions ?? []) {
    if (action.type === "create" && action.resource) pane.take(action.description ?? suggestion.label, action.resource);
  }
  drawChart(state.story, state.parts, [...pane.drafts(), ...signed()]);
  announce(say("accepted", { what: suggestion.label }));
}

async function findServices() {
  const trouble = [];
  const found = await Promise.all(state.discoveries.map(async (address) => {
    try {
      return await discover(address);
    } catch (error) {
      trouble.push(say("no_discovery", { address, why: error.message }));
      return [];
    }
  }));
  state.services = found.flat();
  find("services").replaceChildren(...state.services.map((one) => make("li", {}, `${one.title ?? one.id} (${one.hook})`)),
    ...trouble.map((text) => make("li", { class: "trouble" }, text)));
  drawFaults();
}

// One choice for each prefetch key that any service asks for.
function drawFaults() {
  const keys = [...new Set(state.services.flatMap((one) => Object.keys(one.prefetch ?? {})))];
  find("faults").replaceChildren(...keys.map((key) => {
    const choose = (event) => { state.faults[key] = event.target.value; };
    const options = ["as_it_is", ...Object.keys(FAULTS)].map((name) =>
      make("option", { value: name, selected: state.faults[key] === name }, say(`fault_${name}`)));
    return make("label", {}, make("code", {}, key), " ", make("select", { onchange: choose }, ...options));
  }));
}

async function addService(event) {
  event.preventDefault();
  const address = find("address").value.trim().replace(/\/+$/, "");
  if (!/^https?:\/\//.test(address)) {
    announce(say("address_expected"));
    find("address-trouble").textContent = say("address_expected");
    return;
  }
  find("address-trouble").textContent = "";
  const full = address.endsWith("/cds-services") ? address : `${address}/cds-services`;
  if (!state.discoveries.includes(full)) state.discoveries.push(full);
  await findServices();
  await open(state.story);
}

async function reset() {
  Object.assign(state, { discoveries: [ours], signed: new Map(), faults: {} });
  find("offer-server").checked = true;
  find("address").value = "";
  forget();
  await findServices();
  await open(setup.charts[0]);
  announce(say("reset_done"));
}

async function start() {
  engineerPanel();
  find("stories").replaceChildren(...setup.charts.map((story) => make("li", {},
    make("button", { type: "button", "data-story": story.id, onclick: () => open(story) },
      make("strong", {}, story.title), make("span", {}, story.line)))));
  find("reset").addEventListener("click", reset);
  find("again").addEventListener("click", () => open(state.story));
  find("add-service").addEventListener("submit", addService);
  await findServices();
  const wanted = setup.charts.find((story) => story.id === location.hash.slice(1));
  await open(wanted ?? setup.charts[0]);
}

start();
