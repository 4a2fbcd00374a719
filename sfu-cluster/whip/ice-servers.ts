// ICE servers: those that encoders and players are told of, in Link headers (RFC 9725, section 4.6).
import { createHmac, randomUUID } from 'node:crypto';

/** A TURN name and password are good for so long; a connection that stands goes on. */
export const turnLifeSeconds = 6 * 3600;

export interface IceServerSettings {
  /** `stun:`, `turn:` and `turns:` addresses. */
  urls: readonly string[];
  /** What is shared with the TURN servers (`use-auth-secret` of coturn); needed for `turn:` and `turns:`. */
  turnSecret: string | undefined;
}

/** One header value for each server, with a name and a password of its own for each connection. */
export function iceServerLinks({ urls, turnSecret }: IceServerSettings, nowMs = Date.now()) {
  return urls.flatMap((url) => {
    if (url.startsWith('stun:')) return [`<${url}>; rel="ice-server"`];
    if (turnSecret === undefined) return [];
    const username = `${Math.floor(nowMs / 1000) + turnLifeSeconds}:${randomUUID()}`;
    const credential = createHmac('sha1', turnSecret).update(username).digest('base64');
    return [
      `<${url}>; rel="ice-server"; username="${username}"; credential="${credential}"; credential-type="password"`,
    ];
  });
}
