/** Linkages and their link maps. */
import type { Queryable, Tx } from './pool.ts'

export type Linkage = {
  id: string
  projectId: string
  /** Counts only: it has no persons and no maps, and nothing rests on it. */
  isTrial: boolean
  state: 'queued' | 'linked' | 'failed'
  rulesVersion: string
  jobId: string | null
  personsObjectId: string | null
  persons: number | null
  personsSha256: Uint8Array | null
  report: Record<string, unknown> | null
  createdBy: string
  createdAt: Date
  endedAt: Date | null
}

export type LinkMap = {
  linkageId: string
  deliveryId: string
  objectId: string
  serials: number
  linked: number
}

const linkageColumns = `linkage_id as id, project_id as "projectId", is_trial as "isTrial", state,
  rules_version as "rulesVersion", job_id as "jobId", persons_object_id as "personsObjectId",
  persons, persons_sha256 as "personsSha256", report, created_by as "createdBy", created_at as "createdAt", ended_at as "endedAt"`

/** The linkage, or undefined. */
export async function findLinkage(db: Queryable, id: string): Promise<Linkage | undefined> {
  const { rows } = await db.query<Linkage>(
    `select ${linkageColumns} from gyeol.linkage where linkage_id = $1::uuid`,
    [id],
  )
  return rows[0]
}

/** The newest linkage of a project that was made, trials among them or not; or undefined. */
export async function newestLinkage(
  db: Queryable,
  projectId: string,
  { withTrials }: { withTrials: boolean },
): Promise<Linkage | undefined> {
  const { rows } = await db.query<Linkage>(
    `select ${linkageColumns} from gyeol.linkage
     where project_id = $1::uuid and state = 'linked' and (not is_trial or $2::boolean)
     order by ended_at desc, linkage_id limit 1`,
    [projectId, withTrials],
  )
  return rows[0]
}

/** Stores a requested linkage. */
export async function insertLinkage(
  tx: Tx,
  linkage: {
    id: string
    projectId: string
    isTrial: boolean
    rulesVersion: string
    jobId: string
    createdBy: string
  },
): Promise<void> {
  await tx.query(
    `insert into gyeol.linkage (linkage_id, project_id, is_trial, rules_version, job_id, created_by)
     values ($1::uuid, $2::uuid, $3::boolean, $4::text, $5::uuid, $6::uuid)`,
    [
      linkage.id,
      linkage.projectId,
      linkage.isTrial,
      linkage.rulesVersion,
      linkage.jobId,
      linkage.createdBy,
    ],
  )
}

/** Publishes a linkage's result with all its link maps. */
export async function saveLinked(
  tx: Tx,
  linkage: {
    id: string
    personsObjectId: string
    persons: number
    personsSha256: Uint8Array
    report: unknown
  },
  maps: LinkMap[],
): Promise<void> {
  await tx.query(
    `update gyeol.linkage
     set state = 'linked', persons_object_id = $2::uuid, persons = $3::bigint, report = $4::jsonb,
         persons_sha256 = $5::bytea, ended_at = now()
     where linkage_id = $1::uuid and state = 'queued'`,
    [
      linkage.id,
      linkage.personsObjectId,
      linkage.persons,
      JSON.stringify(linkage.report),
      linkage.personsSha256,
    ],
  )
  await tx.query(
    `insert into gyeol.link_map (linkage_id, delivery_id, object_id, serials, linked)
     select m."linkageId", m."deliveryId", m."objectId", m.serials, m.linked
     from jsonb_to_recordset($1::jsonb) as m
       ("linkageId" uuid, "deliveryId" uuid, "objectId" uuid, serials bigint, linked bigint)`,
    [JSON.stringify(maps)],
  )
}

/** Publishes what a trial found: counts. */
export async function saveTrial(
  tx: Tx,
  { id, persons, report }: { id: string; persons: number; report: unknown },
): Promise<void> {
  await tx.query(
    `update gyeol.linkage set state = 'linked', persons = $2::bigint, report = $3::jsonb, ended_at = now()
     where linkage_id = $1::uuid and state = 'queued' and is_trial`,
    [id, persons, JSON.stringify(report)],
  )
}

/** Marks a requested linkage as failed. */
export async function failLinkage(tx: Tx, id: string): Promise<void> {
  await tx.query(
    `update gyeol.linkage set state = 'failed', ended_at = now()
     where linkage_id = $1::uuid and state = 'queued'`,
    [id],
  )
}

/** The link maps of a linkage. */
export async function linkMapsOf(db: Queryable, linkageId: string): Promise<LinkMap[]> {
  const { rows } = await db.query<LinkMap>(
    `select linkage_id as "linkageId", delivery_id as "deliveryId", object_id as "objectId",
       serials, linked
     from gyeol.link_map where linkage_id = $1::uuid order by delivery_id`,
    [linkageId],
  )
  return rows
}
