// ICE links: relays as WHIP and WHEP tell of them, in Link headers (RFC 9725, section 4.6).
import type { IceServer } from '#contract';

/** One value for each address. All of them are made of letters, digits and signs that need no quoting. */
export function iceLinks(servers: readonly IceServer[]): string[] {
  return servers.flatMap(({ urls, username, credential }) =>
    urls.map(
      (url) =>
        `<${url}>; rel="ice-server"; username="${username}"; credential="${credential}"; credential-type="password"`,
    ),
  );
}
