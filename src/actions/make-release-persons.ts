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
import { linkRulesSchema } from '../core/passes.ts'
import { diagnosisTimeOf, type Policy, policySchema } from '../core/policy.ts'
import { type ToldDisclosure, toldDisclosureOf } from '../core/told-disclosure.ts'
import { measureRelease } from '../engine/measure-release.ts'
import { releasePersons } from '../engine/release-persons.ts'
import { openSession, type Session } from '../engine/session.ts'
import { type Cuts, quantileCuts, writeReleasePersons } from '../engine/write-release-persons.ts'
import { type CohortPart, findCohort } from '../store/cohorts.ts'
import { findLinkage } from '../store/linkages.ts'
import { findProject } from '../store/projects.ts'
import { releasesBegun } from '../store/release-domains.ts'
import type { Release } from '../store/releases.ts'
import { type Compared, compareWithEarlier } from './compare-releases.ts'
import type { JobRun, WorkerDeps } from './deps.ts'
import { knownTables } from './known-tables.ts'
import { type MadeCountTable, makeCountTables } from './make-count-tables.ts'
import { rekeyOf, releaseKeys, sensitiveClassesOf } from './release-keys.ts'
import { openFile } from './sealed-files.ts'

/** What a release is made from. */
export type Making = {
  deps: WorkerDeps
  run: JobRun
  release: Release
  policy: Policy
  catalogue: Catalogue
  session: Session
  /** The opened parts of a table; each is opened once. */
  filesOf: (table: string) => Promise<string[]>
}

/** Files in scratch: the list of persons, and what of the package is made with it. */
export type ReleasePersonsMade = {
  file: string
  /** What may be told of it. */
  told: ToldDisclosure
  /** The disclosure report first, the tables of counts, and what changed for those who hold an earlier release. */
  files: { name: string; path: string; rows: number | null }[]
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
    const { all, everybody, withAnchor } = await listEverybody(making)
    const found = await cutsOf(making)
    const measured = await measure(making, all, found)
    const isWhole = measured === undefined && Object.keys(found).length === 0
    const file = isWhole ? all : join(run.scratchDir, 'release-persons.parquet')
    const persons = isWhole
      ? everybody
      : await writeReleasePersons(session, {
          persons: all,
          isMeasured: measured !== undefined,
          isSuppressed: measured?.suppressed !== undefined,
          cuts: found,
          output: file,
        })
    const beside = { begun, persons: file }
    const compared = await compareWithEarlier(deps, run, { release, session, ...beside })
    requireDifferences(making.policy, compared.differences)
    const tables = await makeCountTables(making, { ...beside, cuts: found })
    const files = await filesToGo(making, { measured, compared, tables })
    const suppressed = measured?.suppressed?.records ?? 0
    const counts = { persons, withAnchor, suppressed, tables: tables.length }
    const { cellMin } = linkRulesSchema.parse(project?.rules)
    const told = toldDisclosureOf(measured, compared.differences, cellMin)
    return { file, files, told, besides: begun.map(({ id }) => id), counts }
  } finally {
    session.close()
  }
}

/** The report is written, and what else leaves named. Who gets no rows is not told of pseudonyms either. */
async function filesToGo(
  { run, policy }: Making,
  of: { measured: Measured | undefined; compared: Compared; tables: MadeCountTable[] },
): Promise<ReleasePersonsMade['files']> {
  const { measured, compared, tables } = of
  const path = join(run.scratchDir, 'disclosure-report.json')
  const { differences, changes } = compared
  const about = { policy, lists: sensitiveLists(), measured, differences }
  const said = disclosureReportOf({ ...about, tables: tables.map(({ report }) => report) })
  await writeFile(path, `${JSON.stringify(said, null, 2)}\n`, { mode: 0o600 })
  const hasChanges = changes !== undefined && policy.microdata !== 'none'
  return [
    { name: 'disclosure-report.json', path, rows: null },
    ...tables,
    ...(hasChanges ? [{ name: 'pseudonym-changes.csv', path: changes, rows: null }] : []),
  ]
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
async function listEverybody(
  making: Making,
): Promise<{ all: string; everybody: number; withAnchor: number }> {
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
  const listed = await releasePersons(session, {
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
  return { all, everybody: listed.persons, withAnchor: listed.withAnchor }
}

async function measure(
  making: Making,
  persons: string,
  found: Cuts,
): Promise<Measured | undefined> {
  const { deps, release, policy, session } = making
  const { measures } = policy
  if (!measures) return undefined
  const named = [...measures.quasiIdentifiers, ...measures.sensitive, ...measures.sets]
  const names = named.map(({ table }) => table)
  session.registerColumnFunction('rekeyed', 32, rekeyOf(deps, release))
  const measured = await measureRelease(session, {
    persons,
    measures,
    diagnosisTime: diagnosisTimeOf(policy),
    tables: await knownTables(making, names, found),
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
