// The SFU: what a delivered packet costs our node, beside bare mediasoup and Janus, with real WebRTC receivers that
// count. One processor is kept for the server that is measured; all peers encrypt alike, with the same library.
import { loadavg } from 'node:os';
import { Receivers, type SrtpSuite } from '../testing/receivers/receivers.ts';
import type { Bench } from './main.ts';
import { bars } from './plot.ts';
import { startBare } from './sfu/bare.ts';
import { leaveServerCore, pinned } from './sfu/cores.ts';
import { startJanus } from './sfu/janus.ts';
import { measureJoins } from './sfu/joins.ts';
import { startOurs } from './sfu/ours.ts';
import type { Peer, PeerDeps } from './sfu/peer.ts';
import { obtainPrograms } from './sfu/programs.ts';
import { createResults, type Load, nameOf, type Results } from './sfu/results.ts';
import { type Contender, enlist, grow, measure } from './sfu/rounds.ts';

const suites: readonly SrtpSuite[] = ['AEAD_AES_128_GCM', 'AES_CM_128_HMAC_SHA1_80'];
const bitratesBps = [600_000, 1_500_000] as const;
const audiences = [50, 100, 200, 400] as const;
/** Where peers are compared: so many viewers at so many bits a second. */
const compared = { viewers: 200, bitrateBps: 600_000 };
/** One more is thrown away before these. */
const rounds = 6;
/** Rounds lie up to a third apart: where peers are compared, there are enough of them for a median to a few percent. */
const comparedRounds = 14;
const windowMs = 3_000;
/** Beyond this share of its processor a server is not measured but overrun. */
const cpuShareMax = 0.85;
/** Measured where peers are compared, and nowhere else. */
const twoWorkersName = 'ours on two workers';
/** As it comes: with the suite that every browser has. */
const byDefaultName = 'bare by default';
const defaultSuite: SrtpSuite = 'AES_CM_128_HMAC_SHA1_80';
/** With the suite of the bench, and twice the sound in a packet: the same picture and sound for less. */
const frugalName = 'ours, frugal';
const frugalAudioPacketMs = 40;
const comparedOnly = [twoWorkersName, byDefaultName, frugalName];

const say = (text: string) => console.error(text);

export const sfu: Bench = {
  name: 'sfu',
  summary: 'what a delivered packet costs our SFU node, beside bare mediasoup and Janus',
  async run(args) {
    const suite = suites.find((name) => args.includes(`--suite=${name}`)) ?? suites[0];
    if (!suite) throw new Error('no suite');
    await leaveServerCore();
    const { workers, ...programs } = await obtainPrograms();
    const { libsrtpDir } = programs;
    const env: Record<string, string> = libsrtpDir === null ? {} : { LD_LIBRARY_PATH: libsrtpDir };
    const startReceivers = (other = suite) => Receivers.start(other, env);
    const deps: PeerDeps = { pinned, startReceivers, ...programs };
    say(`${suite}; load of the machine before: ${loadavg()[0]?.toFixed(2)}`);
    const joins = await measureJoins(deps, compared.bitrateBps);
    const peers = await startPeers(deps);
    const sizes = args.includes('--compared') ? [compared.viewers] : audiences;
    try {
      const results = await inTurn(peers, sizes);
      const srtp = { suite, library: libsrtpDir === null ? 'of the system' : 'on OpenSSL' };
      return { ...summary(results), figures: { srtp, workers, ...joins, ...figures(results) } };
    } finally {
      for (const peer of peers) await peer.close();
    }
  },
};

async function startPeers(deps: PeerDeps): Promise<Peer[]> {
  const starts = [
    () => startOurs('ours', { workers: 1 }, deps),
    () => startBare('bare', deps),
    () => startJanus(deps),
    // A room moves on to a further worker when the first is half full.
    () => startBare(byDefaultName, deps, defaultSuite),
    () => startOurs(frugalName, { workers: 1, audioPacketMs: frugalAudioPacketMs }, deps),
    () => startOurs(twoWorkersName, { workers: 2, viewersPerWorker: compared.viewers }, deps),
  ];
  const peers: Peer[] = [];
  try {
    for (const start of starts) peers.push(await start());
    return peers;
  } catch (error) {
    for (const peer of peers) await peer.close();
    throw error;
  }
}

/** All sizes, from small to large, and at each all peers in turn, round after round. */
async function inTurn(peers: readonly Peer[], sizes: readonly number[]): Promise<Results> {
  const results = createResults();
  const contenders = await Promise.all(peers.map(enlist));
  for (const viewers of sizes) {
    const here = contenders.filter(({ peer }) => takesPart(peer, viewers));
    for (const contender of here) {
      await grow(contender, viewers, compared.bitrateBps);
      const fault = await contender.peer.fault();
      if (fault) throw new Error(`${contender.peer.name}: ${fault}`);
      say(`${contender.peer.name}: ${viewers} viewers`);
    }
    for (const bitrateBps of bitratesBps) {
      const able = here.filter(({ peer }) => {
        const load = { peer: peer.name, bitrateBps, viewers };
        return results.expectedCpuShare(load) <= cpuShareMax;
      });
      await playRounds(able, { bitrateBps, viewers }, results);
      if (viewers === compared.viewers) {
        await playRounds(able, { bitrateBps, viewers, pace: 'frames' }, results);
      }
    }
  }
  for (const { source } of contenders) await source.close();
  return results;
}

function takesPart({ name }: Peer, viewers: number): boolean {
  return !comparedOnly.includes(name) || viewers === compared.viewers;
}

async function playRounds(
  contenders: readonly Contender[],
  at: Omit<Load, 'peer'>,
  results: Results,
): Promise<void> {
  const { bitrateBps, viewers, pace } = at;
  const isCompared =
    viewers === compared.viewers && bitrateBps === compared.bitrateBps && pace === undefined;
  const last = isCompared ? comparedRounds : rounds;
  for (let round = 0; round <= last; round += 1) {
    // Nobody always follows the same one.
    const turn = round % Math.max(1, contenders.length);
    for (const contender of [...contenders.slice(turn), ...contenders.slice(0, turn)]) {
      const sample = await measure(contender, bitrateBps, windowMs, pace);
      const load = { peer: contender.peer.name, ...at };
      if (round > 0) results.add(load, sample);
      say(
        `${nameOf(load)}: ${round === 0 ? 'warming up' : `round ${round} of ${last}`}: ` +
          `${Math.round(sample.packetsPerCpuSecond)} packets a CPU-second, ` +
          `${Math.round(sample.cpuShare * 100)} % of the processor`,
      );
    }
  }
}

function summary(results: Results) {
  const ratio = (peer: string, other: string) => results.ratio(peer, other, compared);
  return {
    ratios: {
      toBareMediasoup: ratio('ours', 'bare'),
      toBareMediasoupFramesAtOnce: results.ratio('ours', 'bare', { ...compared, pace: 'frames' }),
      toJanus: ratio('ours', 'janus'),
      bareToJanus: ratio('bare', 'janus'),
      twoWorkersToOne: ratio(twoWorkersName, 'ours'),
    },
  };
}

function figures(results: Results) {
  const perCpuSecond = results.medians();
  for (const bitrateBps of bitratesBps) {
    const title = `packets a CPU-second at ${bitrateBps / 1_000} kbit/s (medians)`;
    say(bars(title, results.barsOf(bitrateBps)));
  }
  return {
    viewersPerCore: {
      bare: results.viewersPerCore('bare', compared),
      ours: results.viewersPerCore('ours', compared),
      bareByDefault: results.viewersPerCore(byDefaultName, compared),
      oursFrugal: results.viewersPerCore(frugalName, compared),
      janus: results.viewersPerCore('janus', compared),
    },
    packetsPerCpuSecond: perCpuSecond,
    ...results.quality(),
  };
}
