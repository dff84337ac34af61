// Hands a receipt on to the collector: the scanned bytes are a submission (RECORD.md section 10).
// Only when somebody presses the button, only to the address in the settings.
import { hex } from "./bytes.js";
import { decode, submission } from "./cbor.js";

// [good, sentence, value...] of what came of it. `manifest`: bytes, or null when it is not at hand.
export async function send(collector, recId, data, manifest) {
  let answer;
  try {
    answer = await fetch(`${collector}/v1/records`, {
      method: "POST",
      body: submission(data, manifest),
      headers: { "Content-Type": "application/cbor" },
      credentials: "omit",
      referrerPolicy: "no-referrer",
      cache: "no-store",
    });
  } catch (error) {
    return [false, "The collector cannot be reached: try again when there is a network"];
  }
  if (answer.status === 200 || answer.status === 201) {
    if (!(await named(answer, recId))) return [false, "The collector's answer is not about this receipt"];
    const known = "The collector had this receipt already";
    return [true, answer.status === 201 ? "The collector has taken the receipt in" : known];
  }
  const later = [408, 409, 429].indexOf(answer.status) >= 0 || answer.status >= 500;
  if (later) return [false, "The collector is busy (%d): try again later", answer.status];
  return [false, "The collector refused it (%d): %s", answer.status, (await answer.text()).trim().slice(0, 200)];
}

async function named(answer, recId) {
  try {
    return hex(decode(new Uint8Array(await answer.arrayBuffer()))[0]) === recId;
  } catch (error) {
    return false;
  }
}
