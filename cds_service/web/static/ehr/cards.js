// The cards at the right, as an EHR renders them: worst first, with suggestions, links and ways to dismiss.

import { feedback } from "./hooks.js";
import { announce, find, make, say, setup } from "./page.js";

const ORDER = ["critical", "warning", "info"];

// The answers of all services asked, one region each. `accept` is told the suggestion that a person takes.
export async function drawCards(answers, accept) {
  const drawn = await Promise.all(answers.map((answer) => drawAnswer(answer, accept)));
  find("cards").replaceChildren(...(drawn.length ? drawn : [make("p", { class: "soft" }, say("nobody_asked"))]));
  const count = answers.flatMap((answer) => answer.cards ?? []).length;
  const came = say(count === 1 ? "one_card" : "cards_came", { n: count });
  find("to-cards").textContent = came;
  announce(came);
}

async function drawAnswer({ service, cards, trouble }, accept) {
  const title = make("h3", { class: "asked" }, service.title ?? service.id, " ", make("span", { class: "soft" }, `(${service.hook})`));
  if (trouble) return make("section", {}, title, make("p", { class: "trouble" }, say("refused", { why: trouble })));
  if (cards.length === 0) return make("section", {}, title, make("p", { class: "soft" }, say("nothing_to_say")));
  const sorted = [...cards].sort((one, other) => ORDER.indexOf(one.indicator) - ORDER.indexOf(other.indicator));
  return make("section", {}, title, ...(await Promise.all(sorted.map((card) => drawCard(service, card, accept)))));
}

async function drawCard(service, card, accept) {
  const article = make("article", { class: `card ${ORDER.includes(card.indicator) ? card.indicator : ""}` });
  const close = (message) => {
    article.replaceChildren(make("p", { tabindex: "-1", class: "soft" }, message));
    article.firstChild.focus();
  };
  article.append(
    make("p", { class: "indicator" }, say(`indicator_${card.indicator}`)),
    make("h4", {}, String(card.summary)),
    await detailOf(card),
    make("p", { class: "soft" }, say("source"), " ", linkOr(card.source?.label, card.source?.url)),
    ...(card.suggestions ?? []).map((one) => suggestion(service, card, one, accept)),
    ...(card.links?.length ? [make("ul", {}, ...card.links.map((one) => make("li", {}, linkOr(one.label, one.url))))] : []),
    dismissal(service, card, close),
  );
  return article;
}

async function detailOf(card) {
  if (!card.detail) return null;
  const response = await fetch(setup.markdown, { method: "POST", body: String(card.detail), credentials: "omit" });
  const place = make("div", { class: "detail" });
  // Safe: our own server escapes everything but the few marks that it knows.
  if (response.ok) place.innerHTML = await response.text();
  else place.textContent = card.detail;
  return place;
}

function linkOr(label, url) {
  const safe = /^https?:\/\//.test(url ?? "");
  return safe ? make("a", { href: url, target: "_blank", rel: "noreferrer noopener" }, String(label ?? url)) : String(label ?? "");
}

function suggestion(service, card, one, accept) {
  const take = async (event) => {
    event.target.disabled = true;
    event.target.textContent = say("accepted", { what: one.label });
    if (card.uuid && one.uuid) await tell(service, { card: card.uuid, outcome: "accepted", acceptedSuggestions: [{ id: one.uuid }] });
    accept(one);
  };
  const what = (one.actions ?? []).map((action) => action.description).filter((text) => text && text !== one.label);
  return make("p", { class: "suggestion" }, make("button", { type: "button", onclick: take }, String(one.label)),
    what.length ? make("span", { class: "soft" }, ` ${what.join("; ")}`) : null);
}

function dismissal(service, card, close) {
  if (!card.uuid) return null;
  const reasons = card.overrideReasons ?? [];
  const choice = make("select", {}, make("option", { value: "" }, say("no_reason")),
    ...reasons.map((one, number) => make("option", { value: number }, String(one.display ?? one.code))));
  const comment = make("input", { type: "text", maxlength: "500", autocomplete: "off" });
  const dismiss = async () => {
    const reason = reasons[choice.value];
    const override = { ...(reason ? { reason } : {}), ...(comment.value ? { userComment: comment.value } : {}) };
    const entry = { card: card.uuid, outcome: "overridden", ...(Object.keys(override).length ? { overrideReason: override } : {}) };
    close(say((await tell(service, entry)) ? "dismissed" : "dismissed_unheard"));
  };
  return make("details", { class: "dismiss" }, make("summary", {}, say("dismiss")),
    ...(reasons.length ? [make("label", {}, say("why"), " ", choice)] : []),
    make("label", {}, say("comment"), " ", comment),
    make("button", { type: "button", onclick: dismiss }, say("dismiss_card")));
}

async function tell(service, entry) {
  const answer = await feedback(service, entry);
  if (!answer.ok) announce(say("feedback_failed"));
  return answer.ok;
}
