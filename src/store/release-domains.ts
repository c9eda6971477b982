import type { Queryable, Tx } from './pool.ts'

/** A release that has a list of persons and was not given up. */
export type BegunRelease = {
  id: string
  domain: string
  personsObjectId: string
  policy: unknown
  /** Of the key index that its linkage wrote; 0 for a linkage from before there were any. */
  indexVersion: number
}

/** The releases of a project that were begun, oldest first. What is destroyed cannot be compared with any more. */
export async function releasesBegun(db: Queryable, projectId: string): Promise<BegunRelease[]> {
  const { rows } = await db.query<BegunRelease>(
    `select r.release_id as id, r.domain, r.persons_object_id as "personsObjectId", r.policy,
       coalesce(l.index_version, 0) as "indexVersion"
     from gyeol.release r
     join gyeol.cohort c using (cohort_id)
     join gyeol.linkage l using (linkage_id)
     where r.project_id = $1::uuid and r.persons_object_id is not null
       and r.state not in ('failed', 'destroyed')
     order by r.created_at, r.release_id`,
    [projectId],
  )
  return rows
}

/**
 * Lets one release of a project begin at a time, until the transaction ends; the releases begun by then. So two that are
 * built at once do not miss each other.
 */
export async function lockReleasesBegun(tx: Tx, projectId: string): Promise<BegunRelease[]> {
  await tx.query(
    `select pg_advisory_xact_lock(hashtextextended('begin-release ' || $1::text, 0))`,
    [projectId],
  )
  return releasesBegun(tx, projectId)
}
