// Internal: reports of SFU nodes and transcoders, and counters for operations.
import { Hono } from 'hono';
import {
  PullBody,
  SfuReport,
  type SfuReportAnswer,
  TranscoderReport,
  type TranscoderReportAnswer,
  transcodeLeaseSeconds,
} from '#contract';
import { recordSfuReport, recordTranscoderReport } from '#db';
import type { AppEnv, Deps } from '../deps.ts';
import { requireNode } from '../services/access.ts';
import { requireMediaUrl } from '../services/media-origins.ts';
import { grantPull } from '../services/tickets.ts';
import { validate } from '../services/validate.ts';

export function internalRoutes(deps: Deps) {
  return new Hono<AppEnv>()
    .use(requireNode(deps))
    .post('/nodes/report', validate('json', SfuReport), async (c) => {
      const report = c.req.valid('json');
      requireMediaUrl(deps.config, report.url);
      const [result, told] = await Promise.all([
        recordSfuReport(deps.db, report),
        deps.revocations.since(report.revocationsKnown),
      ]);
      c.env.defer(deps.publisher.publish(result.events));
      if (result.published) c.env.defer(deps.publisher.nudgeTranscoders());
      const { close, audiences } = result;
      return c.json({ close, audiences, ...told } satisfies SfuReportAnswer, 200);
    })
    .post('/nodes/pull', validate('json', PullBody), async (c) =>
      c.json(await grantPull(deps, c.req.valid('json')), 200),
    )
    .post('/transcode/report', validate('json', TranscoderReport), async (c) => {
      const report = c.req.valid('json');
      requireMediaUrl(deps.config, report.publicUrl);
      for (const { thumbnailUrl } of report.jobs) {
        if (thumbnailUrl !== null) requireMediaUrl(deps.config, thumbnailUrl);
      }
      const [result, told] = await Promise.all([
        recordTranscoderReport(deps.db, report, transcodeLeaseSeconds),
        deps.revocations.since(report.revocationsKnown),
      ]);
      const start = await Promise.all(
        result.start.map(async (job) => ({
          streamId: job.streamId,
          sfuUrl: job.sfuUrl,
          ticket: await deps.signer.nodeTicket({
            subject: report.transcoderId,
            streamId: job.streamId,
            nodeId: job.nodeId,
            use: 'tap',
          }),
        })),
      );
      return c.json({ start, stop: result.stop, ...told } satisfies TranscoderReportAnswer, 200);
    })
    .get('/counters', (c) => c.json(deps.counters.read(), 200));
}
