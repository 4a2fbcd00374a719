// Lines of the parts as people read them: `12:00:01 sfu  info  text key=value`.
import { styleText } from 'node:util';
import { z } from 'zod';

export type LineLevel = 'debug' | 'info' | 'warn' | 'error';

export interface LogLine {
  at: Date;
  part: string;
  level: LineLevel;
  text: string;
  fields: Record<string, unknown>;
}

/** Longer values are cut when they are shown; the log file has them whole. */
const valueCharsMax = 200;
const stackLinesMax = 6;

/** Of a structured line, what every line of the same process says. */
const droppedFields = new Set(['pid', 'hostname', 'name', 'service', 'v', 'level', 'time', 'msg']);

const Structured = z.looseObject({
  level: z.union([z.number(), z.string()]),
  time: z.union([z.number(), z.string()]).optional(),
  msg: z.string().optional(),
});

/** Reads what a part printed: a structured line, or any text. */
export function parseLine(part: string, text: string, now = new Date()): LogLine {
  if (text.startsWith('{')) {
    try {
      const line = Structured.parse(JSON.parse(text));
      const fields = Object.entries(line).filter(([name]) => !droppedFields.has(name));
      return {
        at: line.time === undefined ? now : new Date(line.time),
        part,
        level: levelOf(line.level),
        text: line.msg ?? '',
        fields: Object.fromEntries(fields),
      };
    } catch {
      // It only looked like one.
    }
  }
  return {
    at: now,
    part,
    ...(readForeign(text) ?? { level: levelOfText(text), text }),
    fields: {},
  };
}

/**
 * The lines of PostgreSQL and Redis, without the time and process that they begin with. A failed
 * statement is the business of the service that sent it, so here it is a detail.
 */
function readForeign(text: string): { level: LineLevel; text: string } | null {
  const postgres =
    /^[\d-]+ [\d:.]+ \w+ \[\d+\] ((LOG|INFO|NOTICE|WARNING|ERROR|FATAL|PANIC|DETAIL|HINT|CONTEXT|STATEMENT|QUERY): .*)$/.exec(
      text,
    );
  if (postgres) {
    // FATAL ends one session, PANIC the server.
    const level = { WARNING: 'warn', FATAL: 'warn', PANIC: 'error' } as const;
    const [, words = '', kind = ''] = postgres;
    return { level: kind in level ? level[kind as keyof typeof level] : 'debug', text: words };
  }
  if (/^\d+:signal-handler /.test(text)) return { level: 'debug', text };
  const [, sign, words = ''] = /^\d+:[A-Z] \d+ \w+ \d+ [\d:.]+ ([.*#-]) (.*)$/.exec(text) ?? [];
  if (!sign) return null;
  const isWarning = sign === '#' && /warn|error|fail|denied|corrupt/i.test(words);
  return { level: isWarning ? 'warn' : 'debug', text: words };
}

function levelOf(level: number | string): LineLevel {
  if (typeof level === 'string') {
    if (level === 'fatal') return 'error';
    return level === 'error' || level === 'warn' || level === 'info' ? level : 'debug';
  }
  if (level >= 50) return 'error';
  if (level >= 40) return 'warn';
  return level >= 30 ? 'info' : 'debug';
}

/** Text without a structure: what a runtime prints when something goes wrong. */
function levelOfText(text: string): LineLevel {
  if (/\b(FATAL|PANIC|ERROR)\b|Uncaught|Error:/.test(text)) return 'error';
  if (/\bWARN(ING)?\b/i.test(text)) return 'warn';
  return 'info';
}

const colours = {
  debug: ['dim'],
  info: ['cyan'],
  warn: ['yellow'],
  error: ['red', 'bold'],
} as const;

/** One line for a terminal; `width` is that of the longest part's name. */
export function renderLine(line: LogLine, options: { colour: boolean; width: number }): string {
  const paint = (style: Parameters<typeof styleText>[0], text: string) =>
    options.colour ? styleText(style, text, { validateStream: false }) : text;
  const { err, ...fields } = line.fields;
  const shown = Object.entries(fields)
    .filter(([, value]) => value !== undefined && value !== null && value !== '')
    .map(([name, value]) => `${paint('dim', `${name}=`)}${renderValue(value)}`);
  const text = [
    paint('dim', timeOf(line.at)),
    paint('bold', line.part.padEnd(options.width)),
    paint([...colours[line.level]], line.level.padEnd(5)),
    line.text,
    ...shown,
  ].join(' ');
  return [text, ...errorLines(err).map((each) => paint('dim', `    ${each}`))].join('\n');
}

function timeOf(at: Date): string {
  const valid = Number.isNaN(at.getTime()) ? new Date() : at;
  return valid.toTimeString().slice(0, 8);
}

function renderValue(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const short = text.length > valueCharsMax ? `${text.slice(0, valueCharsMax)}…` : text;
  return typeof value === 'string' && /\s/.test(short) ? JSON.stringify(short) : short;
}

function errorLines(error: unknown): string[] {
  const parsed = z.looseObject({ stack: z.string() }).safeParse(error);
  if (parsed.success) return parsed.data.stack.split('\n').slice(0, stackLinesMax);
  return error === undefined || error === null ? [] : [renderValue(error)];
}
