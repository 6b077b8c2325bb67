// Loaded into the platform's process by bench/platform-memory.ts: answers every message with what is live after collecting garbage.
process.on('message', () => {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  process.send?.({ live: heapUsed + external });
});
// The channel must not keep the platform from ending.
process.channel?.unref();
