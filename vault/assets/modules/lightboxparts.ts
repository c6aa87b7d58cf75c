/** What the vault adds to PhotoSwipe: the original, the picture's own page, and the caption as plain text. */
import type PhotoSwipe from "photoswipe";

import { icon } from "./elements";
import type { Tile } from "./tiles";

type Current = () => Tile | undefined;

export function addButtons(lightbox: PhotoSwipe, current: Current): void {
  lightbox.on("uiRegister", () => {
    addLink(lightbox, {
      name: "vault-original",
      label: "Download the original",
      drawing: ["M12 4.5v11", "m7.5 11 4.5 4.5 4.5-4.5", "M4.5 16v3.5h15V16"],
      address: () => current()?.original ?? null,
      download: true,
    });
    addLink(lightbox, {
      name: "vault-page",
      label: "Details of this picture",
      drawing: ["M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17z", "M12 11v5", "M12 8h.01"],
      address: () => current()?.page ?? null,
      download: false,
    });
  });
}

interface LinkPart {
  name: string;
  label: string;
  drawing: string[];
  address: () => string | null;
  download: boolean;
}

function addLink(lightbox: PhotoSwipe, part: LinkPart): void {
  lightbox.ui?.registerElement({
    name: part.name,
    order: part.download ? 8 : 9,
    tagName: "a",
    isButton: true,
    className: "pswp__button--vault",
    title: part.label,
    onInit: (made) => {
      made.append(icon(...part.drawing));
      if (part.download) made.setAttribute("download", "");
      lightbox.on("change", () => {
        const address = part.address();
        made.hidden = address === null;
        made.setAttribute("href", address ?? "#");
      });
    },
  });
}

export function addCaption(lightbox: PhotoSwipe, current: Current): void {
  lightbox.on("uiRegister", () => {
    lightbox.ui?.registerElement({
      name: "vault-caption",
      className: "pswp__caption pswp__hide-on-close",
      appendTo: "root",
      onInit: (made) => {
        made.setAttribute("role", "status");
        lightbox.on("change", () => {
          made.textContent = current()?.caption ?? "";
        });
      },
    });
  });
}
