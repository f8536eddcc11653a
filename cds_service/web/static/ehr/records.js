// The record of the patient: read from the FHIR server for the chart, and as the answers to prefetch templates.

const HEADERS = { Accept: "application/fhir+json" };

// What is read for the chart itself.
const CHART = {
  patient: (id) => `Patient/${id}`,
  problems: (id) => `Condition?patient=${id}&_count=200`,
  procedures: (id) => `Procedure?patient=${id}&_count=200`,
  statements: (id) => `MedicationStatement?patient=${id}&_count=200`,
  requests: (id) => `MedicationRequest?patient=${id}&_count=200`,
  administrations: (id) => `MedicationAdministration?patient=${id}&_count=200`,
  results: (id) => `Observation?patient=${id}&_sort=-date&_count=500`,
};

// The ways in which an answer can arrive otherwise than it should, each made from the right answer.
export const FAULTS = {
  absent: () => undefined,
  null: () => null,
  empty: () => ({ resourceType: "Bundle", type: "searchset", total: 0 }),
  outcome: () => outcome("The server could not be reached."),
  inside: () => ({ resourceType: "Bundle", type: "searchset", entry: [{ search: { mode: "outcome" }, resource: outcome("The search failed.") }] }),
  truncated: firstOnly,
  string: (answer) => `${answer.resourceType ?? "Bundle"}/of-which-only-the-name-came`,
  other: (answer) => ofAnother(answer),
  unreadable: (answer) => spoilt(answer),
};

async function read(server, path) {
  const response = await fetch(`${server}/${path}`, { headers: HEADERS, cache: "no-store", credentials: "omit" });
  if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
  return response.json();
}

// Each part of the chart: the resources of it, or the error that was met.
export async function readChart(server, patientId) {
  const parts = await Promise.all(Object.entries(CHART).map(async ([name, path]) => {
    try {
      return [name, resourcesOf(await read(server, path(encodeURIComponent(patientId))))];
    } catch (error) {
      return [name, error];
    }
  }));
  return Object.fromEntries(parts);
}

export function resourcesOf(answer) {
  return answer.resourceType === "Bundle" ? (answer.entry ?? []).map((one) => one.resource) : [answer];
}

// The answers to a service's prefetch templates. A template with a token that this page does not know, and a query
// that fails, are left out, as CDS Hooks 2.0 says. `faults` names what is to go wrong with which key, `signed` the
// orders that were signed in this page and are on no server.
export async function prefetch(service, context, server, faults, signed) {
  const answers = {};
  await Promise.all(Object.entries(service.prefetch ?? {}).map(async ([key, template]) => {
    const path = filled(template, context);
    if (path === null) return;
    try {
      const answer = withSigned(await read(server, path), path, signed);
      const fault = FAULTS[faults[key]];
      answers[key] = fault ? fault(answer) : answer;
    } catch {
      // Left out: the service has to live with it, and says what it did.
    }
  }));
  return Object.fromEntries(Object.keys(service.prefetch ?? {}).filter((key) => answers[key] !== undefined).map((key) => [key, answers[key]]));
}

function filled(template, context) {
  let known = true;
  const path = template.replace(/\{\{\s*context\.(\w+)\s*\}\}/g, (_, field) => {
    if (typeof context[field] !== "string") known = false;
    return encodeURIComponent(context[field] ?? "");
  });
  return known && !path.includes("{{") ? path : null;
}

function withSigned(answer, path, signed) {
  const type = path.split(/[?/]/, 1)[0];
  const more = signed.filter((one) => one.resourceType === type);
  if (answer.resourceType !== "Bundle" || more.length === 0) return answer;
  const entry = [...(answer.entry ?? []), ...more.map((resource) => ({ resource, search: { mode: "match" } }))];
  return { ...answer, total: entry.length, entry };
}

function outcome(diagnostics) {
  return { resourceType: "OperationOutcome", issue: [{ severity: "error", code: "exception", diagnostics }] };
}

function firstOnly(answer) {
  if (answer.resourceType !== "Bundle") return answer;
  const entry = (answer.entry ?? []).slice(0, 1);
  return { ...answer, total: (answer.entry ?? []).length + 1, entry, link: [{ relation: "next", url: "https://ehr.example/fhir?page=2" }] };
}

function ofAnother(answer) {
  return JSON.parse(JSON.stringify(answer), (key, value) =>
    key === "reference" && String(value).startsWith("Patient/") ? "Patient/somebody-else" : value);
}

function spoilt(answer) {
  const damage = (resource) => ({ ...resource, status: 7, code: "not an object", medicationCodeableConcept: [] });
  if (answer.resourceType !== "Bundle") return damage(answer);
  return { ...answer, entry: (answer.entry ?? []).map((one) => ({ ...one, resource: damage(one.resource) })) };
}
