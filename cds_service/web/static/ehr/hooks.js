// CDS Hooks as a client speaks it, and a list of everything that was said.

import { uuid } from "./page.js";

export const exchanges = [];
const listeners = [];

export function onExchange(listener) {
  listeners.push(listener);
}

export function forget() {
  exchanges.length = 0;
  listeners.forEach((listener) => listener());
}

// The services of a discovery address, each with the address at which it is called.
export async function discover(address) {
  const answer = await exchange("GET", address);
  const services = answer.body?.services;
  if (!answer.ok || !Array.isArray(services)) throw new Error(answer.trouble ?? `${answer.status}`);
  return services.map((one) => ({ ...one, discovery: address, url: `${address}/${one.id}` }));
}

// One call of a hook: cards, or what went wrong.
export async function call(service, context, { prefetch, server, token }) {
  const request = { hook: service.hook, hookInstance: uuid(), context };
  if (server) request.fhirServer = server;
  if (server && token) request.fhirAuthorization = authorization(context.patientId);
  if (Object.keys(prefetch).length > 0) request.prefetch = prefetch;
  const answer = await exchange("POST", service.url, request, service);
  const cards = answer.ok && Array.isArray(answer.body?.cards) ? answer.body.cards : null;
  return { service, cards, trouble: cards ? null : said(answer) };
}

export async function feedback(service, entry) {
  const body = { feedback: [{ ...entry, outcomeTimestamp: new Date().toISOString() }] };
  return exchange("POST", `${service.url}/feedback`, body, service);
}

// Nobody checks this token: the demo's FHIR server is open.
function authorization(patient) {
  return {
    access_token: "demonstration", token_type: "Bearer", expires_in: 300, scope: "patient/*.read", subject: "demo-ehr", patient,
  };
}

async function exchange(method, url, request, service) {
  const started = performance.now();
  const entry = { method, url, request, hook: service?.hook ?? "", number: exchanges.length + 1 };
  try {
    const response = await fetch(url, {
      method,
      headers: { Accept: "application/json", ...(request ? { "Content-Type": "application/json" } : {}) },
      body: request ? JSON.stringify(request) : undefined,
      cache: "no-store",
      credentials: "omit",
    });
    const text = await response.text();
    Object.assign(entry, { status: response.status, ok: response.ok, text, body: parsed(text) });
  } catch (error) {
    Object.assign(entry, { ok: false, trouble: error.message });
  }
  entry.milliseconds = Math.round(performance.now() - started);
  exchanges.push(entry);
  listeners.forEach((listener) => listener(entry));
  return entry;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

// The reason of a refusal, in the words of the service.
function said(answer) {
  const issues = (answer.body?.issue ?? []).map((one) => one.diagnostics ?? one.code).filter(Boolean);
  return [answer.status, answer.trouble, ...issues].filter(Boolean).join(": ");
}
