// A session with Janus over its WebSocket: requests that are answered by transaction, then by an event.
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { z } from 'zod';

const answerTimeoutMs = 10_000;

const Message = z.object({
  janus: z.string(),
  transaction: z.string().optional(),
  data: z.object({ id: z.number() }).optional(),
  error: z.object({ reason: z.string() }).optional(),
  plugindata: z
    .object({ data: z.looseObject({ error: z.string().optional() }).optional() })
    .optional(),
  jsep: z.object({ type: z.string(), sdp: z.string() }).optional(),
});
type Message = z.infer<typeof Message>;

/** `ack` says only that an event will follow, under the same transaction. */
const final = new Set(['success', 'event', 'error']);

export class JanusSession {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<string, PromiseWithResolvers<Message>>();
  #id = 0;
  #transactions = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('error', () => undefined);
    socket.on('message', (data) => {
      const message = Message.parse(JSON.parse(String(data)));
      const { transaction = '', janus } = message;
      if (!final.has(janus)) return;
      this.#waiting.get(transaction)?.resolve(message);
      this.#waiting.delete(transaction);
    });
  }

  /** Rejects while Janus does not listen yet. */
  static async open(url: string): Promise<JanusSession> {
    const socket = new WebSocket(url, 'janus-protocol');
    const session = new JanusSession(socket);
    await once(socket, 'open');
    const { data } = await session.#request({ janus: 'create' });
    session.#id = data?.id ?? 0;
    return session;
  }

  /** A handle on a plugin, which stands for one peer connection. */
  async attach(plugin: string): Promise<number> {
    const { data } = await this.#request({ janus: 'attach', session_id: this.#id, plugin });
    return data?.id ?? 0;
  }

  /** Asks the plugin for something that it answers with an SDP. */
  async ask(handle: number, body: object): Promise<string> {
    const { jsep } = await this.#message(handle, { body });
    if (!jsep) throw new Error('Janus answers without an offer');
    return jsep.sdp;
  }

  async answer(handle: number, body: object, sdp: string): Promise<void> {
    await this.#message(handle, { body, jsep: { type: 'answer', sdp } });
  }

  detach(handle: number): void {
    this.#request({ janus: 'detach', session_id: this.#id, handle_id: handle }).catch(() => {
      // The session may end first.
    });
  }

  close(): void {
    this.#socket.close();
  }

  #message(handle: number, fields: object): Promise<Message> {
    return this.#request({
      janus: 'message',
      session_id: this.#id,
      handle_id: handle,
      ...fields,
    });
  }

  async #request(fields: object): Promise<Message> {
    const transaction = String(this.#transactions++);
    const waiting = Promise.withResolvers<Message>();
    this.#waiting.set(transaction, waiting);
    const late = setTimeout(
      () => waiting.reject(new Error('Janus does not answer')),
      answerTimeoutMs,
    );
    this.#socket.send(JSON.stringify({ ...fields, transaction }));
    try {
      const message = await waiting.promise;
      const fault = message.error?.reason ?? message.plugindata?.data?.error;
      if (fault) throw new Error(`Janus refuses: ${fault}`);
      return message;
    } finally {
      clearTimeout(late);
    }
  }
}
