// Uploads a file with tus-js-client: node client.mjs FILE SHA256 ENDPOINT CHUNK STOP_AFTER
// Stops after so many bytes and goes on in a second upload, as after a broken line.
import fs from "node:fs";
import * as tus from "tus-js-client";

const [file, sha256, endpoint, chunk, stop] = process.argv.slice(2);
const size = fs.statSync(file).size;

function upload(options, stopAfter) {
  return new Promise((resolve, reject) => {
    const one = new tus.Upload(fs.createReadStream(file), {
      endpoint,
      uploadSize: size,
      chunkSize: Number(chunk),
      metadata: { sha256 },
      retryDelays: null,
      onError: reject,
      onSuccess: () => resolve(one.url),
      onChunkComplete: (_n, accepted) => {
        if (stopAfter && accepted >= stopAfter) one.abort().then(() => resolve(one.url));
      },
      ...options,
    });
    one.start();
  });
}

const url = await upload({}, Number(stop));
console.log(await upload({ uploadUrl: url }));
