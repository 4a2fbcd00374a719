// Shows what the set-up is busy with: one living line on a terminal, plain lines elsewhere.

const PLAIN_LINE_SECONDS = 10;
const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MILLISECONDS = 100;

/**
 * @typedef {object} Step
 * @property {(text: string) => void} note  the newest thing worth a glance, such as "[12/279]"
 * @property {(text?: string) => void} done
 * @property {() => void} drop              ends it without a word: what failed is told elsewhere
 */

/**
 * @typedef {object} Shown
 * @property {string} title
 * @property {string} note
 * @property {number} startedAt
 * @property {number} printedAt
 */

/** @type {Set<Shown>} Steps that run side by side share the line. */
const running = new Set();
/** @type {NodeJS.Timeout | undefined} */
let timer;
let frame = 0;

// To stderr, because what `run.mjs` runs may have its output piped into something.
const out = process.stderr;

/**
 * @param {string} title such as "Building mediasoup's worker"
 * @returns {Step}
 */
export function startStep(title) {
  const now = Date.now();
  /** @type {Shown} */
  const shown = { title, note: '', startedAt: now, printedAt: now };
  running.add(shown);
  if (!out.isTTY) out.write(`${title} ...\n`);
  timer ??= setInterval(draw, out.isTTY ? FRAME_MILLISECONDS : 1000);

  /** @param {string} [last] */
  function end(last) {
    if (!running.delete(shown)) return;
    clearLine();
    if (last !== undefined) out.write(`${last}\n`);
    if (running.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  }

  return {
    note(text) {
      shown.note = text;
    },
    done(text = title) {
      end(`${out.isTTY ? '✓ ' : ''}${text} (${duration(shown.startedAt)})`);
    },
    drop() {
      end();
    },
  };
}

function draw() {
  if (out.isTTY) {
    frame = (frame + 1) % FRAMES.length;
    const line = [...running]
      .map(({ title, note, startedAt }) => `${title} ${duration(startedAt)} ${note}`.trim())
      .join(' · ');
    // Cut to the width: a line that wraps could not be cleared again.
    clearLine();
    out.write(`${FRAMES[frame]} ${line}`.slice(0, (out.columns || 80) - 1));
    return;
  }
  const now = Date.now();
  for (const shown of running) {
    if (now - shown.printedAt < PLAIN_LINE_SECONDS * 1000) continue;
    shown.printedAt = now;
    out.write(`${`${shown.title} ... ${duration(shown.startedAt)} ${shown.note}`.trim()}\n`);
  }
}

function clearLine() {
  if (out.isTTY) out.write('\r\u001b[2K');
}

/** @param {number} startedAt */
function duration(startedAt) {
  const seconds = Math.round((Date.now() - startedAt) / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
