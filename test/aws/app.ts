/** Apps whose functions have bundles of one line, so that tests of constructs need no build. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, type AppProps } from 'aws-cdk-lib';
import { FUNCTIONS_CONTEXT } from '../../lib/aws/function-code.ts';
import { FUNCTION_NAMES } from '../../lib/contracts/functions.ts';

const folder = mkdtempSync(join(tmpdir(), 'mlmon-aws-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const name of FUNCTION_NAMES) {
  mkdirSync(join(folder, 'functions', name), { recursive: true });
  writeFileSync(join(folder, 'functions', name, 'index.mjs'), `export const handler = async () => '${name}';\n`);
}

export const FUNCTIONS = { [FUNCTIONS_CONTEXT]: join(folder, 'functions') } as const;

/** All flags that the library recommends. */
export const RECOMMENDED = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../node_modules/aws-cdk-lib/recommended-feature-flags.json'), 'utf8'),
) as Readonly<Record<string, unknown>>;

/** @param props of the app; its flags are none unless the context names some */
export function testApp(props: AppProps = {}): App {
  return new App({
    analyticsReporting: false,
    outdir: mkdtempSync(join(folder, 'out-')),
    ...props,
    context: { ...FUNCTIONS, ...props.context },
  });
}
