/** The emulator of AWS as a process, and what tests ask of it (test/real/aws/emulator/main.py). */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHECKOUT, type Ended, eventually, freePort, Program, run } from '../programs.ts';
import { type Recorded, refused } from './recorded-policies.ts';

const CACHE = join(CHECKOUT, '.cache/emulator');
/** Folder of the AWS command line. */
export const AWS_CLI = join(CACHE, 'aws-cli/bin');
const PYTHON = join(CACHE, 'venv/bin/python');
const FUNCTION_NODE = join(CACHE, 'node/node_modules/node/bin');
export const ACCOUNT = '000000000000';
export const REGION = 'us-east-1';

export interface EmulatorState {
  readonly now: number;
  readonly pending: {
    readonly records: number;
    readonly messages: number;
    readonly invocations: number;
    readonly deliveries: number;
  };
  readonly invocations: Readonly<Record<string, { ok: number; failed: number; last: string | null }>>;
  readonly stubs: readonly { readonly type: string; readonly logicalId: string; readonly stack: string }[];
  readonly alarms: Readonly<Record<string, 'OK' | 'ALARM' | 'INSUFFICIENT_DATA'>>;
}

/** A request that fails: of a function with this in its name, of this method, with a path that this regular expression finds. */
export interface Fault {
  readonly function: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly times: number;
}

export class Emulator {
  readonly endpoint: string;
  /** For the AWS command line tools and SDKs. */
  readonly env: Readonly<Record<string, string>>;
  readonly program: Program;
  readonly #folder: string;

  private constructor(port: number, folder: string, program: Program) {
    this.endpoint = `http://127.0.0.1:${port}`;
    this.#folder = folder;
    this.program = program;
    this.env = {
      AWS_ENDPOINT_URL: this.endpoint,
      // The CDK CLI remembers the account of a key: one that nothing else uses.
      AWS_ACCESS_KEY_ID: `MLMONEMULATOR${port}`,
      AWS_SECRET_ACCESS_KEY: 'emulator',
      AWS_REGION: REGION,
      AWS_DEFAULT_REGION: REGION,
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_MAX_ATTEMPTS: '5',
      CDK_DISABLE_CLI_TELEMETRY: '1',
      CI: '1',
    };
  }

  static async start(): Promise<Emulator> {
    const port = await freePort();
    const folder = await mkdtemp(join(tmpdir(), 'emulator-'));
    const program = new Program(PYTHON, ['-B', join(import.meta.dirname, 'emulator/main.py'), folder], {
      cwd: folder,
      env: {
        GATEWAY_PORT: String(port),
        TMPDIR: folder,
        NODE_PATH: join(CACHE, 'runtime'),
        PATH: `${FUNCTION_NODE}:${process.env['PATH'] ?? ''}`,
        LOG_LEVEL: process.env['EMULATOR_LOG_LEVEL'] ?? 'WARNING',
        AWS_ACCESS_KEY_ID: 'emulator',
        AWS_SECRET_ACCESS_KEY: 'emulator',
      },
    });
    const emulator = new Emulator(port, folder, program);
    await eventually(
      async () => {
        if (!program.running) throw new Error(`the emulator ended:\n${program.err}`);
        return emulator.state();
      },
      () => true,
      60_000,
    );
    return emulator;
  }

  state(): Promise<EmulatorState> {
    return this.#ask('state', {});
  }

  /** Milliseconds since 1970 that it is from now on, and goes on from; `null`: the real time. */
  async clock(now: number | null): Promise<void> {
    await this.#ask('clock', { now });
  }

  /** Fires the schedules that are due by the emulator's clock, or those with this in their name; then waits until all is done. */
  async tick(only?: string): Promise<readonly string[]> {
    const { fired } = await this.#ask<{ fired: string[] }>('tick', { only });
    await this.settled();
    return fired;
  }

  /** Fires the schedules that are due and waits for nothing, as time passes while other things go on. */
  async beat(): Promise<void> {
    await this.#ask('tick', {});
  }

  /** Fires nothing new; alarms are evaluated and what waited long enough is delivered. */
  async flush(eager = true): Promise<void> {
    await this.#ask('flush', { eager });
    await this.settled();
  }

  /** Whether alarms are looked at: not while tests jump through time, since minutes that never were look like silence. */
  async alarms(watching: boolean): Promise<void> {
    await this.#ask('alarms', { watching });
  }

  async faults(faults: readonly Fault[]): Promise<void> {
    await this.#ask('faults', { faults });
  }

  /** Until no function runs, and the stream and the queues that feed functions are read to their ends. */
  async settled(withinMs = 120_000): Promise<void> {
    let quiet = 0;
    await eventually(
      async () => {
        const { pending } = await this.state();
        quiet = pending.records + pending.messages + pending.invocations === 0 ? quiet + 1 : 0;
        return { quiet, pending };
      },
      () => quiet >= 2,
      withinMs,
    );
  }

  /** Every call of AWS that functions made so far, and what their roles allow. */
  calls(): Promise<Recorded> {
    return this.#ask('calls', {});
  }

  /**
   * @param judged whether calls are held against policies: not those of functions that cannot be changed any more
   * @throws when a function asked for something that the policies of its role did not allow
   */
  async stop({ judged = true }: { readonly judged?: boolean } = {}): Promise<Ended> {
    const denied = judged && this.program.running ? refused(await this.calls()) : [];
    const ended = await this.#end();
    if (denied.length > 0) throw new Error(`AWS would have refused:\n${denied.join('\n')}`);
    return ended;
  }

  async #end(): Promise<Ended> {
    // It would wait for connections that nobody closes any more; it keeps nothing.
    const ended = await this.program.stop('SIGKILL');
    this.program.endGroup();
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    return ended;
  }

  /** The plain CDK command line against the emulator. */
  cdk(argv: readonly string[], cwd = CHECKOUT): ReturnType<typeof run> {
    return run(join(CHECKOUT, 'node_modules/.bin/cdk'), [...argv, '--no-notices'], { cwd, env: this.env });
  }

  async #ask<T>(what: string, given: object): Promise<T> {
    const answer = await fetch(`${this.endpoint}/_emulator/${what}`, { method: 'POST', body: JSON.stringify(given) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`emulator, ${what}: ${text}`);
    return JSON.parse(text) as T;
  }
}
