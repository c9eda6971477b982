/** The end of releases: recall, expiry, what the recipient owes, destruction, and what remains of them. */
import type { ReleaseState } from '../core/states.ts'
import type { Queryable, Tx } from './pool.ts'

/** What is due when after a release has ended. */
type Duties = { endReportDueAt: Date; destructionDueAt: Date }

/**
 * Ends a release: from now on nothing of it is given out. Keeps the end and the duties of an earlier end.
 *
 * @returns false if it was in another state.
 */
export async function saveReleaseEnded(
  tx: Tx,
  id: string,
  end: { from: ReleaseState; to: 'recalled' | 'expired' | 'ended' } & Duties,
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `update gyeol.release
     set state = $3::text, ended_at = coalesce(ended_at, now()),
         end_report_due_at = coalesce(end_report_due_at, $4::timestamptz),
         destruction_due_at = coalesce(destruction_due_at, $5::timestamptz)
     where release_id = $1::uuid and state = $2::text`,
    [id, end.from, end.to, end.endReportDueAt, end.destructionDueAt],
  )
  return rowCount === 1
}

/** Records who stopped a release and why. */
export async function saveRecall(
  tx: Tx,
  id: string,
  recall: { accountId: string; reason: string },
): Promise<void> {
  await tx.query(
    `update gyeol.release set recalled_by = $2::uuid, recall_reason = $3::text
     where release_id = $1::uuid`,
    [id, recall.accountId, recall.reason],
  )
}

/** Takes every job of a release out of its worker's hands; how many there were. */
export async function cancelReleaseJobs(tx: Tx, id: string): Promise<number> {
  const { rowCount } = await tx.query(
    `update gyeol.job
     set state = 'cancelled', lease_token = null, lease_until = null, ended_at = now()
     where subject ->> 'release' = $1::text and state in ('queued', 'running', 'waiting')`,
    [id],
  )
  return rowCount ?? 0
}

/** Ids of releases whose period is over and that have not ended, at most `limit`. */
export async function releasesPastPeriod(db: Queryable, limit: number): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    `select release_id as id from gyeol.release
     where state in ('built', 'approved', 'ready') and valid_until <= now()
     order by valid_until limit $1::integer`,
    [limit],
  )
  return rows.map(({ id }) => id)
}

/** Of these releases those that are open for their recipients now. */
export async function openReleases(db: Queryable, ids: readonly string[]): Promise<Set<string>> {
  const { rows } = await db.query<{ id: string }>(
    `select release_id as id from gyeol.release
     where release_id = any($1::uuid[]) and state = 'ready' and valid_until > now()`,
    [ids],
  )
  return new Set(rows.map(({ id }) => id))
}

export type StatementKind = 'end-report' | 'destruction-confirmation'

/** Records what a recipient states; false if they have stated it before. */
export async function insertStatement(
  tx: Tx,
  statement: { releaseId: string; kind: StatementKind; accountId: string; text: string },
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `insert into gyeol.release_statement (release_id, kind, account_id, text)
     values ($1::uuid, $2::text, $3::uuid, $4::text) on conflict do nothing`,
    [statement.releaseId, statement.kind, statement.accountId, statement.text],
  )
  return rowCount === 1
}

/** A release in a list, with what is owed and whether that is overdue. */
export type ReleaseDuty = {
  id: string
  projectId: string
  state: ReleaseState
  recipient: string
  validUntil: Date | null
  endedAt: Date | null
  endReportDueAt: Date | null
  endReportedAt: Date | null
  destructionDueAt: Date | null
  copiesDestroyedAt: Date | null
  destroyedAt: Date | null
  isOverdue: boolean
}

/** Releases, newest first, at most 500; only those that owe something by now if `isOverdue`. */
export async function listReleases(
  db: Queryable,
  only: { isOverdue: boolean },
): Promise<ReleaseDuty[]> {
  const { rows } = await db.query<ReleaseDuty>(
    `select * from (
       select r.release_id as id, r.project_id as "projectId", r.state, a.name as recipient,
         r.valid_until as "validUntil", r.ended_at as "endedAt",
         r.end_report_due_at as "endReportDueAt", e.created_at as "endReportedAt",
         r.destruction_due_at as "destructionDueAt", c.created_at as "copiesDestroyedAt",
         r.destroyed_at as "destroyedAt", r.created_at,
         coalesce(e.created_at is null and r.approved_at is not null and r.end_report_due_at < now()
           or (r.destroyed_at is null or c.created_at is null and r.approved_at is not null)
             and r.destruction_due_at < now(), false) as "isOverdue"
       from gyeol.release r
       join gyeol.account a on a.account_id = r.recipient_id
       left join gyeol.release_statement e on e.release_id = r.release_id and e.kind = 'end-report'
       left join gyeol.release_statement c
         on c.release_id = r.release_id and c.kind = 'destruction-confirmation'
     ) as duty
     where "isOverdue" or not $1::boolean
     order by created_at desc limit 500`,
    [only.isOverdue],
  )
  return rows
}
