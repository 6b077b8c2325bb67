/**
 * Runs examples as their readers do, from the name of the package, and tells on standard output what the checks of whole apps find in them.
 *   node --import tsx test/aws/examples-report.ts <app.ts>…
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { App } from 'aws-cdk-lib';
import { type NagReport, nag } from './nag.ts';
import { type CloudFormationTemplate, OWN_RULES } from './own-rules.ts';

export interface ExampleReport {
  readonly stacks: readonly string[];
  readonly resources: number;
  readonly nag: NagReport;
  /** Rule → what breaks it. */
  readonly broken: Readonly<Record<string, readonly string[]>>;
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === import.meta.filename) {
  const folder = mkdtempSync(join(tmpdir(), 'mlmon-examples-'));
  const reports: ExampleReport[] = [];
  // Apps synthesise themselves when the process has nothing left to do.
  const synth = App.prototype.synth;
  App.prototype.synth = function (this: App, ...given: Parameters<typeof synth>) {
    const assembly = synth.apply(this, given);
    const templates = assembly.stacksRecursively.map(({ template }) => template as CloudFormationTemplate);
    reports.push({
      stacks: assembly.stacksRecursively.map(({ stackName }) => stackName),
      resources: templates.reduce((sum, { Resources }) => sum + Object.keys(Resources).length, 0),
      nag: nag(this),
      broken: Object.fromEntries(
        Object.entries(OWN_RULES).map(([rule, breaches]) => [
          rule,
          templates.flatMap((template) => breaches(template)),
        ]),
      ),
    });
    return assembly;
  };
  for (const [i, example] of process.argv.slice(2).entries()) {
    process.env['CDK_OUTDIR'] = join(folder, String(i));
    await import(pathToFileURL(resolve(example)).href);
  }
  process.on('exit', () => {
    process.stdout.write(JSON.stringify(reports));
    rmSync(folder, { recursive: true, force: true });
  });
}
