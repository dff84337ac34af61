// Small helpers for the page's elements. Text only ever becomes text, never HTML.

export const $ = (id) => document.getElementById(id);

export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const name of Object.keys(attributes)) {
    const value = attributes[name];
    if (name === "onclick") element.addEventListener("click", value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export function fill(element, ...children) {
  element.textContent = "";
  element.append(...children.filter((child) => child !== null && child !== undefined));
}

const SIGNS = {
  check: "M5 13l5 5L20 7",
  cross: "M6 6l12 12M18 6L6 18",
  exclamation: "M12 4v10M12 18.5v1",
  question: "M8.5 8.5a3.5 3.5 0 1 1 5.6 2.8c-1.4 1-2.1 1.7-2.1 3.2M12 18.5v1",
};

// A sign beside the colour: a verdict must be readable without colours.
export function sign(name) {
  const space = "http://www.w3.org/2000/svg";
  const picture = document.createElementNS(space, "svg");
  picture.setAttribute("viewBox", "0 0 24 24");
  picture.setAttribute("class", `sign ${name}`);
  picture.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", SIGNS[name]);
  picture.append(path);
  return picture;
}
