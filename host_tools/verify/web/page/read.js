// Receipts among texts: of QR codes, of a scanner's lines, of a text file. As verify/read.py.
import { CREDENTIAL, QrError, parseQr } from "./qr_text.js";
import { PartError, joined, lacking, parsePart } from "./parts.js";

const CLAIMS = /^(HTTPS:\/\/([^#]*\/)?)?#[123][0-9]/i;
const SYMBOLOGY = /^\]Q[0-6]/; // what some scanners put before a QR code's text

// The texts with what a messenger broke over several lines put together; no empty ones.
function unbroken(lines) {
  const texts = [];
  for (const line of lines) {
    const text = line.trim().replace(SYMBOLOGY, "");
    const last = texts.length - 1;
    if (last >= 0 && CLAIMS.test(texts[last]) && /^[0-9]+$/.test(text)) texts[last] += text;
    else if (text) texts.push(text);
  }
  return texts;
}

// {found: [{data} or {data: null, problem} or {data: null, missing: [numbers, count, mark]}...],
// credential, other}. Each receipt once; what claims to be one and is malformed is found with its
// problem, not overlooked. Receipts in parts come last, those that lack one with what is missing.
export async function fromTexts(lines) {
  const found = new Map();
  const gathered = new Map();
  let credential = false;
  let other = "";
  for (const text of unbroken(lines)) {
    try {
      const part = parsePart(text);
      if (part !== null) {
        const name = `${part.mark}/${part.count}`;
        gathered.set(name, (gathered.get(name) || []).concat(part));
        continue;
      }
      const [kind, data] = parseQr(text);
      if (kind === CREDENTIAL) credential = true;
      else found.set(String(data), { data });
    } catch (error) {
      if (!(error instanceof QrError || error instanceof PartError)) throw error;
      if (error instanceof PartError || CLAIMS.test(text)) found.set(text, { data: null, problem: error.message });
      else other = other || text;
    }
  }
  const list = Array.from(found.values());
  for (const parts of gathered.values()) list.push(await whole(parts));
  return { found: list, credential, other };
}

async function whole(parts) {
  const absent = lacking(parts);
  if (absent.length) return { data: null, missing: [absent, parts[0].count, parts[0].mark.toUpperCase()] };
  try {
    return { data: await joined(parts) };
  } catch (error) {
    return { data: null, problem: error.message };
  }
}

// Why nothing was found, as [sentence, value...].
export function nothing({ credential, other }) {
  if (credential) return ["That code is the kit's credential: scan the receipt's code"];
  if (other) return ["Not a receipt: the code reads %s", other.slice(0, 40)];
  return ["No QR code found: closer, flat, in even light"];
}
