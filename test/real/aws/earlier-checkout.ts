/** What was deployed before: an earlier state of this repository, in a folder of its own, ready for `cdk deploy`. */
import { appendFile, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FUNCTIONS_CONTEXT } from '../../../lib/aws/function-code.ts';
import { CHECKOUT, run } from '../programs.ts';

/** Below the checkout, so that its packages are found on the way up. */
const FOLDER = join(CHECKOUT, '.cache/earlier');
/** What a deployment is made of. */
const DEPLOYED = ['lib/aws', 'lib/adapters', 'lib/alerts', 'lib/contracts', 'lib/engine', 'lib/pipeline', 'lambdas'];

/** States that are tried, newest first. */
const MOST_TRIED = 20;

export interface EarlierCheckout {
  readonly folder: string;
  /** For the command line of the CDK. */
  readonly context: readonly string[];
  /** The commit, or why there is none. */
  readonly what: string;
}

async function git(...argv: readonly string[]): Promise<string | null> {
  const { code, out } = await run('git', ['-C', CHECKOUT, ...argv]);
  return code === 0 && out.trim() !== '' ? out.trim() : null;
}

/**
 * The commit to upgrade from: MLMON_UPGRADE_FROM; or else the last release; or else the one before the last change to what is deployed, and
 * those before it in case that one cannot be deployed. A shallow clone gets the commits that it lacks. Empty where there is no earlier commit.
 */
async function earlierCommits(): Promise<readonly string[]> {
  const chosen = process.env['MLMON_UPGRADE_FROM'];
  if (chosen !== undefined) {
    const commit = await git('rev-parse', '--verify', `${chosen}^{commit}`);
    if (commit === null) throw new Error(`MLMON_UPGRADE_FROM=${chosen}: no such commit here`);
    return [commit];
  }
  if ((await git('rev-parse', '--is-shallow-repository')) === 'true')
    await git('fetch', '--quiet', '--unshallow', '--tags');
  const release = await git('describe', '--tags', '--abbrev=0', '--match', 'v*', 'HEAD~1');
  if (release !== null) return [release];
  const changes = await git('log', `-${MOST_TRIED}`, '--first-parent', '--format=%P', '--', ...DEPLOYED);
  return (changes ?? '').split('\n').flatMap((parents) => parents.split(' ').slice(0, 1).filter(Boolean));
}

/**
 * Unpacks it. Without any history it is this very state, of which only the bundles of functions differ: all else about an upgrade is tried.
 * @throws when none can be deployed, or packages cannot be installed
 */
export async function earlierCheckout(): Promise<EarlierCheckout> {
  const commits = await earlierCommits();
  if (commits.length === 0)
    return { ...(await marked(CHECKOUT)), what: 'this state with other bundles; there is no earlier commit here' };
  const failures: string[] = [];
  for (const commit of commits) {
    const folder = await unpack(commit);
    const failure = await whyNot(folder);
    const what = (await git('log', '-1', '--format=%h %s', commit)) ?? commit;
    if (failure === null) return { ...(await marked(folder)), what };
    failures.push(`${what}: ${failure}`);
  }
  throw new Error(`no earlier state can be deployed:\n${failures.join('\n')}`);
}

async function unpack(commit: string): Promise<string> {
  const folder = join(FOLDER, commit.slice(0, 12));
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const unpacked = await run('bash', [
    ...['-o', 'pipefail', '-c', 'git -C "$1" archive --format=tar "$2" | tar -x -C "$3"', 'unpack'],
    ...[CHECKOUT, commit, folder],
  ]);
  if (unpacked.code !== 0) throw new Error(`cannot unpack ${commit}: ${unpacked.err}`);
  if (!(await packagesSuffice(folder))) {
    const installed = await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder });
    if (installed.code !== 0) throw new Error(`npm ci of ${commit}: ${installed.err}`);
  }
  return folder;
}

/** Why a state cannot be deployed: it does not build, or what makes its stacks cannot be read. */
async function whyNot(folder: string): Promise<string | null> {
  for (const argv of [
    ['scripts/build-functions.ts'],
    ['--input-type=module', '--eval', "await import('./lib/aws/index.ts')"],
  ]) {
    const { code, err } = await run(process.execPath, ['--import', 'tsx', ...argv], { cwd: folder });
    if (code !== 0) return err.slice(0, 500);
  }
  return null;
}

/** With bundles that are not those of this checkout in any case: a change of the constructs alone may leave everything deployed as it was. */
async function marked(folder: string): Promise<Omit<EarlierCheckout, 'what'>> {
  const bundles = join(FOLDER, 'bundles');
  const argv = ['--import', 'tsx', 'scripts/build-functions.ts', bundles];
  const built = await run(process.execPath, argv, { cwd: folder });
  if (built.code !== 0) throw new Error(`cannot build the functions: ${built.err}`);
  for (const name of await readdir(bundles)) await appendFile(join(bundles, name, 'index.mjs'), '\n// earlier\n');
  return { folder, context: ['-c', `${FUNCTIONS_CONTEXT}=${bundles}`] };
}

/** Whether the packages of this checkout are those that the earlier one pins. */
async function packagesSuffice(folder: string): Promise<boolean> {
  const pinned = async (root: string): Promise<Record<string, string>> => {
    const { dependencies, devDependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Record<
      string,
      Record<string, string>
    >;
    return { ...dependencies, ...devDependencies };
  };
  const [earlier, now] = await Promise.all([pinned(folder), pinned(CHECKOUT)]);
  return Object.entries(earlier).every(([name, version]) => now[name] === version);
}

export async function removeEarlierCheckouts(): Promise<void> {
  await rm(FOLDER, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}
