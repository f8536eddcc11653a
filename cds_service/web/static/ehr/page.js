// Small tools for building the page: everything from a record or a service becomes text, never markup.

export const setup = JSON.parse(document.getElementById("setup").textContent);

// The phrase of that name in the reader's language, its blanks filled in.
export function say(name, values = {}) {
  const phrase = setup.words[name] ?? name;
  return phrase.replace(/\{(\w+)\}/g, (blank, key) => String(values[key] ?? blank));
}

// An element with its attributes and its content: text or elements. `on…` attributes are listeners.
export function make(name, attributes = {}, ...content) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...content.flat().filter((part) => part !== null && part !== undefined && part !== ""));
  return element;
}

export function find(id) {
  return document.getElementById(id);
}

// Says something to people who cannot see that the page has changed.
export function announce(text) {
  find("said").textContent = text;
}

export function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
