/** The lists of an agency's own linked serials, sealed to the desk. */
import type { Queryable, Tx } from './pool.ts'

export type Extraction = {
  linkageId: string
  agencyId: string
  objectId: string
  serials: number
  /** Of the list, unsealed. */
  bytes: number
  sha256: Uint8Array
}

/** Names the lists of a linkage. */
export async function insertExtractions(tx: Tx, extractions: Extraction[]): Promise<void> {
  await tx.query(
    `insert into gyeol.extraction (linkage_id, agency_id, object_id, serials, bytes, sha256)
     select e."linkageId", e."agencyId", e."objectId", e.serials, e.bytes, decode(e.sha256, 'hex')
     from jsonb_to_recordset($1::jsonb) as e
       ("linkageId" uuid, "agencyId" uuid, "objectId" uuid, serials bigint, bytes bigint, sha256 text)`,
    [
      JSON.stringify(
        extractions.map((each) => ({
          ...each,
          sha256: Buffer.from(each.sha256).toString('hex'),
        })),
      ),
    ],
  )
}

/** The list of an agency that is still there, or undefined. */
export async function findExtraction(
  db: Queryable,
  of: { linkageId: string; agencyId: string },
): Promise<Extraction | undefined> {
  const { rows } = await db.query<Extraction>(
    `select e.linkage_id as "linkageId", e.agency_id as "agencyId", e.object_id as "objectId", e.serials,
       e.bytes, e.sha256
     from gyeol.extraction e join gyeol.vault_object o using (object_id)
     where e.linkage_id = $1::uuid and e.agency_id = $2::uuid and o.destroyed_at is null`,
    [of.linkageId, of.agencyId],
  )
  return rows[0]
}

/** The linkage of a project of which an agency may fetch its list, or undefined. */
export async function linkageToExtract(
  db: Queryable,
  of: { projectId: string; agencyId: string },
): Promise<string | undefined> {
  const { rows } = await db.query<{ id: string }>(
    `select e.linkage_id as id
     from gyeol.extraction e join gyeol.vault_object o using (object_id)
     where o.project_id = $1::uuid and e.agency_id = $2::uuid and o.destroyed_at is null
     order by e.created_at desc, id limit 1`,
    [of.projectId, of.agencyId],
  )
  return rows[0]?.id
}

/** The objects of a project's lists that are still there. */
export async function extractionObjects(db: Queryable, projectId: string): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    `select e.object_id as id from gyeol.extraction e join gyeol.vault_object o using (object_id)
     where o.project_id = $1::uuid and o.destroyed_at is null`,
    [projectId],
  )
  return rows.map(({ id }) => id)
}

/** Lists that are older than so many days and still there, at most `most`. */
export async function extractionsPastPeriod(
  db: Queryable,
  { days, most }: { days: number; most: number },
): Promise<{ linkageId: string; projectId: string; objectId: string }[]> {
  const { rows } = await db.query<{ linkageId: string; projectId: string; objectId: string }>(
    `select e.linkage_id as "linkageId", o.project_id as "projectId", e.object_id as "objectId"
     from gyeol.extraction e join gyeol.vault_object o using (object_id)
     where o.destroyed_at is null and e.created_at < now() - make_interval(days => $1::integer)
     order by e.created_at limit $2::integer`,
    [days, most],
  )
  return rows
}
