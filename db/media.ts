// Media: what SFU nodes and transcoders report, and the work they are handed in return.
import { and, eq, ne, sql } from 'drizzle-orm';
import { z } from 'zod';
import { Id, RoomEvent, type SfuReport, type TranscoderReport } from '#contract';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';
import { streamMedia, streams } from './schema/index.ts';

const SfuReportResult = z.object({
  close: z.array(Id),
  events: z.array(RoomEvent),
  /** True when a stream went live just now. */
  published: z.boolean(),
  /** How many watch each of its streams, on all nodes. */
  audiences: z.array(z.object({ streamId: Id, viewers: z.int() })),
});

/** Stores one SFU node's facts; streams whose media has come go live. */
export async function recordSfuReport(
  db: Db,
  report: SfuReport,
): Promise<z.infer<typeof SfuReportResult>> {
  return callFunction(
    db,
    sql`select report_sfu(${report.nodeId}, ${report.url}, r.streams) || jsonb_build_object('audiences',
        audiences_of(array(select (s->>'streamId')::uuid from jsonb_array_elements(r.streams) s))) as result
      from (select ${JSON.stringify(report.streams)}::jsonb as streams) r`,
    SfuReportResult,
  );
}

const Place = z.object({ nodeId: z.string(), url: z.string() });

/** The node that a stream's media comes into; null for one that has none, has ended, or does not exist. */
export async function findPlace(db: Db, streamId: string): Promise<z.infer<typeof Place> | null> {
  const [place] = await db
    .select({ nodeId: streamMedia.nodeId, url: streamMedia.nodeUrl })
    .from(streamMedia)
    .innerJoin(streams, eq(streams.id, streamMedia.streamId))
    .where(and(eq(streamMedia.streamId, streamId), ne(streams.state, 'ended')));
  return place ? Place.parse(place) : null;
}

/**
 * Claims a node for a stream that has none, or whose node `goneNodeId` is no more. Answers the node
 * that it has now, which another request may have claimed a moment before.
 */
export async function placeStream(
  db: Db,
  claim: { streamId: string; nodeId: string; url: string; goneNodeId: string | null },
): Promise<z.infer<typeof Place>> {
  return callFunction(
    db,
    sql`select place_stream(
      ${claim.streamId}, ${claim.nodeId}, ${claim.url}, ${claim.goneNodeId}) as result`,
    Place,
  );
}

const TranscoderReportResult = z.object({
  start: z.array(z.object({ streamId: Id, nodeId: z.string(), sfuUrl: z.string() })),
  stop: z.array(Id),
});

/** Renews a transcoder's leases and hands out streams that nobody packages. */
export async function recordTranscoderReport(
  db: Db,
  report: TranscoderReport,
  leaseSeconds: number,
): Promise<z.infer<typeof TranscoderReportResult>> {
  return callFunction(
    db,
    sql`select report_transcoder(
      ${report.transcoderId}, ${report.publicUrl}, ${report.freeJobs},
      ${JSON.stringify(report.jobs)}::jsonb, make_interval(secs => ${leaseSeconds})) as result`,
    TranscoderReportResult,
  );
}
