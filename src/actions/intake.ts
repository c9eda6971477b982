/**
 * What the two intakes share: an uploaded part is opened into scratch, taken by the engine, sealed again for its own side,
 * and its upload is destroyed. A part that the engine refuses is recorded as refused, whole; nothing of it stays.
 */
import { join } from 'node:path'
import { Refusal } from '../core/errors.ts'
import { manifestSchema } from '../core/manifest.ts'
import { isOutage } from '../core/outage.ts'
import { openSession, type Session } from '../engine/session.ts'
import { appendLeaf } from '../store/audit.ts'
import { endLease } from '../store/leases.ts'
import { endObjects, insertObjects, type ObjectKind } from '../store/objects.ts'
import { findPart, type Part, type RowRefusals, savePartTaken } from '../store/parts.ts'
import { inTransaction } from '../store/pool.ts'
import { type JobRun, leafByWorker, type WorkerDeps } from './deps.ts'
import { ringFor } from './ring.ts'
import { openFile, type SealedFile, sealFile } from './sealed-files.ts'

/** What the engine made of a part. */
export type Taken = {
  rows: number
  taken: number
  refusals: RowRefusals
  report: Record<string, unknown>
}

/** How one side takes a part: which objects, and the engine's function. */
export type Intake = {
  action: 'intake-keys' | 'intake-notices' | 'intake-table'
  uploadKind: ObjectKind
  takenKind: ObjectKind
  take: (session: Session, files: { input: string; output: string; part: Part }) => Promise<Taken>
}

/** Takes one uploaded part in. Run again after it succeeded, it does nothing. */
export async function takePart(deps: WorkerDeps, run: JobRun, intake: Intake): Promise<void> {
  const { delivery: deliveryId = '', table = '', number } = run.job.subject
  const part = await findPart(deps.pool, { deliveryId, table, number: Number(number) })
  if (!part) throw new Error('a job names a part that does not exist')
  const outcome = await takeOrRefuse(deps, run, part, intake)
  await saveOutcome(deps, run, part, { intake, outcome })
}

type Outcome = { taken: Taken; sealed?: SealedFile; refusal?: Refusal }

async function takeOrRefuse(
  deps: WorkerDeps,
  run: JobRun,
  part: Part,
  intake: Intake,
): Promise<Outcome> {
  const { projectId } = run.job
  if (!part.uploadObjectId) throw new Error('a part to be taken in has an upload')
  const input = join(run.scratchDir, part.mediaType === 'text/csv' ? 'part.csv' : 'part.parquet')
  const output = join(run.scratchDir, 'taken.parquet')
  await openFile(deps, { id: part.uploadObjectId, projectId, kind: intake.uploadKind }, input)
  const session = await openSession({
    scratchDir: run.scratchDir,
    memoryMiB: deps.jobMemoryMiB,
    threads: deps.jobThreads,
    readsForeignFiles: true,
  })
  try {
    const taken = await intake.take(session, { input, output, part })
    await requireDeclaredRows(deps, part, taken.rows)
    const side = deps.side
    return {
      taken,
      sealed: await sealFile(deps, output, { projectId, kind: intake.takenKind, side }),
    }
  } catch (error) {
    // An outage says nothing about the part: the job is handed back and takes it when all is there again.
    if (!(error instanceof Refusal) || isOutage(error)) throw error
    return { taken: { rows: 0, taken: 0, refusals: {}, report: {} }, refusal: error }
  } finally {
    session.close()
  }
}

/** The manifest's count of rows must be what came. */
async function requireDeclaredRows(deps: WorkerDeps, part: Part, rows: number): Promise<void> {
  const found = await deps.pool.query<{ manifest: unknown }>(
    'select manifest from gyeol.delivery where delivery_id = $1::uuid',
    [part.deliveryId],
  )
  const manifest = manifestSchema.parse(found.rows[0]?.manifest)
  const listed = manifest.parts.find((p) => p.table === part.table && p.number === part.number)
  if (listed?.rows !== rows) {
    throw new Refusal(
      'manifest-differs',
      'The part has another number of rows than its manifest.',
      {
        rows,
        declaredRows: listed?.rows ?? 0,
      },
    )
  }
}

async function saveOutcome(
  deps: WorkerDeps,
  { job }: JobRun,
  part: Part,
  { intake, outcome: { taken, sealed, refusal } }: { intake: Intake; outcome: Outcome },
): Promise<void> {
  const state = refusal ? 'refused' : 'taken'
  const counts = { rows: taken.rows, taken: taken.taken }
  const wake = await inTransaction(deps.pool, intake.action, async (tx) => {
    const parents = await endLease(tx, job, { state: 'done', result: { ...counts, part: state } })
    if (sealed) await insertObjects(tx, [sealed.object])
    await savePartTaken(tx, {
      deliveryId: part.deliveryId,
      table: part.table,
      number: part.number,
      state,
      takenObjectId: sealed?.object.id ?? null,
      rows: taken.rows,
      rowsTaken: taken.taken,
      refusals: taken.refusals,
      report: refusal
        ? { refusal: { code: refusal.code, sentence: refusal.message, details: refusal.details } }
        : taken.report,
    })
    if (part.uploadObjectId) await endObjects(tx, [part.uploadObjectId])
    await appendLeaf(tx, {
      ...leafByWorker(deps, intake.action, `${part.deliveryId}/${part.table}/${part.number}`),
      outcome: refusal ? 'refused' : 'done',
      project: job.projectId,
      counts,
      ...(refusal ? { note: refusal.code } : {}),
    })
    return parents
  })
  if (part.uploadObjectId) await deps.vault.destroy(part.uploadObjectId)
  await ringFor(deps, wake)
}
