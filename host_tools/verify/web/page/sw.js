// Keeps the page in the browser, so that it opens without a network. A new build is another version:
// it is fetched whole before the old one goes. What is trusted is asked for on line first.
const CACHE = "saksi-verify-" + "VERSION";
const FILES = ["FILES"];

self.addEventListener("install", (event) => {
  const fresh = FILES.map((file) => new Request(file, { cache: "reload" }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(fresh)).then(() => self.skipWaiting()));
});

async function settle() {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith("saksi-verify-") && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
  await self.clients.claim();
}

self.addEventListener("activate", (event) => event.waitUntil(settle()));

async function newest(request) {
  const cache = await caches.open(CACHE);
  try {
    const answer = await fetch(request);
    if (answer.ok) await cache.put(request, answer.clone());
    return answer.ok ? answer : (await cache.match(request)) || answer;
  } catch (error) {
    return (await cache.match(request)) || Response.error();
  }
}

async function kept(request) {
  const cache = await caches.open(CACHE);
  const wanted = request.mode === "navigate" ? "./" : request;
  return (await cache.match(wanted, { ignoreSearch: true })) || fetch(request);
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || !request.url.startsWith(self.registration.scope)) return;
  event.respondWith(request.url.endsWith(".cbor") ? newest(request) : kept(request));
});
