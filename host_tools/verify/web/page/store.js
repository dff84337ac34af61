// What this browser keeps: loaded bundles and packages, the day's list. Without IndexedDB (private
// windows of old browsers) it is kept until the page is closed, and the page says so.

const STORES = ["bundles", "packages", "scans"];

function opened() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open("saksi-verify", 1);
    request.onupgradeneeded = () => STORES.forEach((name) => request.result.createObjectStore(name));
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

export class Store {
  static async open() {
    const store = new Store();
    store.memory = Object.fromEntries(STORES.map((name) => [name, new Map()]));
    store.database = await Promise.resolve().then(opened).catch(() => null);
    return store;
  }

  get lasting() {
    return this.database !== null;
  }

  run(name, mode, action) {
    return new Promise((resolve, reject) => {
      const transaction = this.database.transaction(name, mode);
      const request = action(transaction.objectStore(name));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = transaction.onerror = () => reject(transaction.error);
    });
  }

  async all(name) {
    if (!this.lasting) return Array.from(this.memory[name].values());
    return this.run(name, "readonly", (store) => store.getAll());
  }

  async put(name, key, value) {
    this.memory[name].set(key, value);
    if (this.lasting) await this.run(name, "readwrite", (store) => store.put(value, key));
  }

  async clear(name) {
    this.memory[name].clear();
    if (this.lasting) await this.run(name, "readwrite", (store) => store.clear());
  }
}
