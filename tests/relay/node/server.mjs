// The tus project's server in front of a collector's entries: node server.mjs FOLDER COLLECTOR_URL
// Uploads are its own, unchanged; only their names are the photographs' digests, from the metadata
// `sha256`. Entries go on to the collector. Prints its port.
import http from "node:http";
import { FileStore } from "@tus/file-store";
import { Server } from "@tus/server";

const [folder, collector] = process.argv.slice(2);
const tus = new Server({
  path: "/v1/u",
  datastore: new FileStore({ directory: folder }),
  namingFunction: (_request, metadata) => metadata.sha256,
});

const front = http.createServer((request, response) => {
  if (!request.url.startsWith("/v1/records")) return tus.handle(request, response);
  const onward = http.request(
    collector + request.url,
    { method: request.method, headers: request.headers },
    (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    },
  );
  onward.on("error", () => response.destroy());
  request.pipe(onward);
});
front.listen(0, "127.0.0.1", () => console.log(front.address().port));
