import type { Queryable, Tx } from './pool.ts'

/** A release that has a list of persons and was not given up. */
export type BegunRelease = { id: string; domain: string; personsObjectId: string; policy: unknown }

/** The releases of a project that were begun, oldest first. What is destroyed cannot be compared with any more. */
export async function releasesBegun(db: Queryable, projectId: string): Promise<BegunRelease[]> {
  const { rows } = await db.query<BegunRelease>(
    `select release_id as id, domain, persons_object_id as "personsObjectId", policy
     from gyeol.release
     where project_id = $1::uuid and persons_object_id is not null
       and state not in ('failed', 'destroyed')
     order by created_at, release_id`,
    [projectId],
  )
  return rows
}

/** Those of them that share a release's domain, without itself. */
export async function earlierOfDomain(
  db: Queryable,
  of: { id: string; projectId: string; domain: string },
): Promise<BegunRelease[]> {
  const begun = await releasesBegun(db, of.projectId)
  return begun.filter(({ id, domain }) => domain === of.domain && id !== of.id)
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
