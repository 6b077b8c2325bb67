/** Everything that there is in an emulated account, and what two looks at it differ in. */
import { join } from 'node:path';
import { CHECKOUT, run } from '../programs.ts';
import type { Emulator } from './emulator.ts';

/** Kind → names. */
export type Inventory = Readonly<Record<string, readonly string[]>>;

export async function inventoryOf({ env }: Emulator): Promise<Inventory> {
  const { code, out, err } = await run(
    join(CHECKOUT, '.cache/emulator/venv/bin/python'),
    ['-B', join(import.meta.dirname, 'emulator/inventory.py')],
    { env },
  );
  if (code !== 0) throw new Error(`inventory: ${err}`);
  return JSON.parse(out) as Inventory;
}

/** What is in the later and not in the earlier; kinds with nothing new are left out. */
export function added(earlier: Inventory, later: Inventory): Inventory {
  return Object.fromEntries(
    Object.entries(later)
      .map(([kind, names]) => [kind, names.filter((name) => !earlier[kind]?.includes(name))] as const)
      .filter(([, names]) => names.length > 0),
  );
}
