// Ends of what an encoder sends: by a wrong key, a ban, the end of the stream, silence, or too much of it.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { probeMsMax, wrongKeysMax } from './limits.ts';
import { chunk, publish, scriptType, untilClosed } from './testing/rtmp-client.ts';
import { patient, useStage } from './testing/stage.ts';

const stage = useStage({ BRIDGE_ENCODERS_MAX: '1', BRIDGE_BITRATE_MAX_KBPS: '6000' });
const withBFrames = ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-g', '30'];
/** As long as a script may be. */
const scriptBytes = 16 * 1024;

const why = () => stage.logged.map((line) => JSON.parse(line).why).filter(Boolean);

/** Processes of the bridge that read what an encoder sends. */
function ffmpegsOfOurs(): number {
  const threads = readdirSync(`/proc/${process.pid}/task`);
  const children = threads.flatMap((thread) =>
    readFileSync(`/proc/${process.pid}/task/${thread}/children`, 'utf8').trim().split(' '),
  );
  return children.filter((pid) => commandLineOf(pid).includes('framecrc')).length;
}

function commandLineOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    // It has ended meanwhile.
    return '';
  }
}

describe.each(['rtmp', 'srt'] as const)('by %s', (protocol) => {
  test('a key that the edge does not know is refused, and nothing comes into a room', async () => {
    const encoder = stage.push(protocol, 'lpk_not-a-key');
    const said = await encoder.ended;
    // SRT has no word for it.
    if (protocol === 'rtmp') expect(said).toContain('this stream is not taken');
    expect(stage.edge.asked.at(-1)).toBe(`${protocol} 127.0.0.1`);
    expect(stage.bridge.relays.size).toBe(0);
  });

  test('a revoked session, as a ban or a new secret makes it, cuts the encoder within two seconds', async () => {
    const { key, sid } = stage.edge.keyFor(stage.scene.stream);
    const encoder = stage.push(protocol, key);
    await stage.untilPublished();
    stage.edge.refuse(key, 401);
    const revokedAtMs = performance.now();
    await stage.scene.revoke({ kind: 'session', subject: sid });
    await expect.poll(() => stage.bridge.relays.size, patient).toBe(0);
    await encoder.ended;
    expect(performance.now() - revokedAtMs).toBeLessThan(2_000);
    expect(stage.scene.node.rooms.find(stage.scene.stream)).toBeNull();
    expect(why()).toContain('revoked');
  });

  test('the end of the stream cuts the encoder within two seconds', async () => {
    const { key } = stage.edge.keyFor(stage.scene.stream);
    const encoder = stage.push(protocol, key);
    await stage.untilPublished();
    const endedAtMs = performance.now();
    stage.scene.node.rooms.end(stage.scene.stream);
    await encoder.ended;
    expect(performance.now() - endedAtMs).toBeLessThan(2_000);
  });

  test('an encoder that stands still is given up, and the room is left', async () => {
    const { key } = stage.edge.keyFor(stage.scene.stream);
    const encoder = stage.push(protocol, key);
    const { seen } = await stage.watched();
    await expect.poll(() => seen.pictures, patient).toBeGreaterThan(10);
    encoder.child.kill('SIGSTOP');
    stage.after(() => encoder.child.kill('SIGKILL'));
    await expect.poll(() => stage.bridge.relays.size, patient).toBe(0);
    await expect.poll(() => stage.scene.room.sources, patient).toEqual([]);
  });
});

test('an encoder that comes again takes the place of itself', async () => {
  const { key } = stage.edge.keyFor(stage.scene.stream);
  const first = stage.push('rtmp', key);
  await stage.untilPublished();
  stage.push('srt', key);
  await first.ended;
  expect(why()).toContain('replaced');
  await stage.untilPublished();
});

test('more bits than are allowed end it', async () => {
  const { key } = stage.edge.keyFor(stage.scene.stream);
  const video = ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '0', '-qp', '1', '-g', '30'];
  const encoder = stage.push('rtmp', key, { video, size: '1280x720' });
  await encoder.ended;
  expect(why()).toContain('more bits than are allowed');
});

test('so do bits that are no media', async () => {
  const { key } = stage.edge.keyFor(stage.scene.stream);
  const socket = await publish(stage.bridge.rtmpPort, key);
  stage.after(() => socket.destroy());
  const script = chunk(scriptType, scriptBytes, Buffer.alloc(scriptBytes), 6);
  const write = () => {
    for (let more = true; more && socket.writable; ) more = socket.write(script);
  };
  socket.on('drain', write);
  write();
  await untilClosed(socket);
  expect(why().at(-1)).toBe('more bits than are allowed');
});

test('what looks at an encoder ends with it', async () => {
  const { key } = stage.edge.keyFor(stage.scene.stream);
  const socket = await publish(stage.bridge.rtmpPort, key);
  await expect.poll(ffmpegsOfOurs, patient).toBe(1);
  socket.destroy();
  await expect.poll(ffmpegsOfOurs, { timeout: probeMsMax / 2 }).toBe(0);
});

test('a picture that no encoder is free for is refused; one that needs none is taken', async () => {
  const others = crypto.randomUUID();
  stage.push('rtmp', stage.edge.keyFor(others).key, { video: withBFrames });
  await expect.poll(() => [...stage.bridge.relays][0]?.encodesPicture, patient).toBe(true);
  const { key } = stage.edge.keyFor(stage.scene.stream);
  await stage.push('rtmp', key, { video: withBFrames }).ended;
  expect(why()).toContain('no encoder is free for this picture');
  stage.push('rtmp', key);
  await stage.untilPublished();
});

test('a line that guesses keys is refused unasked after some', async () => {
  const before = stage.edge.asked.length;
  for (let guess = 0; guess < wrongKeysMax + 2; guess += 1) {
    await stage.push('rtmp', `lpk_guess-${guess}`).ended;
  }
  expect(stage.edge.asked.length - before).toBeLessThanOrEqual(wrongKeysMax);
}, 30_000);
