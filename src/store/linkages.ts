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
  /** Whose key index it went on from. */
  previousId: string | null
  /** The key index that it wrote, and the list of person numbers that were given up; null before it ended. */
  indexVersion: number | null
  indexObjectId: string | null
  changesObjectId: string | null
  /** Whose records its cases are, for the data side. */
  caseListObjectId: string | null
  /** Of the linkage key under which the tokens of its key index are. */
  epoch: number
  /** Deliveries up to this wave have lost their records of nobody; null before it ended. */
  lateWave: number | null
  /** Index versions whose persons a release had shown when it was asked for. */
  releasedVersions: number[]
  createdBy: string
  createdAt: Date
  endedAt: Date | null
}

export type LinkMap = {
  linkageId: string
  deliveryId: string
  /** For the data side. */
  objectId: string
  /** The same for the key side; null once a later linkage is there. */
  keyObjectId: string | null
  serials: number
  linked: number
}

const linkageColumns = `linkage_id as id, project_id as "projectId", is_trial as "isTrial", state,
  rules_version as "rulesVersion", job_id as "jobId", persons_object_id as "personsObjectId",
  persons, persons_sha256 as "personsSha256", report,
  previous_id as "previousId", index_version as "indexVersion", index_object_id as "indexObjectId",
  changes_object_id as "changesObjectId", case_list_object_id as "caseListObjectId",
  epoch, late_wave as "lateWave",
  released_versions as "releasedVersions", created_by as "createdBy", created_at as "createdAt", ended_at as "endedAt"`

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

/** Until the transaction ends nobody else asks for a linkage of the project, or takes a delivery out of the next. */
export async function lockNextLinkage(tx: Tx, projectId: string): Promise<void> {
  await tx.query('select pg_advisory_xact_lock(hashtextextended($1::text, 1))', [projectId])
}

/** Whether a linkage of the project, not a trial, has been asked for and has not ended. */
export async function hasLinkageUnderWay(db: Queryable, projectId: string): Promise<boolean> {
  const { rowCount } = await db.query(
    `select from gyeol.linkage where project_id = $1::uuid and state = 'queued' and not is_trial`,
    [projectId],
  )
  return rowCount === 1
}

/** Index versions of a project's linkages whose persons an approved release has shown. */
export async function releasedIndexVersions(db: Queryable, projectId: string): Promise<number[]> {
  const { rows } = await db.query<{ version: number }>(
    `select distinct l.index_version as version
     from gyeol.release r
     join gyeol.cohort c using (cohort_id)
     join gyeol.linkage l using (linkage_id)
     where r.project_id = $1::uuid and r.approved_at is not null and l.index_version is not null
     order by version`,
    [projectId],
  )
  return rows.map(({ version }) => version)
}

/** Stores a requested linkage; false while another one of the project is under way. */
export async function insertLinkage(
  tx: Tx,
  linkage: {
    id: string
    projectId: string
    isTrial: boolean
    rulesVersion: string
    releasedVersions: readonly number[]
    jobId: string
    createdBy: string
  },
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `insert into gyeol.linkage
       (linkage_id, project_id, is_trial, rules_version, job_id, created_by, released_versions)
     values ($1::uuid, $2::uuid, $3::boolean, $4::text, $5::uuid, $6::uuid, $7::integer[])
     on conflict (project_id) where state = 'queued' and not is_trial do nothing`,
    [
      linkage.id,
      linkage.projectId,
      linkage.isTrial,
      linkage.rulesVersion,
      linkage.jobId,
      linkage.createdBy,
      linkage.releasedVersions,
    ],
  )
  return rowCount === 1
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
    previousId: string | null
    indexVersion: number
    lateWave: number
    epoch: number
    indexObjectId: string
    changesObjectId: string
    caseListObjectId: string
  },
  maps: readonly LinkMap[],
): Promise<void> {
  await tx.query(
    `update gyeol.linkage
     set state = 'linked', persons_object_id = $2::uuid, persons = $3::bigint, report = $4::jsonb,
         persons_sha256 = $5::bytea, previous_id = $6::uuid, index_version = $7::integer,
         index_object_id = $8::uuid, changes_object_id = $9::uuid, late_wave = $10::integer,
         epoch = $11::integer, case_list_object_id = $12::uuid, ended_at = now()
     where linkage_id = $1::uuid and state = 'queued'`,
    [
      linkage.id,
      linkage.personsObjectId,
      linkage.persons,
      JSON.stringify(linkage.report),
      linkage.personsSha256,
      linkage.previousId,
      linkage.indexVersion,
      linkage.indexObjectId,
      linkage.changesObjectId,
      linkage.lateWave,
      linkage.epoch,
      linkage.caseListObjectId,
    ],
  )
  await tx.query(
    `insert into gyeol.link_map (linkage_id, delivery_id, object_id, key_object_id, serials, linked)
     select m."linkageId", m."deliveryId", m."objectId", m."keyObjectId", m.serials, m.linked
     from jsonb_to_recordset($1::jsonb) as m ("linkageId" uuid, "deliveryId" uuid, "objectId" uuid,
       "keyObjectId" uuid, serials bigint, linked bigint)`,
    [JSON.stringify(maps)],
  )
}

/** Publishes what a trial found: counts. */
export async function saveTrial(
  tx: Tx,
  trial: { id: string; previousId: string | null; persons: number; report: unknown },
): Promise<void> {
  await tx.query(
    `update gyeol.linkage
     set state = 'linked', persons = $2::bigint, report = $3::jsonb, previous_id = $4::uuid, ended_at = now()
     where linkage_id = $1::uuid and state = 'queued' and is_trial`,
    [trial.id, trial.persons, JSON.stringify(trial.report), trial.previousId],
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
       key_object_id as "keyObjectId", serials, linked
     from gyeol.link_map where linkage_id = $1::uuid order by delivery_id`,
    [linkageId],
  )
  return rows
}

/**
 * Forgets the key side's copies of an earlier linkage's maps.
 *
 * @returns the objects that nothing names any more.
 */
export async function forgetKeyMaps(tx: Tx, linkageId: string): Promise<string[]> {
  const { rows } = await tx.query<{ id: string }>(
    `with named as (
       select delivery_id, key_object_id as id from gyeol.link_map
       where linkage_id = $1::uuid and key_object_id is not null for update
     ), forgotten as (
       update gyeol.link_map m set key_object_id = null
       from named where m.linkage_id = $1::uuid and m.delivery_id = named.delivery_id
     )
     select id from named`,
    [linkageId],
  )
  return rows.map(({ id }) => id)
}
