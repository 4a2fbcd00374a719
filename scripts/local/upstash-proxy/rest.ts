// Upstash's REST routes: one command, a pipeline, a transaction, and the path form of a command.
import { type Redis, ReplyError } from 'ioredis';
import type { z } from 'zod';
import {
  CommandRefused,
  encodeReply,
  RawCommandSchema,
  RawPipeline,
  type RedisCommand,
  translate,
} from './commands.ts';
import { createScriptNames } from './lua-flag.ts';

export interface RestAnswer {
  status: number;
  body: unknown;
}

export interface RestRequest {
  /** Path segments after the root, decoded. */
  segments: string[];
  query: URLSearchParams;
  text: string;
  base64: boolean;
}

/** Carries requests of Upstash's REST protocol out on `redis`. */
export function createRestEndpoint(redis: Redis) {
  const scripts = createScriptNames();

  async function single(command: RedisCommand, base64: boolean): Promise<RestAnswer> {
    const reply = await redis.callBuffer(command.name, ...command.args);
    return { status: 200, body: { result: encodeReply(command.reply ?? reply, base64) } };
  }

  async function several(
    commands: RedisCommand[],
    base64: boolean,
    transaction: boolean,
  ): Promise<RestAnswer> {
    if (commands.length === 0)
      return { status: 400, body: { error: 'ERR empty pipeline request' } };
    const batch = transaction ? redis.multi() : redis.pipeline();
    for (const command of commands) batch.callBuffer(command.name, ...command.args);
    const replies = (await batch.exec()) ?? [];
    const lost = replies.find(([error]) => error && !isReplyError(error));
    if (lost?.[0]) throw lost[0];
    return {
      status: 200,
      body: replies.map(([error, reply], at) =>
        error
          ? { error: error.message }
          : { result: encodeReply(commands[at]?.reply ?? reply, base64) },
      ),
    };
  }

  return async function answer(request: RestRequest): Promise<RestAnswer> {
    try {
      const [route, ...rest] = request.segments;
      if (rest.length === 0 && (route === 'pipeline' || route === 'multi-exec')) {
        const commands = parse(RawPipeline, request.text).map((raw) => translate(raw, scripts));
        return await several(commands, request.base64, route === 'multi-exec');
      }
      const raw =
        route === undefined
          ? parse(RawCommandSchema, request.text)
          : [
              ...request.segments,
              ...(request.text ? [request.text] : []),
              ...[...request.query].flat().filter((word) => word !== ''),
            ];
      return await single(translate(raw, scripts), request.base64);
    } catch (error) {
      if (error instanceof CommandRefused || isReplyError(error)) {
        return { status: 400, body: { error: error.message } };
      }
      const detail = error instanceof Error ? error.message : String(error);
      return { status: 503, body: { error: `ERR redis cannot be reached: ${detail}` } };
    }
  };
}

function isReplyError(error: unknown): error is Error {
  return error instanceof ReplyError;
}

function parse<T>(schema: z.ZodType<T>, text: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    throw new CommandRefused('ERR failed to parse the command: a JSON array is expected');
  }
}
