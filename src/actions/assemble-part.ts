import { join } from 'node:path'
import { type Assembled, assemblePart as assembleInEngine, thinPart } from '../engine/assemble.ts'
import { openSession } from '../engine/session.ts'
import { appendLeaf } from '../store/audit.ts'
import { findCohort, insertCohortPart } from '../store/cohorts.ts'
import { findDelivery } from '../store/deliveries.ts'
import { endLease } from '../store/leases.ts'
import { findLinkage, linkMapsOf } from '../store/linkages.ts'
import { endObjects, insertObjects } from '../store/objects.ts'
import { findPart, replaceParts } from '../store/parts.ts'
import { inTransaction } from '../store/pool.ts'
import { type JobRun, leafByWorker, type WorkerDeps } from './deps.ts'
import { ringFor } from './ring.ts'
import { openFile, sealFile } from './sealed-files.ts'

/**
 * Joins one typed part with the link map of its delivery, or of that whose keys it rests on. Rows of persons outside the
 * spine are dropped and counted. Of a delivery that has waited long enough, rows of serials that the map does not name any
 * more are destroyed: the part is written again without them.
 */
export async function assemblePart(deps: WorkerDeps, run: JobRun): Promise<void> {
  const { job } = run
  const { cohort: cohortId = '', delivery: deliveryId = '', table = '', number } = job.subject
  const { projectId } = job
  const cohort = await findCohort(deps.pool, cohortId)
  if (!cohort) throw new Error('a job names a cohort that does not exist')
  const part = await findPart(deps.pool, { deliveryId, table, number: Number(number) })
  const maps = await linkMapsOf(deps.pool, cohort.linkageId)
  const delivery = await findDelivery(deps.pool, deliveryId)
  const keys = delivery?.keysDeliveryId ?? deliveryId
  const linkage = await findLinkage(deps.pool, cohort.linkageId)
  const isLate = (delivery?.wave ?? 0) <= (linkage?.lateWave ?? -1)
  const map = maps.find((other) => other.deliveryId === keys)
  if (!part?.takenObjectId || !map) throw new Error('a part to be assembled is typed and mapped')

  const files = {
    part: join(run.scratchDir, 'part.parquet'),
    map: join(run.scratchDir, 'map.parquet'),
    output: join(run.scratchDir, 'cohort.parquet'),
  }
  await openFile(deps, { id: part.takenObjectId, projectId, kind: 'typed-part' }, files.part)
  await openFile(deps, { id: map.objectId, projectId, kind: 'link-map' }, files.map)
  const thinned = join(run.scratchDir, 'thinned.parquet')
  const session = await openSession({
    scratchDir: run.scratchDir,
    memoryMiB: deps.jobMemoryMiB,
    threads: deps.jobThreads,
  })
  let assembled: Assembled
  try {
    assembled = await assembleInEngine(session, files)
    if (isLate && assembled.unknown > 0) await thinPart(session, { ...files, output: thinned })
  } finally {
    session.close()
  }
  const { serialIn, ...counts } = assembled
  const sealed = await sealFile(deps, files.output, {
    projectId,
    kind: 'cohort-part',
    side: 'data',
  })
  const left =
    isLate && counts.unknown > 0
      ? await sealFile(deps, thinned, { projectId, kind: 'typed-part', side: 'data' })
      : undefined
  const { wake, gone } = await inTransaction(deps.pool, 'assemble-part', async (tx) => {
    const parents = await endLease(tx, job, { state: 'done', result: counts })
    await insertObjects(tx, [sealed.object, ...(left ? [left.object] : [])])
    const ended = left
      ? await replaceParts(tx, [
          { deliveryId, table, number: part.number, objectId: left.object.id },
        ])
      : []
    await endObjects(tx, ended)
    await insertCohortPart(tx, {
      cohortId,
      deliveryId,
      table,
      number: part.number,
      objectId: sealed.object.id,
      rows: counts.rows,
      rowsKept: counts.kept,
      rowsOutside: counts.outside,
      rowsUnknown: counts.unknown,
      serialIn,
    })
    await appendLeaf(tx, {
      ...leafByWorker(deps, 'assemble-part', `${cohortId}/${deliveryId}/${table}/${part.number}`),
      project: projectId,
      counts: { ...counts, destroyed: left ? counts.unknown : 0 },
    })
    return { wake: parents, gone: ended }
  })
  await Promise.all(gone.map((object) => deps.vault.destroy(object)))
  await ringFor(deps, wake)
}
