import type { Queryable } from './pool.ts'

/** The releases of a domain that have a list of persons and were not given up, oldest first. */
export async function releasesOfDomain(
  db: Queryable,
  of: { projectId: string; domain: string },
): Promise<{ id: string; personsObjectId: string }[]> {
  const { rows } = await db.query<{ id: string; personsObjectId: string }>(
    `select release_id as id, persons_object_id as "personsObjectId"
     from gyeol.release
     where project_id = $1::uuid and domain = $2::text and persons_object_id is not null
       and state not in ('failed', 'destroyed')
     order by created_at, release_id`,
    [of.projectId, of.domain],
  )
  return rows
}
