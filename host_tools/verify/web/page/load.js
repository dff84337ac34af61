// Files that lie beside the page. From a stick (file://) nothing can be fetched: there the same bytes
// come as scripts in usb/.
import { unbase64 } from "./bytes.js";

export const fromStick = () => location.protocol === "file:";

// Adds a plain script to the page, once.
export function script(source) {
  return new Promise((resolve, reject) => {
    if (document.querySelector(`script[src="${source}"]`)) return resolve();
    const element = document.createElement("script");
    element.src = source;
    element.onload = () => resolve();
    element.onerror = () => reject(new Error(source));
    document.head.append(element);
  });
}

// The bytes of a file, or null when it is not there.
export async function trusted(name) {
  if (fromStick()) {
    await script("usb/trust.js").catch(() => null);
    const held = (window.SAKSI_TRUST || {})[name];
    return held ? unbase64(held) : null;
  }
  try {
    const answer = await fetch(name, { cache: "no-cache" });
    return answer.ok ? new Uint8Array(await answer.arrayBuffer()) : null;
  } catch (error) {
    return null;
  }
}

export async function wasm() {
  if (fromStick()) {
    await script("usb/reader_wasm.js");
    return unbase64(window.SAKSI_READER).buffer;
  }
  const answer = await fetch("zxing_reader.wasm");
  if (!answer.ok) throw new Error("zxing_reader.wasm");
  return answer.arrayBuffer();
}
