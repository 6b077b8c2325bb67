/** The CDK app: one environment of `environments/`, chosen by `-c environment=<name>`, as top-level stacks. */
import { resolve } from 'node:path';
import { App } from 'aws-cdk-lib';
import { addEnvironment } from '../lib/aws/environment/environment.ts';
import { environmentOf } from '../lib/aws/environment/environment-file.ts';
import { ProblemError } from '../lib/contracts/problem.ts';

const app = new App();
try {
  const folder = app.node.tryGetContext('environments') ?? 'environments';
  addEnvironment(app, environmentOf(resolve(folder), app.node.tryGetContext('environment')));
} catch (error) {
  if (!(error instanceof ProblemError)) throw error;
  // The messages say where and what to do; a stack of calls would only hide them.
  process.stderr.write(`${error.message}\n`);
  process.exit(2);
}
