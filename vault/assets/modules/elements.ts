/** Makes elements from text that may come from strangers: nothing here ever parses HTML. */

export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  className: string,
  text = "",
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  made.className = className;
  if (text !== "") made.textContent = text;
  return made;
}

const SVG = "http://www.w3.org/2000/svg";

/** Draw one of our line icons from its paths. */
export function icon(...paths: string[]): SVGSVGElement {
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("class", "icon");
  drawing.setAttribute("viewBox", "0 0 24 24");
  drawing.setAttribute("aria-hidden", "true");
  for (const line of paths) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", line);
    drawing.append(path);
  }
  return drawing;
}

/** A button with words, an icon, or both; `label` is what it is called. */
export function button(label: string, className: string, drawing?: SVGSVGElement): HTMLButtonElement {
  const made = element("button", className);
  made.type = "button";
  if (drawing === undefined) {
    made.textContent = label;
  } else {
    made.append(drawing);
    made.setAttribute("aria-label", label);
    made.title = label;
  }
  return made;
}

export const drawings = {
  earlier: ["m14.5 5.5-6.5 6.5 6.5 6.5"],
  later: ["m9.5 5.5 6.5 6.5-6.5 6.5"],
  below: ["m5.5 9.5 6.5 6.5 6.5-6.5"],
  above: ["m5.5 14.5 6.5-6.5 6.5 6.5"],
  pause: ["M9 5.5v13", "M15 5.5v13"],
  go: ["M8 5.5v13l10.5-6.5z"],
  live: ["M12 14.6a2.6 2.6 0 1 0 0-5.2 2.6 2.6 0 0 0 0 5.2z", "M12 18a6 6 0 1 0 0-12 6 6 0 0 0 0 12z", "M12 21h.01", "M12 3h.01", "M21 12h.01", "M3 12h.01", "M18.4 18.4h.01", "M5.6 5.6h.01", "M18.4 5.6h.01", "M5.6 18.4h.01"],
  albums: ["M4 8.5h16V19H4z", "M6.5 5.5h11", "M9 2.8h6"],
  close: ["m6 6 12 12", "M18 6 6 18"],
  download: ["M12 4.5v11", "m7.5 11 4.5 4.5 4.5-4.5", "M4.5 16v3.5h15V16"],
  link: ["M10 14a4 4 0 0 0 5.7 0l3.1-3.1a4 4 0 0 0-5.7-5.7L12 6.3", "M14 10a4 4 0 0 0-5.7 0l-3.1 3.1a4 4 0 0 0 5.7 5.7l1.1-1.1"],
  picture: ["M4 5.5h16v13H4z", "m4.5 16 4.5-4.5 3.5 3.5 3-3 4 4"],
  restore: ["M4.5 12a7.5 7.5 0 1 0 2.3-5.4", "M4.5 3.5v4h4"],
  trash: ["M4.5 6.5h15", "M9 6.5V4h6v2.5", "m6.5 6.5 1 13.5h9l1-13.5"],
  upload: ["M12 16V5", "m7.5 9 4.5-4.5L16.5 9", "M4.5 15v4.5h15V15"],
  warning: ["M12 4 3 19.5h18z", "M12 10v4.5", "M12 17h.01"],
} satisfies Record<string, string[]>;
