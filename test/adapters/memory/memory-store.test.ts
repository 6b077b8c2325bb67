import { MemoryStore } from '../../../lib/adapters/memory/memory-store.ts';
import { objectStoreConformance } from '../../pipeline/conformance/object-store.ts';

objectStoreConformance('memory', async () => {
  const store = new MemoryStore();
  return { store, other: store, close: async () => {} };
});
