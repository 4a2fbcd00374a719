// Commands as Upstash takes them: JSON arrays in, checked, turned into what a plain Redis understands.
import { z } from 'zod';
import type { ScriptNames } from './lua-flag.ts';

const pipelineCommandsMax = 1_000;

const RawCommand = z.array(z.union([z.string(), z.number(), z.boolean()])).min(1);
export const RawPipeline = z.array(RawCommand).max(pipelineCommandsMax);
export type RawCommand = z.infer<typeof RawCommand>;
export { RawCommand as RawCommandSchema };

/** Upstash's REST has no connection state and no blocking; these would change or block ours. */
const refusedCommands = new Set(
  `ACL AUTH BGREWRITEAOF BGSAVE BLMOVE BLMPOP BLPOP BRPOP BRPOPLPUSH BZMPOP BZPOPMAX BZPOPMIN CLIENT
  CLUSTER CONFIG DEBUG DISCARD EXEC FAILOVER HELLO MIGRATE MODULE MONITOR MULTI PSUBSCRIBE PSYNC
  PUNSUBSCRIBE QUIT READONLY READWRITE REPLCONF REPLICAOF RESET SAVE SELECT SHUTDOWN SLAVEOF SSUBSCRIBE
  SUBSCRIBE SUNSUBSCRIBE SYNC UNSUBSCRIBE UNWATCH WAIT WAITAOF WATCH`.split(/\s+/),
);

/** Said to the client as `{ error }` with status 400, as Redis would say it. */
export class CommandRefused extends Error {}

export interface RedisCommand {
  name: string;
  args: string[];
  /** Replaces the reply, where it would show that the script was changed. */
  reply?: string;
}

/** @throws CommandRefused when the command is not offered over REST. */
export function translate(raw: RawCommand, scripts: ScriptNames): RedisCommand {
  const [first, ...args] = raw.map(String);
  // Upper case, so that no client library reshapes the reply by the command's name.
  const name = (first ?? '').toUpperCase();
  const blocks =
    /^XREAD(GROUP)?$/.test(name) && args.some((word) => word.toUpperCase() === 'BLOCK');
  if (refusedCommands.has(name) || blocks) {
    throw new CommandRefused(`ERR Command is not available: '${name}'`);
  }
  if (name === 'EVAL' || name === 'EVAL_RO') {
    const [script, ...rest] = args;
    return { name, args: script === undefined ? args : [scripts.strip(script), ...rest] };
  }
  if (name === 'EVALSHA' || name === 'EVALSHA_RO') {
    const [hash, ...rest] = args;
    return { name, args: hash === undefined ? args : [scripts.toRedis(hash), ...rest] };
  }
  if (name === 'SCRIPT') {
    const [verb, script, ...rest] = args;
    if (verb?.toUpperCase() === 'LOAD' && script !== undefined) {
      return {
        name,
        args: ['LOAD', scripts.strip(script), ...rest],
        reply: scripts.ofClient(script),
      };
    }
    if (verb?.toUpperCase() === 'EXISTS') {
      return { name, args: [verb, ...args.slice(1).map(scripts.toRedis)] };
    }
  }
  return { name, args };
}

/** A reply as JSON: strings in base64 when the client asked for it, integers and nil as they are. */
export function encodeReply(reply: unknown, base64: boolean, top = true): unknown {
  if (Array.isArray(reply)) return reply.map((item) => encodeReply(item, base64, false));
  if (reply instanceof Error) return base64 ? toBase64(reply.message) : reply.message;
  if (!Buffer.isBuffer(reply) && typeof reply !== 'string') return reply ?? null;
  const bytes = Buffer.from(reply);
  // The one word that Upstash leaves readable.
  if (!base64 || (top && bytes.equals(ok))) return bytes.toString('utf8');
  return bytes.toString('base64');
}

const ok = Buffer.from('OK');
const toBase64 = (text: string) => Buffer.from(text).toString('base64');
