/** The props of constructs, read from their sources. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Prop {
  readonly name: string;
  readonly optional: boolean;
}

export interface Interface {
  readonly name: string;
  readonly file: string;
  readonly props: readonly Prop[];
}

const FOLDER = join(import.meta.dirname, '../../lib/aws');

/** Every exported interface of the constructs. */
export function interfaces(): readonly Interface[] {
  return readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => {
      const source = readFileSync(join(FOLDER, file), 'utf8');
      return [...source.matchAll(/export interface (\w+)[^{]*\{\n([\s\S]*?)\n\}/g)].map(([, name = '', body = '']) => ({
        name,
        file,
        props: propsOf(body),
      }));
    });
}

function propsOf(body: string): Prop[] {
  // Only members of the interface itself: two spaces in.
  return [...body.matchAll(/^ {2}readonly (\w+)(\??):/gm)].map(([, name = '', mark]) => ({
    name,
    optional: mark === '?',
  }));
}
