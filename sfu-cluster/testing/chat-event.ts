// A chat message as the edge publishes it.
import { randomUUID } from 'node:crypto';
import type { RoomEvent } from '#contract';

export function chatEvent(streamId: string, id: number, body = `message ${id}`): RoomEvent {
  return {
    type: 'chat.message',
    id,
    streamId,
    at: new Date().toISOString(),
    data: {
      messageId: randomUUID(),
      userId: randomUUID(),
      username: 'asha',
      role: 'viewer',
      body,
    },
  };
}
