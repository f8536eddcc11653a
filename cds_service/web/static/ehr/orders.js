// The order pane: what is drafted but not signed, and what was signed in this page.

import { find, make, say } from "./page.js";

// `on.select` and `on.sign` are told the drafts; `on.sign` answers whether the clinician has to look first.
export function orderPane(on) {
  const state = { drafts: [], offered: [], choice: null, warned: false, count: 0 };

  // What was chosen and where the keyboard was stay, though everything is made anew.
  function draw() {
    const focused = document.activeElement;
    const within = find("orders").contains(focused);
    const offers = make("select", { id: "offer" }, ...state.offered.map((one) => make("option", { value: one.id }, one.label)));
    const dose = make("input", { id: "dose", type: "number", min: "0", step: "any", inputmode: "decimal" });
    const doseLine = make("p", {}, make("label", { for: "dose" }, say("dose_mg")), " ", dose);
    const match = () => {
      const asked = doseOf(chosen(offers.value)?.resource);
      doseLine.hidden = asked === null;
      if (asked !== null) dose.value = asked.value;
    };
    offers.addEventListener("change", () => {
      state.choice = offers.value;
      match();
    });
    if (state.choice) offers.value = state.choice;
    match();
    find("orders").replaceChildren(
      make("p", {}, make("label", { for: "offer" }, say("order")), " ", offers), doseLine,
      make("button", { type: "button", id: "draft", onclick: () => add(chosen(offers.value), dose.value) }, say("draft")),
      state.drafts.length ? make("ul", { class: "lines" }, ...state.drafts.map(line)) : make("p", { class: "soft" }, say("no_drafts")),
      make("button", { type: "button", id: "sign", disabled: state.drafts.length === 0, onclick: sign }, say(state.warned ? "sign_anyway" : "sign")),
    );
    if (within) find(focused.id === "sign" && state.drafts.length ? "sign" : "draft").focus();
  }

  const chosen = (id) => state.offered.find((one) => one.id === id);

  function line(draft) {
    const remove = () => {
      state.drafts = state.drafts.filter((one) => one !== draft);
      changed([]);
    };
    return make("li", {}, make("strong", {}, draft.label), " ", make("span", { class: "soft" }, say("draft_status")), " ",
      make("button", { type: "button", onclick: remove, "aria-label": say("remove", { what: draft.label }) }, "✕"));
  }

  function add(offer, dose) {
    if (!offer) return;
    state.count += 1;
    const resource = { ...withDose(structuredClone(offer.resource), dose), id: `${offer.resource.id ?? offer.id}-${state.count}` };
    const draft = { label: labelOf(offer, resource), resource };
    state.drafts = [...state.drafts, draft];
    changed([draft]);
  }

  function changed(selected) {
    state.warned = false;
    draw();
    on.select(state.drafts.map((one) => one.resource), selected.map((one) => `${one.resource.resourceType}/${one.resource.id}`));
  }

  // The first press asks the services; when they have something to say, the second press signs.
  async function sign() {
    const drafts = state.drafts.map((one) => one.resource);
    if (!state.warned && (await on.sign(drafts))) {
      state.warned = true;
      draw();
      return;
    }
    state.drafts = [];
    state.warned = false;
    draw();
    on.signed(drafts);
  }

  return {
    offer(offered) {
      Object.assign(state, { offered, choice: null, drafts: [], warned: false });
      draw();
    },
    // An order that a card suggested.
    take(label, resource) {
      state.count += 1;
      state.drafts = [...state.drafts, { label, resource: { ...resource, id: resource.id ?? `suggested-${state.count}` } }];
      state.warned = false;
      draw();
    },
    drafts: () => state.drafts.map((one) => one.resource),
  };
}

function doseOf(resource) {
  return resource?.dosageInstruction?.[0]?.doseAndRate?.[0]?.doseQuantity ?? null;
}

function withDose(resource, value) {
  const dose = doseOf(resource);
  if (dose && value !== "" && Number(value) !== dose.value) {
    dose.value = Number(value);
    delete resource.dosageInstruction[0].text;
  }
  return resource;
}

// As it is offered; with another dose the drug and that dose.
function labelOf(offer, resource) {
  const dose = doseOf(resource);
  if (!dose || dose.value === doseOf(offer.resource).value) return offer.label;
  return `${resource.medicationCodeableConcept?.text ?? offer.label}, ${dose.value} ${dose.unit ?? ""}`.trim();
}
