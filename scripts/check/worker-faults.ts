// What Cloudflare refuses in a Worker though Node and a local workerd take it.

const roundsMax = 100_000;

const refused: { what: string; pattern: RegExp; isMeant?: (match: RegExpExecArray) => boolean }[] =
  [
    {
      what: 'code from strings',
      // Methods of that name are none.
      pattern: /\bnew Function\(|(?<![.\w'"`$]|async |static )eval\((?!\w*(?:, \w+)*\) \{)/g,
    },
    { what: 'WebAssembly compiled from bytes', pattern: /\bWebAssembly\.compile(?:Streaming)?\(/g },
    {
      what: 'PBKDF2 of more than 100,000 rounds',
      pattern: /["']PBKDF2["'][^}]*?iterations: ([\d_]+)/g,
      isMeant: ([, rounds = '']) => Number(rounds.replaceAll('_', '')) > roundsMax,
    },
  ];

/** Each place in a script, with what stands around it. */
export function workerFaults(script: string): string[] {
  return refused.flatMap(({ what, pattern, isMeant = () => true }) =>
    [...script.matchAll(pattern)]
      .filter(isMeant)
      .map(({ index }) => `${what}: ${script.slice(Math.max(0, index - 60), index + 60)}`),
  );
}
