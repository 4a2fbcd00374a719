// The stream id of an SRT connection: where encoders put the stream key.

const key = '[A-Za-z0-9_-]{1,128}';
/** The key alone, or as OBS is often told: `publish:key`. */
const plain = new RegExp(`^(?:publish:)?(${key})$`);
/** SRT Access Control, as its guidelines write it: `#!::r=key,m=publish`. */
const accessControl = /^#!::(.+)$/;
const keyOnly = new RegExp(`^${key}$`);

/** Null for what shows no key, or wants to play. */
export function keyOfStreamId(streamId: string): string | null {
  const named = accessControl.exec(streamId)?.[1];
  if (named === undefined) return plain.exec(streamId)?.[1] ?? null;
  const pairs = new Map(
    named.split(',').map((pair) => {
      const at = pair.indexOf('=');
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
  const resource = pairs.get('r') ?? '';
  const mode = pairs.get('m') ?? 'publish';
  return mode === 'publish' && keyOnly.test(resource) ? resource : null;
}
