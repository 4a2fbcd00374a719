// Upstash's own Lua flag: taken out of scripts before a plain Redis, which refuses it, sees them.
import { createHash } from 'node:crypto';

/** Scripts whose names are remembered; the oldest is forgotten first and then comes as NOSCRIPT. */
const scriptsMax = 1_000;

const upstashFlag = 'allow-key-locking';

const sha1 = (text: string) => createHash('sha1').update(text).digest('hex');

/** The script without Upstash's flag; a first line that said nothing else becomes empty. */
export function withoutUpstashFlag(script: string): string {
  return script.replace(/^#!lua[^\n]*/, (line) => {
    const [, flags] = /flags=(\S*)/.exec(line) ?? [];
    if (!flags?.split(',').includes(upstashFlag)) return line;
    const kept = flags.split(',').filter((flag) => flag !== upstashFlag);
    return kept.length > 0 ? line.replace(/flags=\S*/, `flags=${kept.join(',')}`) : '';
  });
}

export interface ScriptNames {
  /** The script to send for the one that a client sent. */
  strip(script: string): string;
  /** The hash under which Redis knows the script that a client calls by `hash`. */
  toRedis(hash: string): string;
  /** The hash that a client expects for its script. */
  ofClient(script: string): string;
}

/** Remembers which hash of ours stands for which hash of the client. */
export function createScriptNames(): ScriptNames {
  const redisHashes = new Map<string, string>();
  return {
    strip(script) {
      const stripped = withoutUpstashFlag(script);
      if (stripped === script) return script;
      const hash = sha1(script);
      redisHashes.delete(hash);
      redisHashes.set(hash, sha1(stripped));
      const [oldest] = redisHashes.keys();
      if (redisHashes.size > scriptsMax && oldest) redisHashes.delete(oldest);
      return stripped;
    },
    toRedis: (hash) => redisHashes.get(hash.toLowerCase()) ?? hash,
    ofClient: sha1,
  };
}
