// The chart in the middle: what a clinician sees of the record, newest first.

import { find, make, say, setup } from "./page.js";

const LONGEST = 60;

export function drawChart(story, parts, orders) {
  const place = find("chart");
  place.replaceChildren(
    make("h1", { id: "chart-title", tabindex: "-1" }, story.title),
    make("p", { class: "soft" }, story.line),
    banner(parts.patient, parts.results),
    section("problems", parts.problems, problems),
    section("transplants", parts.procedures, procedures),
    medicationSection(parts, orders),
    section("results", parts.results, results),
  );
}

function banner(patients, found) {
  if (patients instanceof Error) return trouble(patients);
  const patient = patients[0];
  const name = (patient.name ?? []).map((one) => one.text ?? [...(one.given ?? []), one.family].join(" "))[0];
  const facts = [name, patient.gender && say(patient.gender), patient.birthDate && say("born", { day: patient.birthDate })];
  const weight = (found instanceof Error ? [] : found).find((one) => nameOf(one.code).toLowerCase().includes("weight"));
  if (weight?.valueQuantity) facts.push(say("weighs", { value: amount(weight.valueQuantity), day: day(dayOf(weight)) }));
  return make("p", { class: "banner" }, facts.filter(Boolean).join(" · "));
}

function section(name, found, draw) {
  const content = found instanceof Error ? trouble(found) : found.length ? draw(found) : make("p", { class: "soft" }, say("none_recorded"));
  return make("section", { "aria-labelledby": `h-${name}` }, make("h2", { id: `h-${name}` }, say(name)), content);
}

function trouble(error) {
  return make("p", { class: "trouble" }, say("not_read", { why: error.message }));
}

function problems(found) {
  return list(found.map((one) => [
    nameOf(one.code), ...severityOf(one), one.clinicalStatus?.coding?.[0]?.code, one.onsetDateTime ?? one.recordedDate,
  ]));
}

function severityOf(problem) {
  return problem.severity ? [nameOf(problem.severity)] : [];
}

function procedures(found) {
  return list(found.map((one) => [nameOf(one.code), one.status, dayOf(one)]));
}

// Orders that this page knows and the server does not: drafts, and those signed here.
function medicationSection(parts, orders) {
  const names = ["statements", "requests", "administrations"];
  const failed = names.map((name) => parts[name]).find((one) => one instanceof Error);
  const found = names.flatMap((name) => (parts[name] instanceof Error ? [] : parts[name]));
  const lines = [...orders, ...found].map((one) => [
    medicationName(one), dosageOf(one), say(one.status === "draft" ? "draft_order" : one.status), periodOf(one),
  ]);
  const content = [failed ? trouble(failed) : null, lines.length ? list(lines) : make("p", { class: "soft" }, say("none_recorded"))];
  return make("section", { "aria-labelledby": "h-medications" }, make("h2", { id: "h-medications" }, say("medications")), ...content);
}

function medicationName(one) {
  const concept = one.medicationCodeableConcept ?? one.code;
  return concept ? nameOf(concept) : one.medicationReference?.display ?? one.medicationReference?.reference ?? say("unnamed");
}

function dosageOf(one) {
  const dosage = [...(one.dosage ? [one.dosage].flat() : []), ...(one.dosageInstruction ?? [])];
  return dosage.map((step) => step.text ?? amount(step.doseAndRate?.[0]?.doseQuantity ?? step.dose)).filter(Boolean).join("; ");
}

function periodOf(one) {
  const period = one.effectivePeriod;
  if (period) return [period.start, period.end ? say("until", { day: period.end }) : ""].filter(Boolean).join(" ");
  return one.authoredOn ?? one.effectiveDateTime;
}

function results(found) {
  const rows = found.map((one) => make("tr", {},
    make("th", { scope: "row" }, nameOf(one.code)),
    make("td", {}, valueOf(one)),
    make("td", {}, rangeOf(one)),
    make("td", {}, day(dayOf(one)))));
  const head = ["result", "value", "range", "day"].map((name) => make("th", { scope: "col" }, say(name)));
  return make("div", { class: "wide", tabindex: "0", role: "group", "aria-labelledby": "h-results" },
    make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows)));
}

function valueOf(one) {
  if (one.valueQuantity) return amount(one.valueQuantity);
  const plain = [one.valueInteger, one.valueString, one.valueCodeableConcept && nameOf(one.valueCodeableConcept)];
  return String(plain.find((value) => value !== undefined) ?? "");
}

function rangeOf(one) {
  const range = one.referenceRange?.[0];
  if (!range) return "";
  return range.text ?? [range.low && amount(range.low), range.high && amount(range.high)].map((end) => end ?? "").join(" – ");
}

function amount(quantity) {
  if (!quantity) return "";
  const value = typeof quantity.value === "number" ? quantity.value.toLocaleString(setup.language) : quantity.value ?? "";
  const unit = String(quantity.unit ?? quantity.code ?? "").replace(/^10\*(\d+)\//, (_, power) => `×10${raised(power)}/`);
  return [quantity.comparator, value, unit].filter((part) => part !== undefined && part !== "").join(" ");
}

function raised(digits) {
  return digits.replace(/\d/g, (digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]);
}

function list(lines) {
  const items = lines.map(([name, ...rest]) => make("li", {},
    make("strong", {}, short(name)), ` ${rest.filter(Boolean).map(day).map(short).join(" · ")}`));
  return make("ul", { class: "lines" }, ...items);
}

function nameOf(concept) {
  if (typeof concept !== "object" || concept === null) return say("unnamed");
  return concept.text ?? concept.coding?.[0]?.display ?? concept.coding?.[0]?.code ?? say("unnamed");
}

function dayOf(one) {
  return one.effectiveDateTime ?? one.performedDateTime ?? one.effectivePeriod?.start ?? one.performedPeriod?.start ?? "";
}

// A day is enough on a chart; other words stay as they are.
function day(text) {
  return String(text).replace(/^(\d{4}-\d{2}-\d{2})T.*$/, "$1");
}

function short(text) {
  return String(text).length > LONGEST ? `${String(text).slice(0, LONGEST - 1)}…` : String(text);
}
