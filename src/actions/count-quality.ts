import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Catalogue, catalogueSchema } from '../catalogue/schema.ts'
import { maskQuality } from '../core/mask-quality.ts'
import { linkRulesSchema } from '../core/passes.ts'
import type { RawQuality } from '../core/quality-raw.ts'
import { type CaseStrata, openStrataCounter } from '../engine/case-strata.ts'
import { countQuality as countInEngine, type QualitySource } from '../engine/count-quality.ts'
import { openSession } from '../engine/session.ts'
import { appendLeaf } from '../store/audit.ts'
import { saveStrata } from '../store/cases.ts'
import { type Cohort, findCohort, partsOfCohort, saveQuality } from '../store/cohorts.ts'
import { findDelivery } from '../store/deliveries.ts'
import { endLease } from '../store/leases.ts'
import { findLinkage, type LinkMap, linkMapsOf } from '../store/linkages.ts'
import { liveObjects, type ObjectKind } from '../store/objects.ts'
import { type Part, type PartKey, typedPartsOf } from '../store/parts.ts'
import { inTransaction } from '../store/pool.ts'
import { agenciesOfProject, findProject } from '../store/projects.ts'
import { type JobRun, leafByWorker, type WorkerDeps } from './deps.ts'
import { ringFor } from './ring.ts'
import { openFile } from './sealed-files.ts'

type Source = QualitySource
type Delivery = Source['deliveries'][number]

/**
 * Counts how well the linkage of a cohort went, from typed parts and link maps, and stores the counts with the small ones
 * hidden. Nothing waits for it: the cohort is assembled whether or not it has been counted.
 */
export async function countQuality(deps: WorkerDeps, run: JobRun): Promise<void> {
  const { job } = run
  const cohort = await findCohort(deps.pool, job.subject['cohort'] ?? '')
  if (!cohort) throw new Error('a job names a cohort that does not exist')
  const project = await findProject(deps.pool, job.projectId)
  const { cellMin } = linkRulesSchema.parse(project?.rules)
  const { quality, cases } = await count(deps, run, cohort)
  const counts = maskQuality(quality, cellMin)
  const result = { persons: counts.persons, agencies: counts.agencies.length }
  const wake = await inTransaction(deps.pool, 'count-quality', async (tx) => {
    const parents = await endLease(tx, job, { state: 'done', result })
    await saveQuality(tx, cohort.id, counts)
    await saveStrata(tx, cohort.linkageId, cases)
    await appendLeaf(tx, {
      ...leafByWorker(deps, 'count-quality', cohort.id),
      project: job.projectId,
      counts: result,
    })
    return parents
  })
  await ringFor(deps, wake)
}

/** What there is to write: the counts, and what the tables say of the cases that the linkage left. */
type Counted = { quality: RawQuality; cases: CaseStrata[] }

async function count(deps: WorkerDeps, run: JobRun, cohort: Cohort): Promise<Counted> {
  const sources = await sourcesOf(deps, run, cohort)
  const total = sources
    .flatMap(({ deliveries }) => deliveries)
    .reduce((sum, { parts }) => sum + parts.length, 0)
  const session = await openSession({
    scratchDir: run.scratchDir,
    memoryMiB: deps.jobMemoryMiB,
    threads: deps.jobThreads,
  })
  try {
    const list = await openCaseList(deps, run, cohort.linkageId)
    const counter = list === undefined ? undefined : await openStrataCounter(session, list)
    const quality = await countInEngine(session, sources, {
      onPart: (parts) => {
        run.signal.throwIfAborted()
        run.report({ parts, total })
      },
      onDelivery: counter?.onDelivery,
    })
    return { quality, cases: (await counter?.strata()) ?? [] }
  } finally {
    session.close()
  }
}

/** Whose records the cases are; undefined once a newer linkage has other cases. */
async function openCaseList(
  deps: WorkerDeps,
  run: JobRun,
  linkageId: string,
): Promise<string | undefined> {
  const { projectId } = run.job
  const id = (await findLinkage(deps.pool, linkageId))?.caseListObjectId
  if (!id || !(await liveObjects(deps.pool, [id])).has(id)) return undefined
  const path = join(run.scratchDir, 'cases.parquet')
  await openFile(deps, { id, projectId, kind: 'case-list' }, path)
  return path
}

/** The deliveries of the linkage by agency, each file opened only when it is its turn. */
async function sourcesOf(deps: WorkerDeps, run: JobRun, cohort: Cohort): Promise<Source[]> {
  const project = await findProject(deps.pool, cohort.projectId)
  const catalogue = catalogueSchema.parse(project?.catalogue)
  const members = await agenciesOfProject(deps.pool, cohort.projectId)
  const sources = new Map<string, Source>(
    members.map(({ agency, isSpine }) => [agency, { agency, isSpine, deliveries: [] }]),
  )
  const assembled = new Set((await partsOfCohort(deps.pool, cohort.id)).map(placeOf))
  for (const map of await linkMapsOf(deps.pool, cohort.linkageId)) {
    const delivery = await findDelivery(deps.pool, map.deliveryId)
    const source = sources.get(delivery?.agency ?? '')
    if (!source) throw new Error('a link map is of a delivery of an agency of the project')
    // Tables that came after the cohort was asked for are not of it.
    const parts = (await typedPartsOf(deps.pool, map.deliveryId)).filter((part) =>
      assembled.has(placeOf(part)),
    )
    source.deliveries.push(deliveryOf(deps, run, { map, parts, catalogue }))
  }
  return [...sources.values()].filter(({ deliveries }) => deliveries.length > 0)
}

function placeOf({ deliveryId, table, number }: PartKey): string {
  return `${deliveryId}/${table}/${number}`
}

function deliveryOf(
  deps: WorkerDeps,
  run: JobRun,
  { map, parts, catalogue }: { map: LinkMap; parts: Part[]; catalogue: Catalogue },
): Delivery {
  const opener = (id: string, kind: ObjectKind) => async () => {
    const path = join(run.scratchDir, `${id}.parquet`)
    await openFile(deps, { id, projectId: run.job.projectId, kind }, path)
    return { path, letGo: () => rm(path) }
  }
  const typed = parts.flatMap((part) => {
    const table = catalogue.tables[part.table]
    if (!table || !part.takenObjectId) return []
    return [{ table, open: opener(part.takenObjectId, 'typed-part') }]
  })
  return { openMap: opener(map.objectId, 'link-map'), parts: typed }
}
