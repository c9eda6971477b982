import { Refusal } from '../core/errors.ts'
import { authorize, type Caller } from '../core/grants.ts'
import { type Cohort, cohortTables, findCohort } from '../store/cohorts.ts'
import type { Queryable } from '../store/pool.ts'
import type { Deps } from './deps.ts'

/** The cohort of this id. @throws {Refusal} `not-found`. */
export async function requireCohort(db: Queryable, id: string): Promise<Cohort> {
  const cohort = await findCohort(db, id)
  if (!cohort) throw new Refusal('not-found', 'There is no such cohort.')
  return cohort
}

/** A cohort with its tables: rows kept, of persons outside the spine, and of serials that no key part names. */
export async function showCohort(
  deps: Deps,
  caller: Caller,
  id: string,
): Promise<{ cohort: Cohort; tables: Awaited<ReturnType<typeof cohortTables>> }> {
  authorize(caller, 'show-cohort')
  const cohort = await requireCohort(deps.pool, id)
  return { cohort, tables: await cohortTables(deps.pool, id) }
}
