// Logging: one JSON object a line, on every runtime.

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface Log {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
  /** Whether lines of a level are written at all. */
  says(level: LogLevel): boolean;
  /** The same log with fields that every line carries. */
  with(fields: Record<string, unknown>): Log;
}

const order: LogLevel[] = ['debug', 'info', 'warn', 'error', 'silent'];

/** `write` takes finished lines; pino is not used here because it does not run on Workers. */
export function createLog(
  level: LogLevel,
  fields: Record<string, unknown>,
  write: (line: string) => void = console.log,
): Log {
  const says = (at: LogLevel) => order.indexOf(at) >= order.indexOf(level);
  const line =
    (at: LogLevel) =>
    (message: string, more: Record<string, unknown> = {}) => {
      if (!says(at)) return;
      write(JSON.stringify({ level: at, time: Date.now(), ...fields, ...more, msg: message }));
    };
  return {
    debug: line('debug'),
    info: line('info'),
    warn: line('warn'),
    error: line('error'),
    says,
    with: (more) => createLog(level, { ...fields, ...more }, write),
  };
}
