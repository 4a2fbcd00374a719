// What the launcher shows: the way up, the table, the address to open, then the logs.
import { styleText } from 'node:util';
import type { DemoAccounts } from './database.ts';
import { type LineLevel, parseLine, renderLine } from './log-line.ts';
import { renderStatusTable } from './status-table.ts';
import type { PartStatus } from './supervisor.ts';

const levels: LineLevel[] = ['debug', 'info', 'warn', 'error'];
/** The longest name of a part, `upstash-proxy`. */
const nameWidth = 13;
/** Of a terminal that does not tell. */
const usualColumns = 80;

export interface Display {
  progress(name: string, state: string, ms: number | null): void;
  line(part: string, text: string): void;
  /** Everything is up: from now on logs are shown as they come. */
  up(stack: {
    app: string;
    /** Null when mails really go out. */
    mailbox: string | null;
    statuses: PartStatus[];
    accounts: DemoAccounts | null;
    logsFolder: string;
    seconds: number;
  }): void;
  /** Everything goes down: the way there is not shown. */
  ending(): void;
  /** Somebody cannot wait for that. */
  endingAtOnce(): void;
}

/** Shows a stack on a terminal, or as plain lines where there is none. */
export function createDisplay(options: {
  out: NodeJS.WriteStream;
  quiet: boolean;
  level: LineLevel;
}): Display {
  const { out, quiet } = options;
  const isTerminal = out.isTTY === true && process.env.TERM !== 'dumb';
  const colour = isTerminal && !process.env.NO_COLOR;
  const paint = (style: Parameters<typeof styleText>[0], text: string) =>
    colour ? styleText(style, text, { validateStream: false }) : text;
  const least = quiet ? 'warn' : options.level;
  const coming = new Set<string>();
  let isUp = false;
  let isEnding = false;
  let hasProgress = false;

  function write(text: string): void {
    if (hasProgress) out.write('\r\x1b[2K');
    hasProgress = false;
    out.write(`${text}\n`);
  }

  function showProgress(): void {
    if (!isTerminal || isUp || coming.size === 0) return;
    const text = `starting ${[...coming].join(', ')}`.slice(0, widthOf(out) - 1);
    out.write(`\r\x1b[2K${paint('dim', text)}`);
    hasProgress = true;
  }

  return {
    progress(name, state, ms) {
      // Later news are among the lines.
      if (isEnding || isUp) return;
      if (state === 'starting') coming.add(name);
      else coming.delete(name);
      if ((state === 'ready' || state === 'done') && !quiet) {
        const seconds = ms === null ? '' : `${(ms / 1000).toFixed(1)} s`.padStart(7);
        write(`${paint('green', '✓')} ${name.padEnd(nameWidth)} ${paint('dim', seconds)}`);
      }
      showProgress();
    },
    line(part, text) {
      if (!isUp) return;
      const line = parseLine(part, text);
      if (levels.indexOf(line.level) < levels.indexOf(least)) return;
      write(renderLine(line, { colour, width: nameWidth }));
    },
    up({ app, mailbox, statuses, accounts, logsFolder, seconds }) {
      isUp = true;
      write(`\n${renderStatusTable(statuses, { colour, width: widthOf(out) })}\n`);
      if (accounts?.made) {
        write(paint('bold', 'Demo accounts, made just now:'));
        for (const { role, email, password } of accounts.made) {
          write(`  ${role.padEnd(10)} ${email.padEnd(22)} ${password}`);
        }
        write(
          paint('dim', `  kept in ${accounts.file}; npm run code shows the code of the admin\n`),
        );
      } else if (accounts) {
        write(paint('dim', `Demo accounts: ${accounts.file}`));
      }
      write(paint('dim', `Logs: ${logsFolder}\n`));
      const address = `  LivePanty is ready in ${seconds.toFixed(1)} s:  ${app}  `;
      const rule = '━'.repeat(Math.min(address.length, widthOf(out)));
      write(paint(['bold', 'magenta'], `${rule}\n${address}\n${rule}`));
      if (mailbox)
        write(`  Mailbox  ${mailbox}  ${paint('dim', 'what LivePanty mails comes here')}`);
      write(paint('dim', 'Ctrl-C ends everything.\n'));
    },
    ending() {
      isEnding = true;
      write('\nending …');
    },
    endingAtOnce() {
      isUp = false;
      write('ending at once …');
    },
  };
}

/** Columns of a terminal; without one there is no limit. */
function widthOf(out: NodeJS.WriteStream): number {
  return out.isTTY ? out.columns || usualColumns : Number.POSITIVE_INFINITY;
}
