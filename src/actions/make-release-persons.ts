/**
 * The list of persons of a release, and what is said about how recognisable they are. What the policy does not allow is
 * refused here, before any row is built.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Catalogue, catalogueSchema } from '../catalogue/schema.ts'
import { sensitiveLists } from '../catalogue/sensitive.ts'
import {
  disclosureReportOf,
  type Measured,
  requireDifferences,
  requireMeasures,
} from '../core/disclosure-report.ts'
import { diagnosisTimeOf, type Policy, policySchema, releasedColumns } from '../core/policy.ts'
import { type MeasuredTable, measureRelease } from '../engine/measure-release.ts'
import { releasePersons } from '../engine/release-persons.ts'
import { openSession, type Session } from '../engine/session.ts'
import { type Cuts, quantileCuts, writeReleasePersons } from '../engine/write-release-persons.ts'
import { type CohortPart, findCohort } from '../store/cohorts.ts'
import { findLinkage } from '../store/linkages.ts'
import { findProject } from '../store/projects.ts'
import { releasesBegun } from '../store/release-domains.ts'
import type { Release } from '../store/releases.ts'
import { compareWithEarlier } from './compare-releases.ts'
import type { JobRun, WorkerDeps } from './deps.ts'
import { rekeyOf, releaseKeys, sensitiveClassesOf } from './release-keys.ts'
import { openFile } from './sealed-files.ts'

type Making = {
  deps: WorkerDeps
  run: JobRun
  release: Release
  policy: Policy
  catalogue: Catalogue
  session: Session
  /** The opened parts of a table; each is opened once. */
  filesOf: (table: string) => Promise<string[]>
}

/** Files in scratch: the list of persons, what is said about them, and what changed for those who hold an earlier release. */
export type ReleasePersonsMade = {
  file: string
  report: string
  changes: string | undefined
  /** The releases of the project with which it was compared, as far as need be. */
  besides: string[]
  counts: Record<string, number>
}

/**
 * Makes the files in scratch.
 *
 * @throws {Refusal} `policy-refused` with counts, when the policy's k or bounds are not met, or an earlier release of the
 * domain differs by too few persons.
 */
export async function makeReleasePersons(
  deps: WorkerDeps,
  run: JobRun,
  of: { release: Release; parts: readonly CohortPart[] },
): Promise<ReleasePersonsMade> {
  const { release } = of
  const begun = await releasesBegun(deps.pool, release.projectId)
  const project = await findProject(deps.pool, run.job.projectId)
  const session = await openSession({
    scratchDir: run.scratchDir,
    memoryMiB: deps.jobMemoryMiB,
    threads: deps.jobThreads,
  })
  try {
    const making: Making = {
      deps,
      run,
      release,
      session,
      policy: policySchema.parse(release.policy),
      catalogue: catalogueSchema.parse(project?.catalogue),
      filesOf: partOpener(deps, run, of.parts),
    }
    const { all, withAnchor } = await everybody(making)
    const found = await cutsOf(making)
    const measured = await measure(making, all, found)
    const file = join(run.scratchDir, 'release-persons.parquet')
    const persons = await writeReleasePersons(session, {
      persons: all,
      isMeasured: measured !== undefined,
      isSuppressed: measured?.suppressed !== undefined,
      cuts: found,
      output: file,
    })
    const { differences, changes } = await compareWithEarlier(deps, run, {
      release,
      session,
      begun,
      persons: file,
    })
    const { policy } = making
    requireDifferences(policy, differences)
    const report = join(run.scratchDir, 'disclosure-report.json')
    const said = disclosureReportOf({ policy, lists: sensitiveLists(), measured, differences })
    await writeFile(report, `${JSON.stringify(said, null, 2)}\n`, { mode: 0o600 })
    const suppressed = measured?.suppressed?.records ?? 0
    const besides = begun.map(({ id }) => id)
    return { file, report, changes, besides, counts: { persons, withAnchor, suppressed } }
  } finally {
    session.close()
  }
}

function partOpener(
  deps: WorkerDeps,
  run: JobRun,
  parts: readonly CohortPart[],
): Making['filesOf'] {
  const opened = new Map<string, string[]>()
  return async (table) => {
    const known = opened.get(table)
    if (known) return known
    const files: string[] = []
    for (const part of parts.filter((each) => each.table === table)) {
      const file = join(run.scratchDir, `${table}-${files.length}.parquet`)
      const object = {
        id: part.objectId,
        projectId: run.job.projectId,
        kind: 'cohort-part' as const,
      }
      await openFile(deps, object, file)
      files.push(file)
    }
    opened.set(table, files)
    return files
  }
}

/** Whom the policy includes, before anything is measured. */
async function everybody(making: Making): Promise<{ all: string; withAnchor: number }> {
  const { deps, run, release, policy, catalogue, session, filesOf } = making
  const cohort = await findCohort(deps.pool, release.cohortId)
  const linkage = cohort && (await findLinkage(deps.pool, cohort.linkageId))
  if (!linkage?.personsObjectId) throw new Error('a cohort rests on a finished linkage')
  const persons = join(run.scratchDir, 'linkage-persons.parquet')
  const { projectId } = run.job
  await openFile(deps, { id: linkage.personsObjectId, projectId, kind: 'persons' }, persons)
  const diagnoses: { file: string; column: string }[] = []
  for (const [table, { columns }] of Object.entries(catalogue.tables)) {
    const column = Object.entries(columns).find(([, { role }]) => role === 'diagnosis-date')?.[0]
    if (column) diagnoses.push(...(await filesOf(table)).map((file) => ({ file, column })))
  }
  const { include, sample } = policy.persons ?? {}
  const included = include && (await filesOf(include.table))
  const keys = releaseKeys(release)
  const date = keys.date
  const all = join(run.scratchDir, 'everybody.parquet')
  const { withAnchor } = await releasePersons(session, {
    persons,
    diagnoses,
    pseudonymsOf: (column) => deps.keyring.pseudonyms(keys.pseudonym, column),
    ...(date && { shiftOf: (column: Uint8Array) => deps.keyring.macColumn(date, column, 16) }),
    ...(include && {
      include: {
        columns: (included ?? []).map((file) => ({ file, column: include.column })),
        startsWith: include.startsWith,
      },
    }),
    ...(sample && { sample }),
    output: all,
  })
  return { all, withAnchor }
}

async function measure(
  making: Making,
  persons: string,
  found: Cuts,
): Promise<Measured | undefined> {
  const { deps, release, policy, catalogue, session, filesOf } = making
  const { measures } = policy
  if (!measures) return undefined
  const named = [...measures.quasiIdentifiers, ...measures.sensitive, ...measures.sets]
  const tables: [string, MeasuredTable][] = []
  const names = [...new Set(named.map(({ table }) => table))].filter((table) => table !== 'persons')
  for (const name of names) {
    const table = catalogue.tables[name]
    if (!table) throw new Error('a measured table that the catalogue does not have')
    const columns = releasedColumns(policy, catalogue, name)
    const where = policy.tables[name]?.where
    const cuts = found[name] ?? {}
    const rules = { dates: policy.dates, cuts }
    tables.push([
      name,
      { files: await filesOf(name), table, columns, rules, ...(where && { where }) },
    ])
  }
  session.registerColumnFunction('rekeyed', 32, rekeyOf(deps, release))
  const measured = await measureRelease(session, {
    persons,
    measures,
    diagnosisTime: diagnosisTimeOf(policy),
    tables: Object.fromEntries(tables),
    sensitive: sensitiveClassesOf(policy),
  })
  requireMeasures(measures, measured)
  return measured
}

/** Of every column under `quantile`, over all parts of its table. */
async function cutsOf({ policy, session, filesOf }: Making): Promise<Cuts> {
  const found: Cuts = {}
  for (const [table, { columns }] of Object.entries(policy.tables)) {
    for (const [column, rule] of Object.entries(columns)) {
      if (rule.rule !== 'quantile') continue
      const files = await filesOf(table)
      const groups = rule.groups
      found[table] = {
        ...found[table],
        [column]: await quantileCuts(session, { files, column, groups }),
      }
    }
  }
  return found
}
