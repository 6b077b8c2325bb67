/**
 * Stands in front of a model server and passes bytes, both ways, untouched: a connection of a caller is a connection to the model server, so
 * that keep-alive, chunks, errors, upgrades and aborts are those of the server itself. Bytes are passed on first and looked at afterwards.
 */
import { createServer, connect as netConnect, type Server, type Socket } from 'node:net';
import type { Clock } from '../pipeline/ports.ts';
import { ExchangeWatch, type WatchRules, type WatchSink } from './exchange-watch.ts';
import type { MemoryBudget } from './memory-budget.ts';

export interface ProxyOptions {
  readonly host: string;
  readonly port: number;
  readonly upstream: { readonly host: string; readonly port: number };
  readonly rules: WatchRules;
  readonly budget: MemoryBudget;
  readonly clock: Clock;
  readonly sink: WatchSink;
}

/** Where the model server answers nobody. A caller of the server itself would have got no connection. */
const UNREACHABLE = 'the model server cannot be reached\n';
const BAD_GATEWAY = `HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain\r\nContent-Length: ${UNREACHABLE.length}\r\nConnection: close\r\n\r\n${UNREACHABLE}`;
/** So long a caller may take to read that, milliseconds. */
const FAREWELL_MS = 2_000;

interface Pair {
  readonly caller: Socket;
  readonly model: Socket;
  readonly watch: ExchangeWatch;
}

export class ModelProxy {
  readonly #options: ProxyOptions;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #draining = false;
  #emptied: (() => void) | null = null;
  /** Connections that could not be made to the model server. */
  unreachable = 0;

  private constructor(options: ProxyOptions) {
    this.#options = options;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (caller) =>
      this.#accept(caller),
    );
  }

  /** @throws the error of `listen`: the address is in use, or not this machine's */
  static async listen(options: ProxyOptions): Promise<ModelProxy> {
    const proxy = new ModelProxy(options);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject);
      proxy.#server.listen(options.port, options.host, () => {
        proxy.#server.off('error', reject);
        resolve();
      });
    });
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  get connections(): number {
    return this.#pairs.size;
  }

  /** Takes no more connections, lets what is under way end, and ends the rest after `limitMs`. */
  async drain(limitMs: number): Promise<void> {
    this.#draining = true;
    this.#server.close();
    for (const pair of [...this.#pairs]) this.#endIfIdle(pair);
    if (this.#pairs.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, limitMs);
      this.#emptied = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    for (const { caller, model } of this.#pairs) {
      caller.destroy();
      model.destroy();
    }
  }

  #accept(caller: Socket): void {
    const { upstream, rules, budget, clock, sink } = this.#options;
    const model = netConnect({ host: upstream.host, port: upstream.port, allowHalfOpen: true, noDelay: true });
    const watch = new ExchangeWatch(rules, budget, clock, sink);
    const pair: Pair = { caller, model, watch };
    this.#pairs.add(pair);
    let connected = false;
    model.once('connect', () => {
      connected = true;
      caller.resume();
    });
    pass(caller, model, (chunk) => watch.fromCaller(chunk));
    pass(model, caller, (chunk) => {
      watch.fromModel(chunk);
      if (this.#draining) this.#endIfIdle(pair);
    });
    model.once('end', () => watch.modelEnded());
    caller.on('error', () => model.resetAndDestroy());
    model.on('error', () => {
      if (connected) caller.resetAndDestroy();
      else {
        this.unreachable++;
        refuse(caller);
      }
    });
    let gone = 0;
    const closed = (): void => {
      if (++gone < 2) return;
      watch.close();
      this.#pairs.delete(pair);
      if (this.#pairs.size === 0) this.#emptied?.();
    };
    caller.once('close', () => {
      // Nobody is left to answer.
      if (!model.destroyed) model.destroy();
      closed();
    });
    model.once('close', () => {
      // What it still sends goes nowhere, as with the server itself.
      if (connected) caller.destroySoon();
      closed();
    });
  }

  #endIfIdle({ caller, model, watch }: Pair): void {
    if (!watch.isIdle) return;
    caller.end();
    model.end();
  }
}

/** Bytes of one side to the other, at the pace of the slower one, and a look at them afterwards. */
function pass(from: Socket, to: Socket, look: (chunk: Buffer) => void): void {
  from.on('data', (chunk: Buffer) => {
    if (!to.write(chunk)) from.pause();
    look(chunk);
  });
  to.on('drain', () => from.resume());
  from.once('end', () => to.end());
}

function refuse(caller: Socket): void {
  caller.end(BAD_GATEWAY);
  // What was sent meanwhile is read and thrown away: with it unread the answer would be lost in a reset.
  caller.removeAllListeners('data');
  caller.resume();
  setTimeout(() => caller.destroy(), FAREWELL_MS).unref();
}
