/** Takings: who took which bytes of which file of a release, why, and whether all of them went out. */
import type { Queryable, Tx } from './pool.ts'

/** A taking as it begins. */
export type NewDownload = {
  id: string
  releaseId: string
  name: string
  accountId: string
  address: string
  reason: string
  /** 16 random bytes; with them the leaf's digest commits to the reason. */
  reasonSalt: Uint8Array
  /** Bytes of the file, from and up to but without. */
  start: number
  end: number
}

/** A taking as others may know it. */
export type Download = Pick<NewDownload, 'id' | 'name' | 'address' | 'reason' | 'start' | 'end'> & {
  account: string
  startedAt: Date
  endedAt: Date | null
  bytesSent: number | null
  /** `lost`: the process that sent it ended before it. */
  outcome: 'complete' | 'cut' | 'lost' | null
}

/** Records that a taking begins. */
export async function insertDownload(tx: Tx, download: NewDownload): Promise<void> {
  await tx.query(
    `insert into gyeol.download
       (download_id, release_id, name, account_id, address, reason, reason_salt, range_start, range_end)
     values ($1::uuid, $2::uuid, $3::text, $4::uuid, $5::text, $6::text, $7::bytea, $8::bigint,
             $9::bigint)`,
    [
      download.id,
      download.releaseId,
      download.name,
      download.accountId,
      download.address,
      download.reason,
      download.reasonSalt,
      download.start,
      download.end,
    ],
  )
}

/** Records how a taking ended; false if that is recorded already. */
export async function endDownload(
  tx: Tx,
  id: string,
  end: { bytesSent: number; outcome: 'complete' | 'cut' },
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `update gyeol.download set ended_at = now(), bytes_sent = $2::bigint, outcome = $3::text
     where download_id = $1::uuid and ended_at is null`,
    [id, end.bytesSent, end.outcome],
  )
  return rowCount === 1
}

/** Ends takings that no process can still be serving; gives release and file of each. */
export async function endLostDownloads(
  tx: Tx,
  olderThanMs: number,
): Promise<{ id: string; releaseId: string; name: string }[]> {
  const { rows } = await tx.query<{ id: string; releaseId: string; name: string }>(
    `update gyeol.download set ended_at = now(), outcome = 'lost'
     where ended_at is null and started_at < now() - $1::bigint * interval '1 millisecond'
     returning download_id as id, release_id as "releaseId", name`,
    [olderThanMs],
  )
  return rows
}

/** The takings of a release in order of time, at most 10,000. */
export async function downloadsOf(db: Queryable, releaseId: string): Promise<Download[]> {
  const { rows } = await db.query<Download>(
    `select d.download_id as id, d.name, a.name as account, d.address, d.reason,
       d.range_start as start, d.range_end as end, d.started_at as "startedAt",
       d.ended_at as "endedAt", d.bytes_sent as "bytesSent", d.outcome
     from gyeol.download d join gyeol.account a on a.account_id = d.account_id
     where d.release_id = $1::uuid order by d.started_at, d.download_id limit 10000`,
    [releaseId],
  )
  return rows
}
