import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Refusal } from '../core/errors.ts'
import {
  collectWords,
  type NameList,
  nameAmongWords,
  type Searched,
} from '../engine/known-names.ts'
import type { Session } from '../engine/session.ts'
import { findCohort } from '../store/cohorts.ts'
import { findLinkage, linkMapsOf } from '../store/linkages.ts'
import { releasesBegun } from '../store/release-domains.ts'
import type { Release } from '../store/releases.ts'
import type { JobRun, WorkerDeps } from './deps.ts'
import { openFile } from './sealed-files.ts'

/**
 * No file leaves in whose texts a person is named by a serial, a number of ours or a pseudonym of another release of the
 * project. The lists of names are opened one after the other, and only if there is a word that could be one.
 *
 * @throws {Refusal} `identifier-in-payload` naming table, column and rows.
 */
export async function requireNoNames(
  deps: WorkerDeps,
  run: JobRun,
  of: { release: Release; session: Session; tableName: string } & Searched,
): Promise<void> {
  const { session, tableName: table } = of
  if (!(await collectWords(session, of))) return
  const path = join(run.scratchDir, 'names.parquet')
  for (const { kind, id } of await listsOf(deps, of.release)) {
    await openFile(deps, { id, projectId: run.job.projectId, kind }, path)
    const found = await nameAmongWords(session, of, { kind, path })
    await rm(path)
    if (!found) continue
    throw new Refusal(
      'identifier-in-payload',
      'A column of the release names persons as an agency or this service does. Drop the column, or let the agency correct it.',
      { table, ...found },
    )
  }
}

async function listsOf(
  { pool }: WorkerDeps,
  release: Release,
): Promise<{ kind: NameList['kind']; id: string }[]> {
  const cohort = await findCohort(pool, release.cohortId)
  const linkage = cohort && (await findLinkage(pool, cohort.linkageId))
  if (!linkage?.personsObjectId) throw new Error('a cohort rests on a finished linkage')
  const maps = await linkMapsOf(pool, linkage.id)
  const begun = await releasesBegun(pool, release.projectId)
  return [
    ...maps.map(({ objectId: id }) => ({ kind: 'link-map' as const, id })),
    { kind: 'persons', id: linkage.personsObjectId },
    ...(linkage.changesObjectId
      ? [{ kind: 'person-changes' as const, id: linkage.changesObjectId }]
      : []),
    ...begun
      .filter(({ id }) => id !== release.id)
      .map(({ personsObjectId: id }) => ({ kind: 'release-persons' as const, id })),
  ]
}
