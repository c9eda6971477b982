/**
 * What agencies doubt of the links of their own serials, until a linkage has read it. The lists are sealed to the key side.
 */
import type { Queryable, Tx } from './pool.ts'

export type Doubt = {
  objectId: string
  projectId: string
  agencyId: string
  serials: number
  sha256: Uint8Array
}

/** Names a list. */
export async function insertDoubt(tx: Tx, doubt: Doubt): Promise<void> {
  await tx.query(
    `insert into gyeol.doubt (object_id, project_id, agency_id, serials, sha256)
     values ($1::uuid, $2::uuid, $3::uuid, $4::integer, $5::bytea)`,
    [doubt.objectId, doubt.projectId, doubt.agencyId, doubt.serials, doubt.sha256],
  )
}

/** The lists of a project that no linkage has read yet, with their agencies' names. */
export async function pendingDoubts(
  db: Queryable,
  projectId: string,
): Promise<{ objectId: string; agencyId: string; agency: string }[]> {
  const { rows } = await db.query<{ objectId: string; agencyId: string; agency: string }>(
    `select d.object_id as "objectId", d.agency_id as "agencyId", a.name as agency
     from gyeol.doubt d
     join gyeol.agency a using (agency_id)
     join gyeol.vault_object o using (object_id)
     where d.project_id = $1::uuid and o.destroyed_at is null
     order by a.name, d.created_at, d.object_id`,
    [projectId],
  )
  return rows
}

/** Lets one list of an agency be filed at a time, until the transaction ends. */
export async function lockDoubts(
  tx: Tx,
  of: { projectId: string; agencyId: string },
): Promise<void> {
  await tx.query(
    `select pg_advisory_xact_lock(hashtextextended('doubts ' || $1::text || ' ' || $2::text, 0))`,
    [of.projectId, of.agencyId],
  )
}
