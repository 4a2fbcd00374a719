// Last words: the end of what ffmpeg has written to stderr, where its error is, fit for a log.

const tailCharsMax = 2_000;
const linesMax = 2;
const textCharsMax = 300;

/** Paths and addresses: whatever has a slash. */
const path = /\S*\/\S*/g;
/** Stream keys and SRTP keys are longer than words are. */
const secret = /[\w+=-]{24,}/g;

/** Takes the output as it comes. */
export function createLastWords() {
  let tail = '';
  return {
    hear(chunk: string): void {
      tail = (tail + chunk).slice(-tailCharsMax);
    },
    /** The last lines, without keys and paths; empty when nothing was said. */
    get text(): string {
      const lines = tail.split(/[\r\n]+/).filter((line) => line.trim() !== '');
      const last = lines.slice(-linesMax).map((line) => line.trim());
      return last.join('; ').replace(path, '…').replace(secret, '…').slice(-textCharsMax);
    },
  };
}
