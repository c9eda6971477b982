import { join } from 'node:path'
import { catalogueSchema } from '../catalogue/schema.ts'
import { policySchema, releasedColumns } from '../core/policy.ts'
import { type BuiltPart, releaseRows } from '../engine/release-rows.ts'
import { openSession } from '../engine/session.ts'
import { cutsOf } from '../engine/write-release-persons.ts'
import { appendLeaf } from '../store/audit.ts'
import { partsOfCohort } from '../store/cohorts.ts'
import { endLease } from '../store/leases.ts'
import { insertObjects } from '../store/objects.ts'
import { inTransaction } from '../store/pool.ts'
import { findProject } from '../store/projects.ts'
import { insertReleaseFile } from '../store/release-files.ts'
import { findRelease, type Release } from '../store/releases.ts'
import { recodeToCp949 } from './csv-encoding.ts'
import { type JobRun, leafByWorker, type WorkerDeps } from './deps.ts'
import { rekeyOf, sensitiveClassesOf } from './release-keys.ts'
import { requireNoNames } from './require-no-names.ts'
import { ringFor } from './ring.ts'
import { openFile, type SealedFile, sealFile } from './sealed-files.ts'

type ReleasePart = { release: Release; objectId: string; personsObjectId: string }
type Built = BuiltPart & { files: { name: string; path: string }[] }

/** Builds the files of one cohort part under the release's policy. */
export async function buildReleasePart(deps: WorkerDeps, run: JobRun): Promise<void> {
  const { job } = run
  const { projectId } = job
  const part = await requirePart(deps, run)
  const built = await buildFiles(deps, run, part)
  const sealed: { name: string; file: SealedFile }[] = []
  for (const { name, path } of built.files) {
    const to = {
      projectId,
      kind: 'release-file',
      side: 'data',
      releaseId: part.release.id,
    } as const
    const file = await sealFile(deps, path, to)
    sealed.push({ name, file })
  }
  const wake = await inTransaction(deps.pool, 'build-release-part', async (tx) => {
    const parents = await endLease(tx, job, {
      state: 'done',
      result: { ...built.counts, utility: built.utility },
    })
    await insertObjects(
      tx,
      sealed.map(({ file }) => file.object),
    )
    for (const { name, file } of sealed) {
      await insertReleaseFile(tx, {
        releaseId: part.release.id,
        name,
        objectId: file.object.id,
        bytes: file.plainBytes,
        rows: built.counts.rows,
        sha256: file.plainSha256,
      })
    }
    await appendLeaf(tx, {
      ...leafByWorker(deps, 'build-release-part', `${part.release.id}/${job.subject['name']}`),
      project: projectId,
      counts: built.counts,
    })
    return parents
  })
  await ringFor(deps, wake)
}

async function requirePart(deps: WorkerDeps, { job }: JobRun): Promise<ReleasePart> {
  const { release: releaseId = '', delivery, table, number } = job.subject
  const release = await findRelease(deps.pool, releaseId)
  if (!release?.personsObjectId) throw new Error('a part is built after its release has persons')
  const parts = await partsOfCohort(deps.pool, release.cohortId)
  const part = parts.find(
    (other) =>
      other.deliveryId === delivery && other.table === table && other.number === Number(number),
  )
  if (!part) throw new Error('a job names a cohort part that does not exist')
  return { release, objectId: part.objectId, personsObjectId: release.personsObjectId }
}

async function buildFiles(deps: WorkerDeps, run: JobRun, part: ReleasePart): Promise<Built> {
  const { projectId } = run.job
  const { table: tableName = '', name = '' } = run.job.subject
  const project = await findProject(deps.pool, projectId)
  const catalogue = catalogueSchema.parse(project?.catalogue)
  const policy = policySchema.parse(part.release.policy)
  const table = catalogue.tables[tableName]
  const where = policy.tables[tableName]?.where
  if (!table) throw new Error('a job names a table that the catalogue does not have')
  const files = {
    part: join(run.scratchDir, 'part.parquet'),
    persons: join(run.scratchDir, 'persons.parquet'),
    parquet: join(run.scratchDir, 'release.parquet'),
    ...(policy.formats.includes('csv') ? { csv: join(run.scratchDir, 'release.csv') } : {}),
  }
  await openFile(deps, { id: part.objectId, projectId, kind: 'cohort-part' }, files.part)
  const persons = { id: part.personsObjectId, projectId, kind: 'release-persons' as const }
  await openFile(deps, persons, files.persons)
  const session = await openSession({
    scratchDir: run.scratchDir,
    memoryMiB: deps.jobMemoryMiB,
    threads: deps.jobThreads,
  })
  try {
    const rows = {
      ...files,
      tableName,
      table,
      columns: releasedColumns(policy, catalogue, tableName),
      rules: { dates: policy.dates, cuts: await cutsOf(session, files.persons, tableName) },
      sensitive: sensitiveClassesOf(policy),
      rekeyOf: rekeyOf(deps, part.release),
      ...(where ? { where } : {}),
    }
    const built = await releaseRows(session, rows)
    const { few } = built
    await requireNoNames(deps, run, { ...rows, few, session, release: part.release })
    if (files.csv !== undefined && policy.csvEncoding === 'cp949') await recodeToCp949(files.csv)
    return { ...built, files: filesOf(name, files, policy.formats) }
  } finally {
    session.close()
  }
}

/** The files of a package by the formats that the policy asks for. Parquet is always made: CSV is written from it. */
export function filesOf(
  name: string,
  paths: { parquet: string; csv?: string },
  formats: readonly ('parquet' | 'csv')[],
): { name: string; path: string }[] {
  return formats.flatMap((format) => {
    const path = format === 'csv' ? paths.csv : paths.parquet
    return path === undefined ? [] : [{ name: `${name}.${format}`, path }]
  })
}
