// A failure of the set-up that is explained to the reader by its message alone, without a stack.

import { readFileSync } from 'node:fs';

const LOG_LINES_SHOWN = 20;

export class SetupError extends Error {
  /**
   * @param {string} message one sentence, with the command to type where there is one
   * @param {{ logPath?: string }} [details]
   */
  constructor(message, { logPath } = {}) {
    super(message);
    this.name = 'SetupError';
    this.logPath = logPath;
  }

  /** @returns {string} */
  describe() {
    if (!this.logPath) return this.message;
    let tail = '';
    try {
      const lines = readFileSync(this.logPath, 'utf8').trimEnd().split('\n');
      tail = lines.slice(-LOG_LINES_SHOWN).join('\n');
    } catch {
      tail = '(the log cannot be read)';
    }
    return `${tail}\n\n${this.message}\nThe whole log: ${this.logPath}`;
  }
}

/**
 * Prints what went wrong and ends the process.
 * @param {unknown} error
 * @returns {never}
 */
export function exitWith(error) {
  const text = error instanceof SetupError ? error.describe() : error;
  console.error('\nThe set-up stopped.\n');
  console.error(text);
  process.exit(1);
}
