/**
 * What a function says about itself: JSON lines on standard output, one an occurrence, which CloudWatch Logs takes as they are.
 * Names, ids and counts only. What senders sent never stands in a line: a field holds a short text, a number or a truth value.
 */
import type { FunctionName } from '../lib/contracts/functions.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** `undefined` leaves a field out. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** The same for one invocation: `requestId` stands in each of its lines. */
  for(requestId: string): Log;
}

export interface LogOptions {
  /** Lines below it are left out. @default the environment's LOG_LEVEL, else info */
  readonly level?: LogLevel;
  /** @default standard output */
  readonly write?: (line: string) => void;
  /** Milliseconds since 1970. @default the wall clock */
  readonly now?: () => number;
}

/** Characters of one text field. */
const LONGEST = 500;

export function logOf(name: FunctionName, options: LogOptions = {}): Log {
  const write = options.write ?? ((line: string) => void process.stdout.write(line));
  const now = options.now ?? Date.now;
  const least = LOG_LEVELS.indexOf(options.level ?? levelOf(process.env['LOG_LEVEL']));
  const log = (requestId: string | undefined): Log => {
    const say =
      (level: LogLevel) =>
      (message: string, fields: LogFields = {}): void => {
        if (LOG_LEVELS.indexOf(level) < least) return;
        const line: Record<string, unknown> = {
          time: new Date(now()).toISOString(),
          level,
          function: name,
          requestId,
          message: cut(message),
        };
        for (const [key, value] of Object.entries(fields))
          if (!Object.hasOwn(line, key)) line[key] = typeof value === 'string' ? cut(value) : value;
        write(`${JSON.stringify(line)}\n`);
      };
    return { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error'), for: (id) => log(id) };
  };
  return log(undefined);
}

/** What is said of a failure: its name and message. A stack is of use in a debugger and noise in an alarm. */
export function failureFields(error: unknown): LogFields {
  if (!(error instanceof Error)) return { error: cut(String(error)) };
  const cause = error.cause instanceof Error ? `${error.cause.name}: ${error.cause.message}` : undefined;
  return { error: error.name, detail: cut(error.message), cause: cause === undefined ? undefined : cut(cause) };
}

function levelOf(text: string | undefined): LogLevel {
  const wanted = text?.toLowerCase();
  return LOG_LEVELS.find((level) => level === wanted) ?? 'info';
}

function cut(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 3)}...` : text;
}
