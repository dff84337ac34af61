// QR codes in pictures: zxing-cpp as WebAssembly, from this folder; on a browser that cannot run it
// under this page's policy (before 2022) the browser's own BarcodeDetector, where there is one.
import { script, wasm } from "./load.js";

const OPTIONS = { formats: ["QRCode"], tryHarder: true, tryInvert: false, maxNumberOfSymbols: 8 };
let ready = null;

async function zxing() {
  await script("zxing_reader.js");
  const binary = await wasm();
  await ZXingWASM.prepareZXingModule({ overrides: { wasmBinary: binary }, fireImmediately: true });
  return async (picture, options) => {
    const codes = await ZXingWASM.readBarcodes(picture, { ...OPTIONS, ...options });
    return codes.filter((code) => code.isValid);
  };
}

async function detector() {
  if (typeof BarcodeDetector === "undefined") throw new Error("no QR reader");
  const own = new BarcodeDetector({ formats: ["qr_code"] });
  return async (picture) => (await own.detect(picture)).map((code) => ({ text: code.rawValue }));
}

// A function from ImageData to codes; rejects when this browser has no way to read QR codes.
export function reader() {
  if (ready === null) {
    ready = zxing().catch(detector);
    ready.catch(() => (ready = null)); // it may have been the network: try again next time
  }
  return ready;
}

function pixels(source, width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(width);
  canvas.height = Math.round(height);
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff"; // see-through pictures would come out black
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

// Codes in a picture file; looks harder, step by step, while it finds none.
export async function codesIn(file) {
  const read = await reader();
  const address = URL.createObjectURL(file);
  const image = new Image();
  try {
    image.src = address;
    await image.decode();
    const longest = Math.max(image.naturalWidth, image.naturalHeight);
    for (const [wanted, options] of [[1600, {}], [3200, {}], [2 * longest, {}], [1000, {}], [1600, { binarizer: "GlobalHistogram" }]]) {
      const scale = Math.min(wanted, 4000) / longest;
      if (scale > 2.01) continue;
      const codes = await read(pixels(image, image.naturalWidth * scale, image.naturalHeight * scale), options);
      if (codes.length) return codes;
    }
    return [];
  } finally {
    URL.revokeObjectURL(address);
  }
}

// Codes in the frame that a video shows now.
export async function codesOn(video) {
  const read = await reader();
  if (!video.videoWidth) return [];
  const scale = Math.min(1, 1280 / Math.max(video.videoWidth, video.videoHeight));
  return read(pixels(video, video.videoWidth * scale, video.videoHeight * scale));
}
