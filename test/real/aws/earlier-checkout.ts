/** What was deployed before: an earlier state of this repository, in a folder of its own, ready for `cdk deploy`. */
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CHECKOUT, run } from '../programs.ts';

/** Below the checkout, so that its packages are found on the way up. */
const FOLDER = join(CHECKOUT, '.cache/earlier');
/** What a deployment is made of. */
const DEPLOYED = ['lib/aws', 'lib/adapters', 'lib/alerts', 'lib/contracts', 'lib/engine', 'lib/pipeline', 'lambdas'];

export interface EarlierCheckout {
  readonly folder: string;
  /** Of the commit, or why there is none. */
  readonly what: string;
}

async function git(...argv: readonly string[]): Promise<string | null> {
  const { code, out } = await run('git', ['-C', CHECKOUT, ...argv]);
  return code === 0 && out.trim() !== '' ? out.trim() : null;
}

/**
 * The commit to upgrade from: MLMON_UPGRADE_FROM; or else the last release; or else the one before the last change to what is deployed.
 * A shallow clone gets the commits that it lacks. `null` where there is no earlier commit to be had.
 */
async function earlierCommit(): Promise<string | null> {
  const chosen = process.env['MLMON_UPGRADE_FROM'];
  if (chosen !== undefined) {
    const commit = await git('rev-parse', '--verify', `${chosen}^{commit}`);
    if (commit === null) throw new Error(`MLMON_UPGRADE_FROM=${chosen}: no such commit here`);
    return commit;
  }
  if ((await git('rev-parse', '--is-shallow-repository')) === 'true')
    await git('fetch', '--quiet', '--unshallow', '--tags');
  const release = await git('describe', '--tags', '--abbrev=0', '--match', 'v*', 'HEAD~1');
  if (release !== null) return git('rev-parse', `${release}^{commit}`);
  const changed = await git('log', '-1', '--format=%H', '--', ...DEPLOYED);
  return changed === null ? null : git('rev-parse', '--verify', '--quiet', `${changed}~1^{commit}`);
}

/**
 * Unpacks it. Without any history it is this very state, of which only the bundles of functions differ: all else about an upgrade is tried.
 * @throws when its packages cannot be installed
 */
export async function earlierCheckout(): Promise<EarlierCheckout | null> {
  const commit = await earlierCommit();
  if (commit === null) return null;
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
  return { folder, what: (await git('log', '-1', '--format=%h %s', commit)) ?? commit };
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
