/** A worker that reports an error and goes on. */
console.error('a complaint of a worker');
globalThis.postMessage('done');

export {};
