/**
 * A release beside the earlier ones of its domain: by how many persons they differ, and which of their pseudonyms stand for
 * somebody else since persons were found to be one or two.
 */
import { join } from 'node:path'
import { textOf } from '../core/base32.ts'
import type { Difference } from '../core/disclosure.ts'
import { differenceOf } from '../engine/difference.ts'
import { findChangedPseudonyms, writePseudonymChanges } from '../engine/pseudonym-changes.ts'
import type { Session } from '../engine/session.ts'
import { findCohort } from '../store/cohorts.ts'
import { findLinkage } from '../store/linkages.ts'
import type { BegunRelease } from '../store/release-domains.ts'
import type { Release } from '../store/releases.ts'
import type { JobRun, WorkerDeps } from './deps.ts'
import { releaseKeys } from './release-keys.ts'
import { openFile } from './sealed-files.ts'

export type Compared = {
  differences: (Difference & { release: string })[]
  /** `pseudonym-changes.csv`, if there is an earlier release of the domain. */
  changes: string | undefined
}

/** @param of.persons - the list of persons of this release; `begun`: every release of the project. */
export async function compareWithEarlier(
  deps: WorkerDeps,
  run: JobRun,
  of: { release: Release; session: Session; begun: readonly BegunRelease[]; persons: string },
): Promise<Compared> {
  const { release, session, persons } = of
  const { projectId } = run.job
  const earlier = of.begun.filter(
    ({ id, domain }) => id !== release.id && domain === release.domain,
  )
  if (earlier.length === 0) return { differences: [], changes: undefined }
  await openChanges(deps, run, { release, session })
  const differences: Compared['differences'] = []
  const shown: { file: string; version: number }[] = []
  for (const { id, personsObjectId, indexVersion: version } of earlier) {
    const file = join(run.scratchDir, `earlier-persons-${differences.length}.parquet`)
    await openFile(deps, { id: personsObjectId, projectId, kind: 'release-persons' }, file)
    const lists = { earlier: file, these: persons, version }
    differences.push({ release: id, ...(await differenceOf(session, lists)) })
    shown.push({ file, version })
  }
  const changes = join(run.scratchDir, 'pseudonym-changes.csv')
  await writePseudonymChanges(session, { earlier: shown, persons, output: changes })
  return { differences, changes }
}

/** Every change of a person number up to the linkage of the release, as pseudonyms of its domain. */
async function openChanges(
  deps: WorkerDeps,
  run: JobRun,
  { release, session }: { release: Release; session: Session },
): Promise<void> {
  const cohort = await findCohort(deps.pool, release.cohortId)
  const linkage = cohort && (await findLinkage(deps.pool, cohort.linkageId))
  const file = join(run.scratchDir, 'person-changes.parquet')
  const id = linkage?.changesObjectId
  const { projectId } = run.job
  if (id) await openFile(deps, { id, projectId, kind: 'person-changes' }, file)
  const { pseudonym } = releaseKeys(release)
  await findChangedPseudonyms(session, {
    changes: id ? file : undefined,
    pseudonymTextsOf: (column) => textOf(deps.keyring.pseudonyms(pseudonym, column)),
  })
}
