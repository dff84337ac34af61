// node receipt_wasm.mjs FOLDER: reads file names from stdin, one a line; prints for each a JSON array
// of the texts of the QR codes in that picture. FOLDER holds the unpacked npm package zxing-wasm.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const folder = process.argv[2];
const reader = await import(pathToFileURL(join(folder, "dist/es/reader/index.js")));
reader.prepareZXingModule({
  overrides: { wasmBinary: readFileSync(join(folder, "dist/reader/zxing_reader.wasm")) },
});
for await (const line of createInterface({ input: process.stdin })) {
  const codes = await reader.readBarcodes(new Uint8Array(readFileSync(line)), { formats: ["QRCode"] });
  console.log(JSON.stringify(codes.filter((code) => code.isValid).map((code) => code.text)));
}
