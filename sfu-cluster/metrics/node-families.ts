// Node families: what Prometheus is told of a node as a whole, of its workers, and of its process.
import { type Health, type SfuStats, type SfuWorkerStats, SocketErrorCode } from '#contract';
import { counter, type Family, gauge, type Labels } from './exposition.ts';

export function nodeFamilies(stats: SfuStats, health: Health): Family[] {
  return [
    gauge('livepanty_sfu_info', 'Always 1; which node this is.', [
      [{ node_id: stats.nodeId, country: stats.country ?? '' }, 1],
    ]),
    gauge('livepanty_sfu_load_ratio', 'Share of what the node can carry, 0 to 1.', stats.load),
    gauge('livepanty_sfu_draining', 'Whether everybody is sent away.', Number(stats.draining)),
    gauge('livepanty_sfu_sockets', 'Room sockets, joined or not.', stats.sockets),
    gauge(
      'livepanty_sfu_http_connections',
      'Encoders (whip) and players (whep) that speak HTTP.',
      Object.entries(stats.connections).map(([kind, count]): [Labels, number] => [{ kind }, count]),
    ),
    gauge('livepanty_sfu_rooms', 'Streams that have sockets here.', stats.rooms.length),
    gauge('livepanty_sfu_viewers', 'Transports of people who watch.', stats.viewers),
    gauge('livepanty_sfu_viewers_max', 'How many may watch at once.', stats.viewersMax),
    gauge(
      'livepanty_sfu_check_ok',
      'What the node leans on, as `/readyz` sees it.',
      checksOf(health),
    ),
    gauge(
      'livepanty_sfu_registry_beat_age_seconds',
      'Since the node was last written to the registry; infinite when it never was.',
      stats.beatAgeMs === null ? Number.POSITIVE_INFINITY : stats.beatAgeMs / 1000,
    ),
    counter('livepanty_sfu_refusals_total', 'Refusals to sockets by code.', refusalsOf(stats)),
    counter(
      'livepanty_sfu_received_bytes_total',
      'Bytes of media that came in, sampled.',
      stats.bytesIn,
    ),
    counter(
      'livepanty_sfu_sent_bytes_total',
      'Bytes of media that went out, sampled.',
      stats.bytesOut,
    ),
    ...delayFamilies(stats),
    ...processFamilies(),
  ];
}

export function workerFamilies(workers: readonly SfuWorkerStats[]): Family[] {
  const each = (value: (worker: SfuWorkerStats) => number): [Labels, number][] =>
    workers.map((worker) => [{ worker: worker.index }, value(worker)]);
  return [
    gauge(
      'livepanty_sfu_worker_up',
      'Whether the media worker runs.',
      each(({ pid }) => Number(pid !== null)),
    ),
    gauge(
      'livepanty_sfu_worker_pid',
      'Its process; 0 while it is down.',
      each(({ pid }) => pid ?? 0),
    ),
    counter(
      'livepanty_sfu_worker_deaths_total',
      'Workers that died there and were replaced.',
      each(({ deaths }) => deaths),
    ),
    gauge(
      'livepanty_sfu_worker_cpu_ratio',
      'Share of one core, 0 to 1.',
      each(({ cpuLoad }) => cpuLoad),
    ),
    gauge(
      'livepanty_sfu_worker_routers',
      'Rooms on the worker.',
      each(({ routers }) => routers),
    ),
    gauge(
      'livepanty_sfu_worker_viewers',
      'People who watch there.',
      each(({ viewers }) => viewers),
    ),
    gauge(
      'livepanty_sfu_worker_consumers',
      'Tracks that it sends.',
      each(({ consumers }) => consumers),
    ),
    gauge(
      'livepanty_sfu_worker_memory_peak_bytes',
      'The most memory that it has had.',
      each(({ memoryPeakBytes }) => memoryPeakBytes),
    ),
  ];
}

function checksOf({ checks }: Health): [Labels, number][] {
  return Object.entries(checks).map(([check, { ok }]) => [{ check }, Number(ok)]);
}

/** All codes, also those that have not come yet: a rate needs a beginning. */
function refusalsOf({ refusals }: SfuStats): [Labels, number][] {
  return SocketErrorCode.options.map((code) => [{ code }, refusals[code] ?? 0]);
}

function delayFamilies({ eventLoopDelayMs: { p50, p99, max } }: SfuStats): Family[] {
  const help = 'How late the process got to its work in the last ten seconds:';
  return [
    gauge('livepanty_sfu_event_loop_delay_p50_seconds', `${help} the median.`, p50 / 1000),
    gauge('livepanty_sfu_event_loop_delay_p99_seconds', `${help} 99 of 100 times.`, p99 / 1000),
    gauge('livepanty_sfu_event_loop_delay_max_seconds', `${help} at most.`, max / 1000),
  ];
}

/** Under the names that exporters of all languages use. */
function processFamilies(): Family[] {
  const { user, system } = process.cpuUsage();
  return [
    counter('process_cpu_seconds_total', 'Without its workers.', (user + system) / 1e6),
    gauge('process_resident_memory_bytes', 'Without its workers.', process.memoryUsage.rss()),
    gauge(
      'process_start_time_seconds',
      'Since the epoch.',
      Math.round(Date.now() / 1000 - process.uptime()),
    ),
  ];
}
