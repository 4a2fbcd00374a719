// The screen: a page of a terminal that is drawn over and over without flicker, and given back as it was.

/** A page of its own, which leaves what stood there before untouched, and no cursor. */
const enter = '\x1b[?1049h\x1b[?25l';
const leave = '\x1b[?25h\x1b[?1049l';
/** What comes between is shown at once, by terminals that know it. */
const holdBack = '\x1b[?2026h';
const show = '\x1b[?2026l';
const home = '\x1b[H';
const clearRestOfLine = '\x1b[K';
const clearBelow = '\x1b[J';
/** Of a terminal that does not tell. */
const usualSize = { columns: 80, rows: 24 };

const ctrlC = '\x03';

export interface Screen {
  readonly size: { columns: number; rows: number };
  /** Writes over what is there, in one piece; nothing is cleared that comes again. */
  draw(lines: string[]): void;
  /** Resolves when somebody wants to leave: q, Ctrl-C or a signal. */
  readonly left: Promise<void>;
  /** Gives the terminal back. Safe to call again. */
  close(): void;
}

export function openScreen(
  input: NodeJS.ReadStream,
  output: NodeJS.WriteStream,
  onResize: () => void,
): Screen {
  const leaving = Promise.withResolvers<void>();
  let closed = false;
  const onKey = (keys: Buffer) => {
    if (/[qQ]/.test(keys.toString()) || keys.includes(ctrlC)) leaving.resolve();
  };
  const onSignal = () => leaving.resolve();
  // Whatever ends the process, the terminal is not left without a cursor.
  const onExit = () => output.write(leave);

  output.write(enter);
  output.on('resize', onResize);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  process.on('exit', onExit);
  if (input.isTTY) input.setRawMode(true);
  input.on('data', onKey);
  input.resume();

  return {
    get size() {
      const { columns, rows } = output;
      // The last column stays free: clearing the rest of a full line takes its last letter.
      return { columns: (columns || usualSize.columns) - 1, rows: rows || usualSize.rows };
    },
    draw(lines) {
      if (closed) return;
      const page = lines.map((line) => line + clearRestOfLine).join('\r\n');
      output.write(holdBack + home + page + clearBelow + show);
    },
    left: leaving.promise,
    close() {
      if (closed) return;
      closed = true;
      output.off('resize', onResize);
      input.off('data', onKey);
      if (input.isTTY) input.setRawMode(false);
      input.pause();
      process.off('exit', onExit);
      output.write(leave);
    },
  };
}
